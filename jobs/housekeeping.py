"""Taking away what has run out, so that no table grows without bound."""

from datetime import datetime, timedelta

from domain import account, alert, events, housekeeping, job, source, webhook
from jobs.attempt import Attempt
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence import outbox
from persistence.database import Database


async def forget(database: Database, now: datetime, *, job_history: timedelta) -> None:
    """Each part may be done again, and is soon done where there is nothing to do."""
    await source.forget_deliveries(database, now)
    await alert.forget(database, now)
    await job.forget(database, now, kept=job_history)
    await webhook.forget(database, now)
    async with database.transaction() as uow:
        await account.forget_expired(uow)
        await outbox.forget_heads(uow, instance=events.INSTANCE)


async def _forget_the_past(resources: WorkerResources, _: Attempt) -> None:
    await forget(resources.database, resources.clock(), job_history=resources.job_history)


TASKS = (Task(housekeeping.FORGET_THE_PAST, _forget_the_past),)
