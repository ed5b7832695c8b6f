"""Taking away what has run out, so that no table grows without bound."""

from datetime import datetime, timedelta

from domain import (
    account,
    alert,
    audit,
    events,
    housekeeping,
    idempotency,
    invitation,
    job,
    quarantine,
    security,
    source,
    source_health,
    webhook,
)
from jobs.attempt import Attempt
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence import outbox
from persistence.database import Database


async def forget(database: Database, now: datetime, *, job_history: timedelta) -> None:
    """Each part may be done again, and is soon done where there is nothing to do."""
    await source.forget_deliveries(database, now)
    await quarantine.forget(database, now)
    await source_health.forget(database, now)
    await alert.forget(database, now)
    await invitation.forget(database, now)
    await job.forget(database, now, kept=job_history)
    await webhook.forget(database, now)
    async with database.transaction() as uow:
        await account.forget_expired(uow)
        await idempotency.forget(uow)
        await outbox.forget_heads(uow, instance=events.INSTANCE)


async def _forget_the_past(resources: WorkerResources, _: Attempt) -> None:
    await forget(resources.database, resources.clock(), job_history=resources.job_history)


async def _expunge_logs(resources: WorkerResources, _: Attempt) -> None:
    kept, now = resources.audit_history, resources.clock()
    await audit.expunge(resources.database, now, kept=kept)
    async with resources.database.transaction() as uow:
        await security.expunge(uow, now, kept=kept)


TASKS = (
    Task(housekeeping.FORGET_THE_PAST, _forget_the_past),
    Task(housekeeping.EXPUNGE_LOGS, _expunge_logs),
)
