"""Whose turn it is: tenants, priorities, times, and what is done once however often it is asked for."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

from app.stores import now
from domain.job import Kind, Once, Priority
from jobs.attempt import Attempt
from jobs.runner import Task
from persistence import job as store
from tests.factories import Tenant
from tests.jobs.runners import Desk, Notes, gid, note, until, wait

WAITING = Kind("waiting")
PLAIN = Kind("plain")
URGENT = Kind("urgent", priority=Priority.HIGH)
BULK = Kind("bulk", priority=Priority.BULK)
FEW = {Priority.HIGH: 2, Priority.NORMAL: 8, Priority.BULK: 2}
_BACKLOG = """
    INSERT INTO job (id, workspace_id, kind, arguments, status, attempts, created_at, run_at)
    SELECT gen_random_uuid(), :workspace, :kind, '{}', 'QUEUED', 0, now(), now() - interval '1 day'
    FROM generate_series(1, :number)
"""


async def backlog(desk: Desk, tenant: Tenant, kind: Kind, number: int) -> None:
    """So many jobs, asked for a day ago."""
    await desk.factory.change(
        _BACKLOG, within=tenant, workspace=tenant.id, kind=kind.name, number=number
    )


# Tenants


async def test_a_tenants_backlog_does_not_hold_up_another(desk: Desk) -> None:
    many, few = await desk.factory.tenant(), await desk.factory.tenant()
    await backlog(desk, many, PLAIN, 20_000)
    asked = [await desk.ask(PLAIN, few) for _ in range(3)]

    async with desk.working(Task(PLAIN, note), places=FEW):
        for id_ in asked:
            await desk.until(id_, "SUCCEEDED")
        of_many = sum(attempt.workspace_id == many.id for attempt in list(desk.notes.begun))

    # The three were in the first round.
    places = [attempt.id for attempt in desk.notes.begun[:8]]
    assert set(asked) <= set(places)
    assert of_many < 20_000


async def test_tenants_take_turns(desk: Desk) -> None:
    tenants = [await desk.factory.tenant() for _ in range(3)]
    for tenant in tenants:
        await backlog(desk, tenant, WAITING, 30)

    rows = await desk.claim(WAITING)

    assert sorted(Counter(row.workspace_id for row in rows).values()) == [21, 21, 22]


async def test_who_has_most_places_does_not_get_the_last(desk: Desk) -> None:
    many, other = await desk.factory.tenant(), await desk.factory.tenant()
    await backlog(desk, many, WAITING, 20)
    async with desk.working(Task(WAITING, wait), Task(PLAIN, note), places=FEW) as runner:
        await desk.begun(6)
        id_ = await desk.ask(PLAIN, other)
        runner.look(Priority.NORMAL)
        await desk.until(id_, "SUCCEEDED")
        begun = Counter(attempt.workspace_id for attempt in desk.notes.begun)

    assert begun == {many.id: 6, other.id: 1}


async def test_who_has_the_fewest_running_is_next(desk: Desk) -> None:
    busy, other = await desk.factory.tenant(), await desk.factory.tenant()
    await backlog(desk, busy, WAITING, 5)
    await desk.claim(WAITING)
    await backlog(desk, busy, WAITING, 3)
    asked = [await desk.ask(WAITING, other) for _ in range(3)]

    rows = await claimed(desk, 3)

    assert rows == asked


async def claimed(desk: Desk, number: int) -> list[UUID]:
    async with desk.database.transaction() as uow:
        (worker, *_) = await desk.workers()
        rows = await store.claim(
            uow, worker, priority="NORMAL", kinds=["waiting"], free=number, most_of_one=48
        )
    return [row.id for row in rows]


async def test_two_workers_never_claim_the_same(desk: Desk) -> None:
    tenants = [await desk.factory.tenant() for _ in range(3)]
    for tenant in tenants:
        await backlog(desk, tenant, WAITING, 100)

    found = await asyncio.gather(*(desk.claim(WAITING) for _ in range(6)))

    ids = [row.id for rows in found for row in rows]
    assert len(ids) == len(set(ids)) == 300


# Priorities and times


async def test_each_priority_has_places_of_its_own(desk: Desk) -> None:
    tenants = [await desk.factory.tenant() for _ in range(2)]
    for tenant in tenants:
        await backlog(desk, tenant, WAITING, 50)
    async with desk.working(
        Task(WAITING, wait), Task(URGENT, note), Task(BULK, note), places=FEW
    ) as runner:
        await desk.begun(8)
        asked = [await desk.ask(URGENT), await desk.ask(BULK)]
        runner.look(Priority.HIGH)
        runner.look(Priority.BULK)
        for id_ in asked:
            await desk.until(id_, "SUCCEEDED")

        assert len(desk.notes.begun) == 8 + 2


async def test_what_is_for_later_waits(desk: Desk) -> None:
    later = await desk.ask(PLAIN, at=now() + timedelta(hours=1))
    soon = await desk.ask(PLAIN, at=now() + timedelta(milliseconds=300))
    async with desk.working(Task(PLAIN, note)):
        row = await desk.until(soon, "SUCCEEDED")

    assert row["started_at"] >= row["run_at"]
    assert (await desk.row(later))["status"] == "QUEUED"


async def test_the_earliest_is_first(desk: Desk) -> None:
    moment = now()
    asked = [await desk.ask(PLAIN, at=moment - timedelta(minutes=n)) for n in (1, 3, 2)]

    rows = await desk.claim(PLAIN)

    assert [row.id for row in rows] == [asked[1], asked[2], asked[0]]


# Once


async def test_what_waits_is_not_asked_for_twice_and_gets_the_new_arguments(desk: Desk) -> None:
    tenant, other = await desk.factory.tenant(), await desk.factory.tenant()
    first = await desk.ask(PLAIN, tenant, once=Once("a"), turn=1)
    again = await desk.ask(PLAIN, tenant, once=Once("a"), turn=2)
    others = [
        await desk.ask(PLAIN, tenant, once=Once("b"), turn=3),
        await desk.ask(PLAIN, other, once=Once("a"), turn=4),
        await desk.ask(WAITING, tenant, once=Once("a"), turn=5),
        await desk.ask(PLAIN, once=Once("a"), turn=6),
    ]
    async with desk.working(Task(PLAIN, note), Task(WAITING, note)):
        for id_ in (first, *others):
            await desk.until(id_, "SUCCEEDED")

    assert again == first
    assert sorted(attempt.arguments["turn"] for attempt in desk.notes.begun) == [2, 3, 4, 5, 6]


async def test_many_who_ask_at_once_ask_for_one(desk: Desk) -> None:
    tenant = await desk.factory.tenant()

    asked = await asyncio.gather(
        *(desk.ask(PLAIN, tenant, once=Once("a"), turn=n) for n in range(20))
    )

    assert len(set(asked)) == 1
    assert len(await desk.factory.rows("SELECT id FROM job")) == 1


async def test_what_runs_is_done_again_afterwards_with_the_new_arguments(desk: Desk) -> None:
    async def do(notes: Notes, attempt: Attempt) -> None:
        notes.said.append(f"{attempt.arguments['turn']} {dict(attempt.state)}")
        await attempt.report(0.5, {"of": attempt.arguments["turn"]})
        await wait(notes, attempt)

    first = await desk.ask(WAITING, once=Once("a"), turn=1)
    async with desk.working(Task(WAITING, do)) as runner:
        await desk.begun(1)
        again = [await desk.ask(WAITING, once=Once("a"), turn=turn) for turn in (2, 3)]
        meanwhile = await desk.row(first)
        desk.notes.go.set()
        await desk.begun(2)
        row = await desk.until(first, "SUCCEEDED")
        runner.look(WAITING.priority)

    assert again == [first, first]
    assert (meanwhile["status"], meanwhile["again"]) == ("RUNNING", True)
    assert desk.notes.said == ["1 {}", "3 {}"]
    assert (row["attempts"], row["again"]) == (2, False)


async def test_what_has_ended_may_be_asked_for_anew(desk: Desk) -> None:
    first = await desk.ask(PLAIN, once=Once("a"))
    async with desk.working(Task(PLAIN, note)):
        await desk.until(first, "SUCCEEDED")

    assert await desk.ask(PLAIN, once=Once("a")) != first


async def test_the_earlier_time_counts_without_patience(desk: Desk) -> None:
    start = now()
    times = [start + timedelta(minutes=minutes) for minutes in (10, 20, 5)]

    asked = [await desk.ask(PLAIN, once=Once("a"), at=time) for time in times]

    assert len(set(asked)) == 1
    assert (await desk.row(asked[0]))["run_at"] == times[2]


async def test_with_patience_each_one_who_asks_moves_the_time_on_but_not_for_ever(
    desk: Desk,
) -> None:
    once = Once("a", patience=timedelta(minutes=15))
    first = await desk.ask(PLAIN, once=once, at=now() + timedelta(minutes=10))
    created = (await desk.row(first))["created_at"]

    moved = []
    for minutes in (12, 5, 14, 20):
        await desk.ask(PLAIN, once=once, at=created + timedelta(minutes=minutes))
        moved.append((await desk.row(first))["run_at"] - created)

    assert moved == [timedelta(minutes=minutes) for minutes in (12, 12, 14, 15)]


async def test_of_dead_jobs_of_one_key_the_newest_is_queued_again(desk: Desk) -> None:
    asked = []
    for _ in range(3):
        asked.append(await desk.ask(PLAIN, once=Once("a")))
        await desk.factory.change("UPDATE job SET status = 'FAILED', finished_at = now()")

    async def requeue() -> list[str]:
        async with desk.database.transaction() as uow:
            await uow.operate()
            return [gid(row.id) for row in await store.requeue(uow, asked, ("FAILED",))]

    assert await requeue() == [gid(asked[2])]
    assert await requeue() == []


async def test_a_backlog_is_done(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    await backlog(desk, tenant, PLAIN, 500)
    async with desk.working(Task(PLAIN, note), places=FEW):
        await until(lambda: len(desk.notes.begun) == 500)

    assert len({attempt.id for attempt in desk.notes.begun}) == 500
