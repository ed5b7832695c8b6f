"""Kinds of which no success is kept: nobody looks for what is routine, and everybody for what went wrong."""

from datetime import timedelta

import pytest

from domain.alert import CHECK_ALERTS, MATCH_ALERTS
from domain.alert.checking import ASK_FOR_CHECKS
from domain.housekeeping import FORGET_THE_PAST
from domain.job import Kind, Once
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.runner import Task
from tests.factories import Factory
from tests.jobs.runners import Desk, Do, Notes, note, until, wait
from tests.working import Worker

ROUTINE = Kind("routine", first_pause=timedelta(0), keep_successes=False)


async def in_one(notes: Notes, attempt: Attempt) -> None:
    async with attempt.completing():
        notes.begun.append(attempt)


async def at_last(notes: Notes, attempt: Attempt) -> None:
    notes.begun.append(attempt)
    if attempt.number == 1:
        raise FailedError("not yet")


async def never(notes: Notes, attempt: Attempt) -> None:
    raise HopelessError("no luck")


@pytest.mark.parametrize("do", [note, in_one, at_last])
async def test_of_a_routine_that_succeeds_nothing_is_left(desk: Desk, do: Do) -> None:
    tenant = await desk.factory.tenant()
    async with desk.working(Task(ROUTINE, do)) as runner:
        await desk.ask(ROUTINE, tenant)
        await desk.ask(ROUTINE)
        runner.look(ROUTINE.priority)
        await desk.gone()
    assert {attempt.workspace_id for attempt in desk.notes.begun} == {tenant.id, None}


async def test_of_one_that_fails_there_is_a_job(desk: Desk) -> None:
    async with desk.working(Task(ROUTINE, never)) as runner:
        id_ = await desk.ask(ROUTINE)
        runner.look(ROUTINE.priority)
        row = await desk.until(id_, "FAILED")
    assert row["error"] == "no luck"


async def test_one_that_is_asked_for_while_it_runs_is_done_again(desk: Desk) -> None:
    async with desk.working(Task(ROUTINE, wait)) as runner:
        id_ = await desk.ask(ROUTINE, once=Once("key"))
        runner.look(ROUTINE.priority)
        await desk.begun(1)
        again = await desk.ask(ROUTINE, once=Once("key"))
        desk.notes.go.set()
        await until(lambda: len(desk.notes.begun) == 2)
        await desk.gone()
    assert again == id_
    assert [attempt.id for attempt in desk.notes.begun] == [id_, id_]


async def test_one_that_is_to_be_cancelled_and_succeeds_has_succeeded(desk: Desk) -> None:
    async def too_late(notes: Notes, attempt: Attempt) -> None:
        notes.begun.append(attempt)
        await desk.factory.change("UPDATE job SET cancel_requested_at = now()")

    async with desk.working(Task(ROUTINE, too_late)) as runner:
        id_ = await desk.ask(ROUTINE)
        runner.look(ROUTINE.priority)
        row = await desk.until(id_, "SUCCEEDED")
    assert row["worker_id"] is None


async def test_the_checks_and_the_housekeeping_leave_no_jobs(
    factory: Factory, worker: Worker, desk: Desk
) -> None:
    tenant = await factory.tenant()
    await factory.alert(tenant)
    await desk.ask(ASK_FOR_CHECKS)
    await desk.ask(FORGET_THE_PAST)
    await desk.ask(CHECK_ALERTS, workspace=tenant.id.hex)
    await desk.ask(MATCH_ALERTS, workspace=tenant.id.hex, happened={})

    await worker.work()

    left = await factory.rows("SELECT kind, status FROM job WHERE run_at <= now()")
    assert left == []
