"""A throw-away Postgres for benchmarks, migrated, with one workspace in it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from app.embedded import EmbeddedParts
from persistence import migrate


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
