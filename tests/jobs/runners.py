"""What tests of jobs use: kinds with tasks of their own, runners that do them, and ways to look at the rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.stores import now
from domain import ids, job
from domain.ids import Kind as IdKind
from domain.job import Kind, Once, Priority
from jobs.attempt import Attempt
from jobs.runner import PLACES, Runner, Task
from persistence import job as store
from persistence.database import Database, Record, Statement, new_id
from tests.factories import Factory, Tenant

SECONDS = 20
_ROW: Statement[Record] = Statement(text("SELECT * FROM job WHERE id = :id"), Record)


@dataclass
class Notes:
    """What the tasks of a test have seen, and what they wait for."""

    begun: list[Attempt] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)


Do = Callable[[Notes, Attempt], Awaitable[None]]


@dataclass(frozen=True)
class Desk:
    """A database with jobs, and who looks at them."""

    database: Database
    factory: Factory
    notes: Notes

    async def ask(
        self,
        kind: Kind,
        tenant: Tenant | None = None,
        *,
        once: Once | None = None,
        at: datetime | None = None,
        **arguments: Any,
    ) -> UUID:
        """Ask for a job, and commit."""
        async with self.database.transaction() as uow:
            if tenant is not None:
                await uow.enter(tenant.id)
            row = await job.enqueue(
                uow,
                kind,
                workspace=None if tenant is None else tenant.id,
                arguments=arguments,
                once=once,
                at=at,
            )
        return row.id

    @asynccontextmanager
    async def working(
        self, *tasks: Task[Notes], places: Mapping[Priority, int] = PLACES
    ) -> AsyncIterator[Runner[Notes]]:
        """A worker's runner, ended as by SIGKILL."""
        runner = Runner(self.database, self.notes, tasks, clock=now, places=places)
        running = asyncio.ensure_future(runner.run())
        try:
            yield runner
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def row(self, id_: UUID) -> dict[str, Any]:
        """A job as it is."""
        async with self.database.reader() as reader:
            (found,) = await reader.fetch(_ROW, id=id_)
        return dict(found.items())

    async def until(self, id_: UUID, *statuses: str) -> dict[str, Any]:
        """A job as soon as it has one of these statuses."""
        async with asyncio.timeout(SECONDS):
            while (row := await self.row(id_))["status"] not in statuses:
                await asyncio.sleep(0.01)
        return row

    async def gone(self) -> None:
        """As soon as there is no job left."""
        async with asyncio.timeout(SECONDS):
            while await self.factory.rows("SELECT id FROM job"):
                await asyncio.sleep(0.01)

    async def begun(self, number: int) -> list[Attempt]:
        """The attempts that were begun, as soon as there are so many."""
        await until(lambda: len(self.notes.begun) >= number)
        return self.notes.begun

    async def die(self) -> list[tuple[UUID, str]]:
        """All workers are taken for dead, and their jobs back; answers these with their new status."""
        async with self.database.transaction() as uow:
            taken = await store.take_back(uow, silence=0)
        return [(row.id, row.status) for row in taken]

    async def claim(self, *kinds: Kind) -> list[store.ClaimedRow]:
        """What a worker that does nothing claims, all of it of one priority."""
        worker = new_id()
        names = [kind.name for kind in kinds]
        async with self.database.transaction() as uow:
            await store.enlist(uow, worker, "test")
        async with self.database.transaction() as uow:
            return await store.claim(
                uow, worker, priority=kinds[0].priority, kinds=names, free=64, most_of_one=48
            )

    async def workers(self) -> list[UUID]:
        return [id_ for (id_,) in await self.factory.rows("SELECT id FROM worker")]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.005)


def gid(id_: UUID) -> str:
    """The job's id as the outside sees it."""
    return ids.write(IdKind.JOB, id_)


async def wait(notes: Notes, attempt: Attempt) -> None:
    """A task that goes on when it is told to."""
    notes.begun.append(attempt)
    await notes.go.wait()


async def note(notes: Notes, attempt: Attempt) -> None:
    """A task that does nothing else."""
    notes.begun.append(attempt)
