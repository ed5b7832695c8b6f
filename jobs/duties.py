"""What is done from time to time, by the leader alone: looking after what may have been forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain import housekeeping, schedule, scoring, stats
from domain.job import Kind
from jobs.metrics import RelayMetrics
from persistence import job as job_store
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)

# New feedback is scored within a second or two, and what comes in files is asked for; more was forgotten by a crash.
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


def score_overdue(database: Database, clock: Callable[[], datetime]) -> Duty:
    """Ask for scores of what has waited too long: a crash may have left it, or the model is behind."""

    async def do() -> None:
        asked = await scoring.ask_where_overdue(database, clock() - OVERDUE)
        if asked:
            log.info("asked for scores of what waits", workspaces=asked)

    return Duty("score overdue feedback", 10, do)


# A worker says every second that it lives.
_SILENCE = 10.0
# So long they may take to find Postgres again where it was out of everybody's reach.
_RETURNING = 4.0


def take_back_jobs(database: Database, metrics: RelayMetrics | None = None) -> Duty:
    """Give the jobs of dead workers to others.

    Who has only just found Postgres lets the workers find it first.
    """
    led_since: float | None = None
    counted = metrics or RelayMetrics()

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
        for job in taken:
            counted.took_back(job.kind, job.status)
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
