"""Jobs that are done: what is recorded of them, and what of it others hear."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from app.resources import Api
from app.stores import now
from domain import events, job
from domain.events import JobsUpdated
from domain.job import Kind, Once, Priority
from jobs.attempt import Attempt, LostError
from jobs.relay import Relay
from jobs.runner import Task
from persistence import job as store
from persistence import tag as tag_store
from persistence.database import Record, Statement, UnitOfWork
from tests.jobs.runners import SECONDS, Desk, Notes, note, wait

PLAIN = Kind("plain")
WAITING = Kind("waiting")
_ENDED: Statement[Record] = Statement(
    text("UPDATE job SET status = :status, finished_at = :moment ::timestamptz WHERE id = :id"),
    Record,
)


async def tag(uow: UnitOfWork, attempt: Attempt, name: str) -> None:
    """An effect: a tag in the job's workspace."""
    assert attempt.workspace_id is not None
    await tag_store.add(uow, workspace=attempt.workspace_id, name=name, color="#112233")


async def tags(desk: Desk) -> list[str]:
    return [name for (name,) in await desk.factory.rows("SELECT name FROM tag ORDER BY name")]


async def test_a_job_that_was_asked_for_is_done(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    async with desk.working(Task(PLAIN, note)) as runner:
        id_ = await desk.ask(PLAIN, tenant, answer=42)
        runner.look(PLAIN.priority)
        row = await desk.until(id_, "SUCCEEDED")

    (attempt,) = desk.notes.begun
    assert (attempt.id, attempt.workspace_id) == (id_, tenant.id)
    assert attempt.arguments == {"answer": 42}
    assert (attempt.number, attempt.failures, attempt.state) == (1, 0, {})
    assert (row["attempts"], row["failures"], row["deaths"], row["progress"]) == (1, 0, 0, 1)
    assert (row["error"], row["worker_id"], row["result"]) == (None, None, None)
    assert row["created_at"] <= row["started_at"] <= row["finished_at"]


async def test_a_job_of_the_instance_is_done(desk: Desk) -> None:
    id_ = await desk.ask(PLAIN)
    async with desk.working(Task(PLAIN, note)):
        row = await desk.until(id_, "SUCCEEDED")

    assert row["workspace_id"] is None


async def test_what_waited_before_the_worker_came_is_done(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    asked = [await desk.ask(PLAIN, tenant) for _ in range(130)]

    async with desk.working(Task(PLAIN, note)):
        for id_ in asked:
            await desk.until(id_, "SUCCEEDED")

    assert sorted(attempt.id for attempt in desk.notes.begun) == sorted(asked)


async def test_a_job_that_is_rolled_back_was_never_asked_for(desk: Desk) -> None:
    async def ask_and_fail() -> None:
        async with desk.database.transaction() as uow:
            await job.enqueue(uow, PLAIN, workspace=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask_and_fail()

    assert await desk.factory.rows("SELECT id FROM job") == []


async def test_a_job_is_not_begun_before_its_transaction_is_committed(desk: Desk) -> None:
    async with desk.working(Task(PLAIN, note)) as runner:
        async with desk.database.transaction() as uow:
            row = await job.enqueue(uow, PLAIN, workspace=None)
            runner.look(PLAIN.priority)
            other = await desk.ask(PLAIN)
            await desk.until(other, "SUCCEEDED")
            begun = [attempt.id for attempt in desk.notes.begun]
        await desk.until(row.id, "SUCCEEDED")

    assert begun == [other]


async def test_a_result_and_how_far_it_came_are_recorded(desk: Desk) -> None:
    async def count(notes: Notes, attempt: Attempt) -> None:
        await attempt.report(0.25)
        attempt.result = {"rows": 3}
        await wait(notes, attempt)

    id_ = await desk.ask(PLAIN)
    async with desk.working(Task(PLAIN, count)):
        await desk.begun(1)
        halfway = await desk.row(id_)
        desk.notes.go.set()
        row = await desk.until(id_, "SUCCEEDED")

    assert (halfway["progress"], halfway["result"]) == (0.25, None)
    assert (row["progress"], orjson.loads(row["result"])) == (1, {"rows": 3})


async def test_effects_and_the_end_are_one(desk: Desk) -> None:
    tenant = await desk.factory.tenant()

    async def do(_: Notes, attempt: Attempt) -> None:
        async with attempt.completing() as uow:
            await tag(uow, attempt, "made")
            attempt.result = {"made": 1}

    id_ = await desk.ask(PLAIN, tenant)
    async with desk.working(Task(PLAIN, do)):
        row = await desk.until(id_, "SUCCEEDED")

    assert await tags(desk) == ["made"]
    assert orjson.loads(row["result"]) == {"made": 1}


async def test_effects_of_an_attempt_that_fails_at_its_end_are_not_there(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    kind = Kind("broken", most_failures=1)

    async def do(_: Notes, attempt: Attempt) -> None:
        async with attempt.completing() as uow:
            await tag(uow, attempt, "made")
            raise ZeroDivisionError

    id_ = await desk.ask(kind, tenant)
    async with desk.working(Task(kind, do)):
        await desk.until(id_, "FAILED")

    assert await tags(desk) == []


async def test_each_step_and_what_it_leaves_are_one(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    kind = Kind("steps", first_pause=timedelta(0))

    async def do(notes: Notes, attempt: Attempt) -> None:
        notes.said.append(f"{attempt.number} from {attempt.state.get('done', 0)}")
        for number in range(attempt.state.get("done", 0), 3):
            async with attempt.step(progress=number / 3, state={"done": number + 1}) as uow:
                await tag(uow, attempt, f"step {number}")
                assert number != attempt.number
        attempt.result = dict(attempt.state)

    id_ = await desk.ask(kind, tenant)
    async with desk.working(Task(kind, do)) as runner:
        await _pushed(desk, runner.look, id_)
        row = await desk.row(id_)

    assert desk.notes.said == ["1 from 0", "2 from 1", "3 from 2"]
    assert await tags(desk) == ["step 0", "step 1", "step 2"]
    assert (row["status"], row["failures"], orjson.loads(row["result"])) == (
        "SUCCEEDED",
        2,
        {"done": 3},
    )


async def _pushed(desk: Desk, look: Callable[[Priority], None], id_: UUID) -> None:
    """Until it has ended, with somebody who looks all the time."""
    async with asyncio.timeout(SECONDS):
        while (await desk.row(id_))["status"] in {"QUEUED", "RUNNING"}:
            look(Priority.NORMAL)
            await asyncio.sleep(0.01)


async def test_kinds_that_the_worker_does_not_know_are_left_alone(desk: Desk) -> None:
    unknown = await desk.ask(Kind("of a later version"))
    known = await desk.ask(PLAIN)

    async with desk.working(Task(PLAIN, note)):
        await desk.until(known, "SUCCEEDED")

    row = await desk.row(unknown)
    assert (row["status"], row["attempts"]) == ("QUEUED", 0)


async def test_a_result_that_cannot_be_stored_fails_alone(desk: Desk) -> None:
    async def say(notes: Notes, attempt: Attempt) -> None:
        attempt.result = dict(attempt.arguments)
        await wait(notes, attempt)

    asked = [await desk.ask(PLAIN, said=said) for said in ("one", "n\x01l", "two")]
    async with desk.working(Task(PLAIN, say)):
        attempts = await desk.begun(3)
        attempts[1].result = {"said": "n\x00l"}
        desk.notes.go.set()
        rows = [await desk.until(id_, "SUCCEEDED", "FAILED") for id_ in asked]

    assert [row["status"] for row in rows] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert rows[1]["error"] == "the result cannot be stored; the worker's log has more"


async def test_a_result_that_is_no_json_is_a_mistake_of_the_attempt(desk: Desk) -> None:
    kind = Kind("wrong", most_failures=1)

    async def do(_: Notes, attempt: Attempt) -> None:
        attempt.result = {"when": object()}

    id_ = await desk.ask(kind)
    async with desk.working(Task(kind, do)):
        row = await desk.until(id_, "FAILED")

    assert row["error"] == "unexpected error (TypeError); the worker's log has more"


async def test_who_follows_a_job_hears_of_each_change(desk: Desk, api: Api, relay: Relay) -> None:
    tenant = await desk.factory.tenant()

    async def do(_: Notes, attempt: Attempt) -> None:
        await attempt.report(0.5)
        async with attempt.completing():
            pass

    id_ = await desk.ask(PLAIN, tenant)
    async with desk.working(Task(PLAIN, do)):
        await desk.until(id_, "SUCCEEDED")

    topic = events.topic(tenant.id, events.JOBS_TOPIC)
    async with asyncio.timeout(SECONDS):
        while len(entries := await api.bus.read(topic, 0, 10)) < 3:
            await asyncio.sleep(0.01)
    told = [JobsUpdated.from_json(entry.payload).job_ids for entry in entries]
    # Begun, halfway, ended.
    assert told == [(id_,)] * 3


# Cancelled


async def cancel(desk: Desk, id_: UUID) -> str:
    async with desk.database.transaction() as uow:
        await uow.operate()
        row = await store.cancel(uow, id_)
    return "ended" if row is None else row.status


async def test_a_queued_job_that_is_cancelled_is_never_begun(desk: Desk) -> None:
    id_, other = await desk.ask(PLAIN), await desk.ask(PLAIN)

    status = await cancel(desk, id_)
    async with desk.working(Task(PLAIN, note)):
        await desk.until(other, "SUCCEEDED")

    row = await desk.row(id_)
    assert (status, row["status"], row["attempts"]) == ("CANCELLED", "CANCELLED", 0)
    assert row["finished_at"] == row["cancel_requested_at"]
    assert [attempt.id for attempt in desk.notes.begun] == [other]


async def test_to_cancel_reaches_a_running_job(desk: Desk) -> None:
    async def do(notes: Notes, attempt: Attempt) -> None:
        try:
            await wait(notes, attempt)
        except asyncio.CancelledError:
            notes.said.append("cancelled")
            raise

    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, do)):
        await desk.begun(1)
        status = await cancel(desk, id_)
        row = await desk.until(id_, "CANCELLED")

    assert status == "RUNNING"
    assert desk.notes.said == ["cancelled"]
    assert (row["error"], row["failures"]) == (None, 0)
    assert row["finished_at"] is not None
    assert await cancel(desk, id_) == "ended"


@pytest.mark.parametrize("ending", ["step", "completing"])
async def test_effects_of_a_job_that_was_to_be_cancelled_are_not_there(
    desk: Desk, ending: str
) -> None:
    tenant = await desk.factory.tenant()

    async def do(notes: Notes, attempt: Attempt) -> None:
        await wait(notes, attempt)
        opened: Any = getattr(attempt, ending)()
        try:
            async with opened as uow:
                await tag(uow, attempt, "made")
        except LostError:
            notes.said.append("lost")
            raise

    id_ = await desk.ask(WAITING, tenant)
    async with desk.working(Task(WAITING, do)):
        await desk.begun(1)
        await cancel(desk, id_)
        # Long before the worker hears of it.
        desk.notes.go.set()
        row = await desk.until(id_, "CANCELLED")

    assert desk.notes.said == ["lost"]
    assert row["finished_at"] is not None
    assert await tags(desk) == []


async def test_what_had_succeeded_before_anybody_heard_has_succeeded(desk: Desk) -> None:
    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)):
        await desk.begun(1)
        await cancel(desk, id_)
        desk.notes.go.set()
        row = await desk.until(id_, "SUCCEEDED", "CANCELLED")

    assert row["status"] == "SUCCEEDED"


async def test_a_job_that_was_cancelled_and_asked_for_again_is_done_again(desk: Desk) -> None:
    id_ = await desk.ask(WAITING, once=Once(), turn=1)
    async with desk.working(Task(WAITING, wait)) as runner:
        await desk.begun(1)
        await cancel(desk, id_)
        again = await desk.ask(WAITING, once=Once(), turn=2)
        attempts = await desk.begun(2)
        desk.notes.go.set()
        runner.look(WAITING.priority)
        row = await desk.until(id_, "SUCCEEDED")

    assert again == id_
    assert [attempt.arguments["turn"] for attempt in attempts] == [1, 2]
    assert row["cancel_requested_at"] is None


# Forgotten


async def test_what_ended_long_ago_is_forgotten_and_dead_jobs_later(desk: Desk) -> None:
    ended = {
        (status, days): await desk.ask(PLAIN)
        for status in ("SUCCEEDED", "CANCELLED", "FAILED")
        for days in (9, 11, 29, 31)
    }
    waiting = await desk.ask(PLAIN)
    async with desk.database.transaction() as uow:
        await uow.operate()
        for (status, days), id_ in ended.items():
            await uow.execute(_ENDED, id=id_, status=status, moment=uow.now - timedelta(days=days))

    forgotten = await job.forget(desk.database, now(), kept=timedelta(days=10))

    left = {id_ for (id_,) in await desk.factory.rows("SELECT id FROM job")}
    kept = {("SUCCEEDED", 9), ("CANCELLED", 9), ("FAILED", 9), ("FAILED", 11), ("FAILED", 29)}
    assert left == {ended[each] for each in kept} | {waiting}
    assert forgotten == 7
