"""Asks for the jobs of the run, each once, through whatever happens to Postgres meanwhile."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import text

from bench.chaos import tasks
from domain import job, mail, schedule
from domain.job import Kind, Once
from domain.schedule import Every, Missed, Plan
from persistence import job as job_store
from persistence import workspace as workspace_store
from persistence.database import (
    Database,
    Record,
    Statement,
    StoreUnavailableError,
    UnitOfWork,
)

T = TypeVar("T")

KEYS = 20
# Of a hundred jobs so many are of each kind.
_MIX: dict[Kind, int] = {
    tasks.NOTHING: 25,
    tasks.ROW: 24,
    tasks.STEPWISE: 8,
    tasks.FLAKY: 8,
    tasks.HOPELESS: 2,
    tasks.DYING: 2,
    tasks.DELAYED: 6,
    tasks.UNIQUE: 6,
    tasks.CANCELLED: 5,
    tasks.MAIL: 7,
    tasks.POST: 7,
}
_ASKERS = 4
_TENANTS = 5
_LATER = timedelta(seconds=5)
_RETRY_SECONDS = 0.2
_SCHEMA = """
    CREATE TABLE chaos_asked (
        number int PRIMARY KEY, kind text NOT NULL, job uuid NOT NULL, key text,
        at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE TABLE chaos_effect (job uuid NOT NULL, name text NOT NULL);
"""
_TABLES: tuple[Statement[Record], ...] = tuple(
    Statement(text(each), Record) for each in _SCHEMA.split(";") if each.strip()
)
_IS_ASKED: Statement[Record] = Statement(
    text("SELECT job FROM chaos_asked WHERE number = :number"), Record
)
_ASKED: Statement[Record] = Statement(
    text("INSERT INTO chaos_asked (number, kind, job, key) VALUES (:number, :kind, :job, :key)"),
    Record,
)
_UNSCHEDULE: Statement[Record] = Statement(
    text("DELETE FROM schedule WHERE workspace_id IS NOT NULL"), Record
)
_QUARANTINED: Statement[Record] = Statement(
    text(
        "SELECT id FROM job WHERE status = 'FAILED' AND deaths >= :deaths"
        " AND kind <> 'chaos_poison'"
    ),
    Record,
)


@dataclass(frozen=True)
class Asker:
    """Who asks: where, and to whom posts go."""

    database: Database
    tenants: tuple[UUID, ...]
    url: str

    async def ask(self, jobs: int, poisons: int, seconds: float) -> None:
        """All of them, some at once, over so many seconds; so many kill who does them."""
        kinds = [kind for kind, number in _MIX.items() for _ in range(number)]
        wanted = [kinds[number * 37 % len(kinds)] for number in range(jobs)]
        for at in range(poisons):
            wanted[jobs * (at + 1) // (2 * poisons + 1)] = tasks.POISON
        numbers = iter(range(jobs))
        begun = asyncio.get_running_loop().time()
        locks = [asyncio.Lock() for _ in range(KEYS)]
        async with asyncio.TaskGroup() as cancelling:

            async def go_on() -> None:
                for number in numbers:
                    due = begun + seconds * number / jobs
                    # In bursts, so that jobs wait for workers, too.
                    if number % 100 == 0:
                        await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
                    async with locks[number % KEYS]:
                        id_ = await self._through(partial(self._ask, number, wanted[number]))
                    if wanted[number] is tasks.CANCELLED:
                        cancelling.create_task(self._cancel(id_))

            await asyncio.gather(*(go_on() for _ in range(_ASKERS)))

    async def unschedule(self) -> None:
        """No ticks any more."""

        async def do() -> None:
            async with self.database.transaction() as uow:
                await uow.operate()
                await uow.execute(_UNSCHEDULE)

        await self._through(do)

    async def requeue(self) -> int:
        """What had the bad luck to run when three workers were killed is queued again, as an operator would."""

        async def do() -> int:
            async with self.database.transaction() as uow:
                await uow.operate()
                found = await uow.fetch(_QUARANTINED, deaths=job.MOST_DEATHS)
                rows = await job_store.requeue(uow, [row["id"] for row in found], ("FAILED",))
            return len(rows)

        return await self._through(do)

    async def _through(self, do: Callable[[], Awaitable[T]]) -> T:
        """As often as it takes; each bears repetition."""
        while True:
            try:
                return await do()
            except StoreUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _ask(self, number: int, kind: Kind) -> UUID:
        async with self.database.transaction() as uow:
            await uow.enter(workspace := self._tenant(number))
            asked = await uow.first(_IS_ASKED, number=number)
            if asked is not None:
                return UUID(bytes=asked["job"].bytes)
            once = Once(str(number % KEYS)) if kind is tasks.UNIQUE else None
            row = await self._enqueue(uow, number, kind, workspace, once)
            key = None if once is None else f"{workspace.hex} {once.key}"
            await uow.execute(_ASKED, number=number, kind=kind.name, job=row.id, key=key)
        return row.id

    async def _enqueue(
        self, uow: UnitOfWork, number: int, kind: Kind, workspace: UUID, once: Once | None
    ) -> job.Job:
        if kind is tasks.MAIL:
            message = mail.Message("somebody@partner.example", str(number), "A mail of the run.")
            return await mail.send(uow, message, workspace=workspace)
        return await job.enqueue(
            uow,
            kind,
            workspace=workspace,
            arguments={"number": number, "url": self.url},
            once=once,
            at=uow.now + _LATER if kind is tasks.DELAYED else None,
        )

    def _tenant(self, number: int) -> UUID:
        """One in two is the first's."""
        return self.tenants[0 if number // KEYS % 2 else number // KEYS // 2 % _TENANTS]

    async def _cancel(self, id_: UUID) -> None:
        await asyncio.sleep(random.uniform(0, 3))  # noqa: S311 - not for secrets

        async def do() -> None:
            async with self.database.transaction() as uow:
                await uow.operate()
                await job_store.cancel(uow, id_)

        await self._through(do)


async def prepare(database: Database, url: str) -> Asker:
    """The tables of the run, its workspaces, and in two of them a schedule that ticks every second."""
    async with database.transaction() as uow:
        for table in _TABLES:
            await uow.execute(table)
        tenants = [
            await workspace_store.add(uow, name=f"Tenant {n}", slug=f"tenant-{n}")
            for n in range(_TENANTS)
        ]
    for tenant in tenants[:2]:
        async with database.transaction() as uow:
            await uow.enter(tenant)
            plan = Plan("tick", tasks.TICK, Every(1), Missed.EVERY)
            await schedule.put(uow, plan, workspace=tenant)
    return Asker(database, tuple(tenants), url)
