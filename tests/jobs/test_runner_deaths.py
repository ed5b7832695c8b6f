"""Workers that drain, die, or are given up while they live: no job is lost, none is done by two."""

import asyncio
from uuid import UUID

from domain.job import MOST_DEATHS, Kind, Once, Priority
from jobs.attempt import Attempt, LostError
from jobs.runner import Task
from persistence import job as store
from persistence import tag as tag_store
from tests.jobs.runners import SECONDS, Desk, Notes, note, until, wait

WAITING = Kind("waiting")
PLAIN = Kind("plain")
BULK = Kind("bulk", priority=Priority.BULK)


# Draining


async def test_who_drains_lets_what_runs_end_and_begins_nothing(desk: Desk) -> None:
    running = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)) as runner:
        await desk.begun(1)
        draining = asyncio.ensure_future(runner.drain(SECONDS))
        late = await desk.ask(WAITING)
        runner.look(WAITING.priority)
        await desk.begun(1)
        desk.notes.go.set()
        await draining

    assert (await desk.row(running))["status"] == "SUCCEEDED"
    assert (await desk.row(late))["status"] == "QUEUED"
    assert await desk.workers() == []


async def test_what_does_not_end_in_time_is_handed_back(desk: Desk) -> None:
    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)) as runner:
        await desk.begun(1)
        await runner.drain(0.05)

    row = await desk.row(id_)
    assert (row["status"], row["failures"], row["deaths"]) == ("QUEUED", 0, 0)
    assert await desk.workers() == []
    desk.notes.go.set()
    async with desk.working(Task(WAITING, wait)):
        await desk.until(id_, "SUCCEEDED")


async def test_who_drains_while_claiming_leaves_nothing_behind(desk: Desk) -> None:
    asked = [await desk.ask(PLAIN) for _ in range(200)]
    async with desk.working(Task(PLAIN, note)) as runner:
        await desk.begun(1)
        await runner.drain(SECONDS)

    rows = [await desk.row(id_) for id_ in asked]
    assert {row["status"] for row in rows} <= {"QUEUED", "SUCCEEDED"}
    assert sum(row["status"] == "SUCCEEDED" for row in rows) == len(desk.notes.begun)


# Dying


async def test_a_dead_workers_job_is_anothers(desk: Desk) -> None:
    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)):
        await desk.begun(1)

    taken = await desk.die()
    after = await desk.row(id_)
    desk.notes.go.set()
    async with desk.working(Task(WAITING, wait)):
        row = await desk.until(id_, "SUCCEEDED")

    assert taken == [(id_, "QUEUED")]
    assert (after["deaths"], after["failures"], after["error"]) == (1, 0, "the worker died")
    assert (row["attempts"], row["deaths"], row["error"]) == (2, 0, None)


async def test_what_a_dead_worker_left_is_what_the_next_one_finds(desk: Desk) -> None:
    async def do(notes: Notes, attempt: Attempt) -> None:
        notes.said.append(str(attempt.state.get("done")))
        await attempt.report(0.5, {"done": attempt.number})
        await wait(notes, attempt)

    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, do)):
        await desk.begun(1)
    await desk.die()
    desk.notes.go.set()
    async with desk.working(Task(WAITING, do)):
        await desk.until(id_, "SUCCEEDED")

    assert desk.notes.said == ["None", "1"]


async def test_a_worker_that_was_seen_lately_keeps_its_jobs(desk: Desk) -> None:
    await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)):
        await desk.begun(1)
        async with desk.database.transaction() as uow:
            taken = await store.take_back(uow, silence=10)

    assert taken == []


async def test_a_worker_that_was_given_up_cannot_write_and_begins_anew(desk: Desk) -> None:
    tenant = await desk.factory.tenant()

    async def do(notes: Notes, attempt: Attempt) -> None:
        notes.begun.append(attempt)
        try:
            await notes.go.wait()
        except asyncio.CancelledError:
            notes.said.append("cancelled")
            try:
                async with attempt.completing() as uow:
                    await tag_store.add(uow, workspace=tenant.id, name="made", color="#112233")
            except LostError:
                notes.said.append("lost")
            raise

    id_ = await desk.ask(WAITING, tenant)
    async with desk.working(Task(WAITING, do)):
        await desk.begun(1)
        (before,) = await desk.workers()
        await desk.die()
        # It hears of it with its next pulse, and does its job again under another name.
        first, second = await desk.begun(2)
        (after,) = await desk.workers()
        desk.notes.go.set()
        row = await desk.until(id_, "SUCCEEDED")

    assert desk.notes.said == ["cancelled", "lost"]
    assert before != after
    assert (first.number, second.number, row["attempts"]) == (1, 2, 2)
    assert await desk.factory.rows("SELECT name FROM tag") == []


async def test_what_a_given_up_worker_ends_is_not_recorded(desk: Desk) -> None:
    id_ = await desk.ask(WAITING)
    async with desk.working(Task(WAITING, wait)):
        await desk.begun(1)
        await desk.die()
        (again,) = await desk.claim(WAITING)
        desk.notes.go.set()
        async with asyncio.timeout(SECONDS):
            while len(await desk.workers()) < 2:
                await asyncio.sleep(0.01)

    row = await desk.row(id_)
    assert again.id == id_
    assert (row["status"], row["attempts"], row["finished_at"]) == ("RUNNING", 2, None)


async def test_a_claim_whose_answer_was_lost_is_handed_back(desk: Desk) -> None:
    async with desk.working(Task(PLAIN, note)) as runner:
        async with asyncio.timeout(SECONDS):
            while not (workers := await desk.workers()):
                await asyncio.sleep(0.01)
        # As Postgres has it when the connection breaks after the commit.
        async with desk.database.transaction() as uow:
            await uow.operate()
            row = await store.add(uow, workspace=None, kind="plain", arguments="{}")
            await store.claim(
                uow, workers[0], priority="NORMAL", kinds=["plain"], free=1, most_of_one=1
            )
        runner.look(PLAIN.priority)
        ended = await desk.until(row.id, "SUCCEEDED")

    assert (ended["attempts"], ended["deaths"]) == (2, 0)
    assert [attempt.number for attempt in desk.notes.begun] == [2]


async def test_who_is_not_enlisted_claims_nothing(desk: Desk) -> None:
    await desk.ask(PLAIN)
    async with desk.database.transaction() as uow:
        rows = await store.claim(
            uow, UUID(int=1), priority="NORMAL", kinds=["plain"], free=1, most_of_one=1
        )

    assert rows == []


async def test_a_job_that_was_to_be_cancelled_when_its_worker_died_is_cancelled(
    desk: Desk,
) -> None:
    id_ = await desk.ask(PLAIN)
    await desk.claim(PLAIN)
    async with desk.database.transaction() as uow:
        await uow.operate()
        await store.cancel(uow, id_)

    assert await desk.die() == [(id_, "CANCELLED")]


async def test_what_was_asked_for_again_when_its_worker_died_begins_as_new(desk: Desk) -> None:
    id_ = await desk.ask(PLAIN, once=Once(), turn=1)
    await desk.claim(PLAIN)
    await desk.ask(PLAIN, once=Once(), turn=2)
    taken = await desk.die()
    async with desk.working(Task(PLAIN, note)):
        row = await desk.until(id_, "SUCCEEDED")

    assert taken == [(id_, "QUEUED")]
    assert [attempt.arguments["turn"] for attempt in desk.notes.begun] == [2]
    assert (row["attempts"], row["again"]) == (2, False)


# What kills


async def kill(desk: Desk) -> tuple[UUID, str]:
    """A worker takes the job, alone if it must, and dies."""
    claimed = await desk.claim(PLAIN)
    (worker,) = await desk.workers()
    async with desk.database.transaction() as uow:
        suspect = await store.claim_suspect(uow, worker, kinds=["plain"])
    assert len(claimed) + (suspect is not None) == 1
    (taken,) = await desk.die()
    return taken


async def test_what_kills_three_workers_is_quarantined(desk: Desk) -> None:
    id_ = await desk.ask(PLAIN)

    statuses = [(await kill(desk))[1] for _ in range(MOST_DEATHS)]

    row = await desk.row(id_)
    assert statuses == ["QUEUED", "QUEUED", "FAILED"]
    assert (row["deaths"], row["failures"], row["attempts"]) == (3, 0, 3)
    assert row["error"] == (
        "3 workers died while they did this; requeue it when the cause is mended"
    )
    assert row["finished_at"] is not None


async def test_an_attempt_that_only_fails_is_not_suspected(desk: Desk) -> None:
    id_ = await desk.ask(PLAIN)
    await kill(desk)
    (row,) = await desk.claim(PLAIN)
    (worker,) = await desk.workers()
    async with desk.database.transaction() as uow:
        await uow.operate()
        end = store.End(row.id, row.attempts, "QUEUED", run_at=uow.now, error="no", failed=True)
        await store.end(uow, worker, [end])

    assert (await desk.row(id_))["deaths"] == 0


async def test_what_may_kill_runs_alone(desk: Desk) -> None:
    running = await desk.ask(WAITING)
    suspect = await desk.ask(PLAIN)
    await desk.factory.change("UPDATE job SET deaths = 2 WHERE id = :id", id=suspect)
    go = asyncio.Event()

    async def dare(notes: Notes, attempt: Attempt) -> None:
        notes.said.append("suspect begins")
        await go.wait()
        notes.said.append("suspect ends")

    async def say(notes: Notes, _: Attempt) -> None:
        notes.said.append("other")

    async with desk.working(Task(WAITING, wait), Task(PLAIN, dare), Task(BULK, say)) as runner:
        await desk.begun(1)
        held_up = (await desk.row(suspect))["status"]
        desk.notes.go.set()
        await desk.until(running, "SUCCEEDED")
        await until(lambda: desk.notes.said == ["suspect begins"])
        other = await desk.ask(BULK)
        runner.look(BULK.priority)
        late = await desk.ask(WAITING)
        runner.look(WAITING.priority)
        # So long that pulses have passed, and the others would have been begun.
        seen = await _seen_twice(desk)
        go.set()
        for id_ in (suspect, other, late):
            await desk.until(id_, "SUCCEEDED")

    assert held_up == "QUEUED"
    assert seen == ["suspect begins"]
    assert desk.notes.said == ["suspect begins", "suspect ends", "other"]


async def _seen_twice(desk: Desk) -> list[str]:
    """What was said by the time when the worker has said twice more that it lives."""
    for _ in range(2):
        ((before,),) = await desk.factory.rows("SELECT seen_at FROM worker")
        async with asyncio.timeout(SECONDS):
            while (await desk.factory.rows("SELECT seen_at FROM worker")) == [(before,)]:
                await asyncio.sleep(0.02)
    return list(desk.notes.said)


async def test_a_quarantined_job_that_is_queued_again_is_trusted(desk: Desk) -> None:
    id_ = await desk.ask(PLAIN, at=None)
    for _ in range(MOST_DEATHS):
        await kill(desk)
    async with desk.database.transaction() as uow:
        await uow.operate()
        await store.requeue(uow, [id_], ("FAILED",))
    async with desk.working(Task(PLAIN, note)):
        row = await desk.until(id_, "SUCCEEDED")

    assert (row["deaths"], row["attempts"]) == (0, 4)
