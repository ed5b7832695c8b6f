"""Attempts that fail, take too long, or come too early: when they are made again, and what is said of them."""

import asyncio
from datetime import timedelta

import pytest

from app.stores import now
from domain.errors import ForbiddenError, RateLimitedError
from domain.job import Kind, Priority
from jobs.attempt import Attempt, FailedError, HopelessError, PostponedError
from jobs.runner import Runner, Task
from persistence import job as store
from tests.jobs.runners import SECONDS, Desk, Notes, note

FLAKY = Kind("flaky", first_pause=timedelta(minutes=10), longest_pause=timedelta(hours=1))
LAST = Kind("last", most_failures=1)


async def fail(notes: Notes, attempt: Attempt) -> None:
    notes.begun.append(attempt)
    raise FailedError(f"no luck, {attempt.number}")


async def refuse(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    raise HopelessError("there is nobody of that name")


async def forbid(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    raise ForbiddenError("You may not.")


async def err(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    raise ValueError("a secret of the customer's")


async def loiter(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    await asyncio.Event().wait()


async def be_early(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    raise PostponedError(timedelta(minutes=5))


async def be_limited(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    raise RateLimitedError(300)


async def give_up_a_part(notes: Notes, attempt: Attempt) -> None:
    await note(notes, attempt)
    part = asyncio.ensure_future(asyncio.Event().wait())
    part.cancel()
    await part


async def hushed(desk: Desk, runner: Runner[Notes], attempts: int) -> None:
    """Until so many attempts were begun, with whoever waits due at once."""
    async with asyncio.timeout(SECONDS):
        while len(desk.notes.begun) < attempts:
            await desk.factory.change(
                "UPDATE job SET run_at = now() WHERE status = 'QUEUED' AND run_at > now()"
            )
            runner.look(Priority.NORMAL)
            await asyncio.sleep(0.01)


async def test_a_failed_attempt_is_made_again_later_and_each_time_later(desk: Desk) -> None:
    id_ = await desk.ask(FLAKY)
    # Twice as long each time, an hour at most, and up to half of that less by chance.
    longest = [timedelta(minutes=minutes) for minutes in (10, 20, 40, 60)]
    async with desk.working(Task(FLAKY, fail)) as runner:
        for number, most in enumerate(longest, start=1):
            before = now()
            await hushed(desk, runner, number)
            row = await desk.until(id_, "QUEUED")
            assert before + most / 2 <= row["run_at"] <= now() + most
    assert (row["attempts"], row["failures"], row["error"]) == (4, 4, "no luck, 4")
    assert row["finished_at"] is None


async def test_after_so_many_failures_it_is_dead(desk: Desk) -> None:
    kind = Kind("twice", most_failures=2, first_pause=timedelta(0))
    id_ = await desk.ask(kind)
    async with desk.working(Task(kind, fail)) as runner:
        await hushed(desk, runner, 2)
        row = await desk.until(id_, "FAILED")

    assert (row["attempts"], row["failures"], row["error"]) == (2, 2, "no luck, 2")
    assert row["finished_at"] is not None


@pytest.mark.parametrize(
    ("do", "error"),
    [(refuse, "there is nobody of that name"), (forbid, "You may not.")],
)
async def test_what_would_not_help_is_not_tried_again(desk: Desk, do: object, error: str) -> None:
    id_ = await desk.ask(FLAKY)
    async with desk.working(Task(FLAKY, do)):  # type: ignore[arg-type]  # each is a task
        row = await desk.until(id_, "FAILED")

    assert (row["attempts"], row["failures"], row["error"]) == (1, 1, error)


async def test_a_mistake_is_tried_again_and_its_message_is_not_told(desk: Desk) -> None:
    id_ = await desk.ask(FLAKY)
    async with desk.working(Task(FLAKY, err)):
        await desk.begun(1)
        row = await desk.until(id_, "QUEUED")

    assert row["error"] == "unexpected error (ValueError); the worker's log has more"
    assert row["failures"] == 1


async def test_an_attempt_that_gives_up_a_part_of_itself_has_failed(desk: Desk) -> None:
    id_ = await desk.ask(LAST)
    async with desk.working(Task(LAST, give_up_a_part)):
        row = await desk.until(id_, "FAILED")

    assert row["error"] == (
        "unexpected error (CancelledFromWithinError); the worker's log has more"
    )


async def test_what_takes_too_long_has_failed(desk: Desk) -> None:
    kind = Kind("slow", timeout=timedelta(milliseconds=50), most_failures=1)
    id_ = await desk.ask(kind)
    async with desk.working(Task(kind, loiter)):
        row = await desk.until(id_, "FAILED")

    assert row["error"] == "took longer than 0.05 seconds"


@pytest.mark.parametrize("do", [be_early, be_limited])
async def test_to_be_too_early_is_no_failure(desk: Desk, do: object) -> None:
    id_ = await desk.ask(LAST)
    async with desk.working(Task(LAST, do)) as runner:  # type: ignore[arg-type]  # each is a task
        await hushed(desk, runner, 3)
        row = await desk.until(id_, "QUEUED")

    assert (row["failures"], row["error"]) == (0, None)
    assert timedelta(minutes=4) < row["run_at"] - now() <= timedelta(minutes=5)


async def test_a_dead_job_that_is_queued_again_begins_as_new(desk: Desk) -> None:
    id_ = await desk.ask(LAST)
    async with desk.working(Task(LAST, fail)):
        await desk.until(id_, "FAILED")

    async with desk.database.transaction() as uow:
        await uow.operate()
        (again,) = await store.requeue(uow, [id_], ("FAILED",))
    async with desk.working(Task(LAST, note)):
        row = await desk.until(id_, "SUCCEEDED")

    assert (again.status, again.failures, again.finished_at) == ("QUEUED", 0, None)
    assert [(a.number, a.failures) for a in desk.notes.begun] == [(1, 0), (2, 0)]
    assert row["finished_at"] is not None
