"""The worker and the relay as processes: jobs done, drained on SIGTERM, taken over after SIGKILL."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.settings import Settings
from domain import job, mail
from domain.job import Kind
from tests.jobs.relays import Stores, emptied

SECONDS = 60
ROOT = Path(__file__).parents[2]
# A worker with one more kind of job, which says that it has begun and takes as long as it is told to.
PROGRAM = """
import asyncio, sys
from datetime import timedelta
from app import settings, telemetry
from app.worker import work
from domain.job import Kind
from jobs import tasks
from jobs.runner import Task

async def linger(resources, attempt):
    await attempt.report(0.5, {"by": attempt.number})
    await asyncio.sleep(attempt.arguments["seconds"] if attempt.number == 1 else 0)
    attempt.result = {"attempt": attempt.number, "found": dict(attempt.state)}

work(settings.load(), (*tasks.TASKS, Task(Kind("linger"), linger)))
"""
LINGER = Kind("linger")


@dataclass(frozen=True)
class Processes:
    """Earful's processes on stores of their own."""

    stores: Stores
    directory: Path

    @asynccontextmanager
    async def running(self, *argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Python with these arguments, killed at the end."""
        settings = self.stores.settings
        assert settings.database_url is not None
        assert settings.redis_url is not None
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "S3_ENDPOINT_URL": settings.s3_endpoint_url or "",
            "SECRET_KEY": "a secret key that only these tests use",
            "DATA_DIR": str(self.directory),
            "LOG_LEVEL": "warning",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, cwd=ROOT, env=environment
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def ask(self, **arguments: Any) -> UUID:
        async with self.stores.database.transaction() as uow:
            return (await job.enqueue(uow, LINGER, workspace=None, arguments=arguments)).id

    async def until(self, id_: UUID, condition: str) -> Any:
        """The job as soon as this is so of it."""
        async with asyncio.timeout(SECONDS):
            while (
                row := await self.stores.watcher.fetchrow(
                    f"SELECT * FROM job WHERE id = $1 AND {condition}", id_
                )
            ) is None:
                await asyncio.sleep(0.02)
        return row


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="earful-worker-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
async def stores(apart: Settings) -> AsyncIterator[Stores]:
    """What all tests here use, one after the other."""
    async with emptied(apart) as opened:
        yield opened


@pytest.fixture(scope="module")
async def relayed(stores: Stores, directory: Path) -> AsyncIterator[Processes]:
    """A relay, which takes long to start, for all tests."""
    here = Processes(stores, directory)
    async with here.running("-m", "app", "relay"):
        yield here


@pytest.fixture
async def processes(relayed: Processes) -> Processes:
    """No jobs, and a relay."""
    await relayed.stores.watcher.execute("DELETE FROM job; DELETE FROM worker")
    return relayed


async def test_a_mail_that_was_asked_for_is_sent_and_the_worker_ends_when_it_is_told_to(
    processes: Processes, directory: Path
) -> None:
    async with processes.running("-m", "app", "worker") as worker:
        async with processes.stores.database.transaction() as uow:
            message = mail.Message("ada@partner.example", "Welcome", "Hello.")
            row = await mail.send(uow, message)
        await processes.until(row.id, "status = 'SUCCEEDED'")
        worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            code = await worker.wait()

    (file,) = (directory / "mail").glob("*.eml")
    sent = message_from_bytes(file.read_bytes())
    assert (sent["to"], sent["subject"]) == ("ada@partner.example", "Welcome")
    assert f"job.{row.id.hex}" in sent["message-id"]
    assert code == 0
    assert await processes.stores.watcher.fetchval("SELECT count(*) FROM worker") == 0


async def test_what_runs_when_the_worker_is_told_to_end_ends_first(processes: Processes) -> None:
    async with processes.running("-c", PROGRAM) as worker:
        id_ = await processes.ask(seconds=1)
        await processes.until(id_, "progress = 0.5")
        worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            code = await worker.wait()

    row = await processes.until(id_, "status = 'SUCCEEDED'")
    assert (code, row["attempts"]) == (0, 1)


async def test_what_a_killed_worker_was_doing_is_done_by_another(processes: Processes) -> None:
    async with processes.running("-c", PROGRAM) as worker:
        id_ = await processes.ask(seconds=600)
        await processes.until(id_, "progress = 0.5")
        worker.kill()
        await worker.wait()
    async with processes.running("-c", PROGRAM):
        row = await processes.until(id_, "status = 'SUCCEEDED'")

    assert row["attempts"] == 2
    assert row["result"] == '{"found": {"by": 2}, "attempt": 2}'
    assert row["failures"] == 0


async def test_a_worker_without_postgres_ends_with_an_error(
    stores: Stores, directory: Path
) -> None:
    away = stores.settings.model_copy(
        update={"database_url": "postgresql://nobody@127.0.0.1:1/nowhere"}
    )
    alone = Processes(replace(stores, settings=away), directory)
    async with alone.running("-m", "app", "worker") as worker, asyncio.timeout(SECONDS):
        code = await worker.wait()

    assert code == 1
