"""Earful's two jobs: nothing, and one row updated together with the job's end."""

import time

from sqlalchemy import text

from domain.job import Kind
from jobs.attempt import Attempt
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Record, Statement

NOTHING = Kind("bench_nothing")
ROW = Kind("bench_row")
STAMP = Kind("bench_stamp")
UPDATE = "UPDATE bench_counter SET value = value + 1 WHERE id = %s"
_UPDATE: Statement[Record] = Statement(text(UPDATE % ":id"), Record)


async def _nothing(_: WorkerResources, __: Attempt) -> None:
    """What the queue itself costs."""


async def _row(_: WorkerResources, attempt: Attempt) -> None:
    async with attempt.completing() as uow:
        await uow.execute(_UPDATE, id=attempt.arguments["id"])


async def _stamp(_: WorkerResources, attempt: Attempt) -> None:
    attempt.result = {"begun": time.time()}


TASKS = (Task(NOTHING, _nothing), Task(ROW, _row), Task(STAMP, _stamp))
