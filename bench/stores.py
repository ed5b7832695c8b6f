"""Stores for benchmarks: a throw-away Postgres, or all three, with the rows of data.sql in them."""

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import redis

from app.embedded import EmbeddedParts, Endpoints
from app.embedded.process import Guard
from bench import data, processes
from bench.report import KEPT
from persistence import migrate


@dataclass(frozen=True, slots=True)
class Stores:
    """The roots of the process trees behind the servers."""

    postgres: int
    valkey: int


@dataclass(frozen=True, slots=True)
class Filled:
    """The stores with rows in them: where they are, which processes they are, and who ends what is started."""

    endpoints: Endpoints
    guard: Guard
    stores: Stores

    @property
    def database_url(self) -> str:
        assert self.endpoints.database_url is not None
        return self.endpoints.database_url

    @property
    def redis_url(self) -> str:
        assert self.endpoints.redis_url is not None
        return self.endpoints.redis_url


@contextmanager
def filled(*, keep: bool) -> Iterator[Filled]:
    """Postgres, Valkey and S3, migrated and filled; `keep`: in .bench/, where the next run finds them."""
    digest = hashlib.sha256(data.SQL.encode()).hexdigest()[:8]
    with ExitStack() as stack:
        directory = KEPT / f"state-{digest}" if keep else stack.enter_context(throw_away())
        parts, endpoints = stack.enter_context(_started(directory))
        assert endpoints.database_url is not None
        began = time.monotonic()
        if asyncio.run(data.fill(endpoints.database_url)):
            print(f"Filled the database in {time.monotonic() - began:.0f} s", flush=True)
        yield Filled(endpoints, parts.guard, Stores(*asyncio.run(process_ids(endpoints))))


@contextmanager
def empty() -> Iterator[tuple[EmbeddedParts, Endpoints]]:
    """Postgres, Valkey and S3 that nobody has used and nobody will, migrated, and where they are."""
    with throw_away() as directory, _started(directory) as started:
        yield started


@contextmanager
def _started(directory: Path) -> Iterator[tuple[EmbeddedParts, Endpoints]]:
    parts = EmbeddedParts(
        directory,
        parts=frozenset({"postgres", "valkey", "s3"}),
        durable=True,
        report=lambda _: None,
    )
    try:
        endpoints = parts.start()
        assert endpoints.database_url is not None
        migrate.upgrade(endpoints.database_url)
        yield parts, endpoints
    finally:
        parts.stop()


async def process_ids(endpoints: Endpoints) -> tuple[int, int]:
    """Postgres' first process, and Valkey's."""
    connection = await asyncpg.connect(endpoints.database_url)
    try:
        postgres = processes.parent(await connection.fetchval("SELECT pg_backend_pid()"))
    finally:
        await connection.close()
    assert endpoints.redis_url is not None
    with redis.Redis.from_url(endpoints.redis_url) as valkey:
        return postgres, int(valkey.info("server")["process_id"])


@contextmanager
def throw_away() -> Iterator[Path]:
    """A directory for the state of embedded parts that goes with all that is in it."""
    with tempfile.TemporaryDirectory(prefix="earful-bench-") as directory:
        # Root's Postgres runs as another user, whose data would else be put where nobody removes them.
        Path(directory).chmod(0o711)
        yield Path(directory) / "state"


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The URL of a durable Postgres with the tables of this version."""
    with throw_away() as directory:
        parts = EmbeddedParts(
            directory,
            parts=frozenset({"postgres"}),
            durable=True,
            report=lambda _: None,
        )
        url = parts.start().database_url
        assert url is not None
        try:
            await asyncio.to_thread(migrate.upgrade, url)
            yield url
        finally:
            parts.stop()
