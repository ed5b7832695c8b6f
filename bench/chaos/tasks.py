"""The jobs of the run: each kind has effects that can be counted afterwards."""

import asyncio
import os
import random
import signal
from datetime import timedelta

import orjson
from sqlalchemy import text

from clients.outgoing import OutgoingError
from domain import ids, mail
from domain.ids import Kind as IdKind
from domain.job import Kind, Priority
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Record, Statement, UnitOfWork

STEPS = 3
FAILURES = 2
_SECONDS = 20.0
_OK = range(200, 300)


def _kind(name: str, priority: Priority = Priority.NORMAL, most_failures: int = 100) -> Kind:
    return Kind(
        f"chaos_{name}",
        priority=priority,
        timeout=timedelta(seconds=_SECONDS),
        most_failures=most_failures,
        first_pause=timedelta(milliseconds=100),
        longest_pause=timedelta(seconds=2),
    )


NOTHING = _kind("nothing")
ROW = _kind("row", Priority.HIGH)
STEPWISE = _kind("stepwise", Priority.BULK)
FLAKY = _kind("flaky")
HOPELESS = _kind("hopeless")
DYING = _kind("dying", most_failures=3)
DELAYED = _kind("delayed")
UNIQUE = _kind("unique")
CANCELLED = _kind("cancelled")
POST = _kind("post")
TICK = _kind("tick")
POISON = _kind("poison", most_failures=5)

_EFFECT: Statement[Record] = Statement(
    text("INSERT INTO chaos_effect (job, name) VALUES (:job, :name)"), Record
)


async def _happen(uow: UnitOfWork, attempt: Attempt, name: str) -> None:
    await uow.execute(_EFFECT, job=attempt.id, name=name)


async def _pause(most: float = 0.02) -> None:
    """So that a kill finds something that runs."""
    await asyncio.sleep(random.uniform(0, most))  # noqa: S311 - not for secrets


async def _nothing(_: WorkerResources, __: Attempt) -> None:
    """What plain Dramatiq's benchmark does."""


async def _row(_: WorkerResources, attempt: Attempt) -> None:
    await _pause()
    async with attempt.completing() as uow:
        await _happen(uow, attempt, "row")


async def _stepwise(_: WorkerResources, attempt: Attempt) -> None:
    for number in range(attempt.state.get("done", 0), STEPS):
        await _pause()
        async with attempt.step(progress=number / STEPS, state={"done": number + 1}) as uow:
            await _happen(uow, attempt, f"step {number}")


async def _flaky(_: WorkerResources, attempt: Attempt) -> None:
    if attempt.failures < FAILURES:
        raise FailedError("not yet")
    async with attempt.completing() as uow:
        await _happen(uow, attempt, "row")


async def _hopeless(_: WorkerResources, attempt: Attempt) -> None:
    await _pause()
    raise HopelessError(f"hopeless at {attempt.number}")


async def _dying(_: WorkerResources, attempt: Attempt) -> None:
    async with attempt.step() as uow:
        await _happen(uow, attempt, "attempt that fails")
        raise FailedError("no luck")


async def _unique(_: WorkerResources, attempt: Attempt) -> None:
    await _pause(0.05)
    async with attempt.completing() as uow:
        await _happen(uow, attempt, f"number {attempt.arguments['number']}")


async def _cancelled(_: WorkerResources, attempt: Attempt) -> None:
    await asyncio.sleep(1.5)
    async with attempt.completing() as uow:
        await _happen(uow, attempt, "row")


async def _post(resources: WorkerResources, attempt: Attempt) -> None:
    headers = {
        "content-type": "application/json",
        "webhook-id": ids.write(IdKind.JOB, attempt.id),
    }
    body = orjson.dumps({"number": attempt.arguments["number"]})
    try:
        answer = await resources.outgoing.post(
            attempt.arguments["url"], body=body, headers=headers, timeout=10
        )
    except OutgoingError as error:
        raise FailedError(f"no answer: {error}") from error
    if answer.status not in _OK:
        raise FailedError(f"it answered {answer.status}")


async def _tick(_: WorkerResources, attempt: Attempt) -> None:
    async with attempt.completing() as uow:
        await _happen(uow, attempt, f"tick {attempt.arguments['scheduled_for']}")


async def _poison(_: WorkerResources, __: Attempt) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


TASKS = (
    Task(NOTHING, _nothing),
    Task(ROW, _row),
    Task(STEPWISE, _stepwise),
    Task(FLAKY, _flaky),
    Task(HOPELESS, _hopeless),
    Task(DYING, _dying),
    Task(DELAYED, _row),
    Task(UNIQUE, _unique),
    Task(CANCELLED, _cancelled),
    Task(POST, _post),
    Task(TICK, _tick),
    Task(POISON, _poison),
)
MAIL = mail.SEND_MAIL
