"""What is done from time to time, by the leader alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from dramatiq.brokers.redis import RedisBroker

from domain import account, events, feedback, source
from jobs.broker import SCORES, score_messages
from persistence import outbox
from persistence.database import Database

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


def forget_the_past(database: Database, clock: Callable[[], datetime]) -> Duty:
    """Take away what has run out, so that no table grows without bound."""

    async def do() -> None:
        await source.forget_deliveries(database, clock())
        async with database.transaction() as uow:
            await account.forget_expired(uow)
            await outbox.forget_heads(uow, instance=events.INSTANCE)

    return Duty("forget the past", 3600, do)
