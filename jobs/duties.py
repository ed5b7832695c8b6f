"""What is done from time to time, by the leader alone: looking after what may have been forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from dramatiq.brokers.redis import RedisBroker

from domain import feedback, housekeeping, schedule, stats
from domain.job import Kind
from jobs.broker import SCORES, score_messages
from persistence import job as job_store
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)

# Feedback is scored within a second or two; what has waited so long was forgotten by a crash.
OVERDUE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do every so many seconds."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[None]]


async def perform(duties: list[Duty]) -> None:
    """Do each in its rhythm until cancelled; one that fails is tried again in its turn."""
    await asyncio.gather(*(_repeat(duty) for duty in duties))


async def _repeat(duty: Duty) -> None:
    while True:
        try:
            await duty.do()
        except Exception:
            log.exception("duty failed", duty=duty.name)
        await asyncio.sleep(duty.seconds)


def score_overdue(database: Database, broker: RedisBroker, clock: Callable[[], datetime]) -> Duty:
    """Ask again for scores that a crash left undone, when the workers have nothing else to do."""

    async def do() -> None:
        waiting = await asyncio.to_thread(broker.do_qsize, SCORES)
        if waiting:
            return
        async with database.reader() as reader:
            rows = await feedback.overdue(reader, clock() - OVERDUE)
        by_workspace: dict[UUID, list[UUID]] = {}
        for row in rows:
            by_workspace.setdefault(row.workspace_id, []).append(row.id)
        for workspace, ids in by_workspace.items():
            for message in score_messages(workspace, ids):
                await asyncio.to_thread(broker.enqueue, message)
        if rows:
            log.info("asked again for scores", feedback=len(rows))

    return Duty("score overdue feedback", 10, do)


# A worker says every second that it lives.
_SILENCE = 10.0
# So long they may take to find Postgres again where it was out of everybody's reach.
_RETURNING = 4.0


def take_back_jobs(database: Database) -> Duty:
    """Give the jobs of dead workers to others.

    Who has only just found Postgres lets the workers find it first.
    """
    led_since: float | None = None

    async def do() -> None:
        nonlocal led_since
        clock = asyncio.get_running_loop().time
        led_since = led_since or clock()
        if clock() - led_since < _RETURNING:
            return
        try:
            async with database.transaction() as uow:
                taken = await job_store.take_back(uow, silence=_SILENCE)
        except StoreUnavailableError:
            led_since = None
            raise
        if taken:
            log.warning("took jobs back from dead workers", jobs=len(taken))

    return Duty("take back jobs", 2, do)


def compact_stats(database: Database) -> Duty:
    """Fold what has changed of the counts into the hours, so that they stay quick to read."""

    async def do() -> None:
        await stats.compact(database)

    return Duty("compact statistics", 2, do)


def run_schedules(
    database: Database, kinds: Mapping[str, Kind], clock: Callable[[], datetime]
) -> Duty:
    """Ask for the jobs whose time has come; at first, let the schedules be those of this version."""
    are_kept = False

    async def do() -> None:
        nonlocal are_kept
        if not are_kept:
            async with database.transaction() as uow:
                await uow.operate()
                await schedule.keep(uow, housekeeping.PLANS)
            are_kept = True
        await schedule.run_due(database, clock(), kinds)

    return Duty("run schedules", 1, do)
