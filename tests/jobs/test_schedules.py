"""Schedules in the store: each run is asked for once, whoever looks, and plans are kept as this version has them."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from app.stores import now
from domain import housekeeping, schedule
from domain.job import Kind
from domain.schedule import Cron, Every, Missed, Plan
from jobs import duties
from persistence.database import Record, Statement
from tests.factories import Tenant
from tests.jobs.runners import Desk

TICK = Kind("tick")
KINDS = {"tick": TICK}
MINUTELY = Every(60)
TICKING = Plan("tick", TICK, MINUTELY)
_DUE: Statement[Record] = Statement(
    text("UPDATE schedule SET next_run_at = :moment ::timestamptz"), Record
)


async def put(desk: Desk, plan: Plan, tenant: Tenant | None = None) -> schedule.Schedule:
    async with desk.database.transaction() as uow:
        if tenant is not None:
            await uow.enter(tenant.id)
        return await schedule.put(uow, plan, workspace=None if tenant is None else tenant.id)


async def overdue(desk: Desk, by: timedelta) -> datetime:
    """All schedules were due so long ago; answers when."""
    moment = now() - by
    async with desk.database.transaction() as uow:
        await uow.operate()
        await uow.execute(_DUE, moment=moment)
    return moment


async def asked(desk: Desk) -> list[tuple[Any, ...]]:
    rows = await desk.factory.rows(
        "SELECT workspace_id, kind, arguments, key FROM job ORDER BY arguments ->> 'scheduled_for'"
    )
    return [
        (workspace, kind, orjson.loads(arguments), key) for workspace, kind, arguments, key in rows
    ]


async def test_what_is_due_is_asked_for_with_the_time_that_was_meant(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    plan = Plan("tick", TICK, MINUTELY, Missed.EVERY, {"of": "tests"})
    row = await put(desk, plan, tenant)
    due = await overdue(desk, timedelta(seconds=90))

    number = await schedule.run_due(desk.database, now(), KINDS)
    again = await schedule.run_due(desk.database, now(), KINDS)

    times = [due, due + timedelta(seconds=60)]
    assert (number, again) == (2, 0)
    assert await asked(desk) == [
        (tenant.id, "tick", {"of": "tests", "scheduled_for": time.isoformat()}, None)
        for time in times
    ]
    ((last, following, last_job),) = await desk.factory.rows(
        "SELECT last_run_at, next_run_at, last_job_id FROM schedule WHERE id = :id", id=row.id
    )
    assert (last, following) == (times[1], times[1] + timedelta(seconds=60))
    ((newest,),) = await desk.factory.rows("SELECT max(id::text)::uuid FROM job")
    assert last_job == newest


async def test_what_is_not_due_is_not_asked_for(desk: Desk) -> None:
    await put(desk, Plan("tick", TICK, MINUTELY))

    assert await schedule.run_due(desk.database, now(), KINDS) == 0
    assert await asked(desk) == []


async def test_many_who_look_at_once_ask_once(desk: Desk) -> None:
    for number in range(5):
        await put(desk, Plan(f"tick {number}", TICK, MINUTELY, Missed.EVERY))
    await overdue(desk, timedelta(seconds=150))

    numbers = await asyncio.gather(
        *(schedule.run_due(desk.database, now(), KINDS) for _ in range(4))
    )

    assert sum(numbers) == 15
    assert len(await asked(desk)) == 15


async def test_what_still_runs_is_not_begun_beside_itself(desk: Desk) -> None:
    await put(desk, Plan("tick", TICK, MINUTELY, Missed.ONCE))
    for _ in range(2):
        await overdue(desk, timedelta(seconds=1))
        await schedule.run_due(desk.database, now(), KINDS)

    assert len(await asked(desk)) == 1


async def test_what_was_skipped_leaves_no_job(desk: Desk) -> None:
    await put(desk, Plan("tick", TICK, Every(3600), Missed.SKIP))
    due = await overdue(desk, timedelta(minutes=90))

    number = await schedule.run_due(desk.database, now(), KINDS)

    assert (number, await asked(desk)) == (0, [])
    assert await desk.factory.rows("SELECT last_run_at, next_run_at FROM schedule") == [
        (None, due + timedelta(hours=2))
    ]


async def test_a_kind_that_nobody_knows_waits(desk: Desk) -> None:
    await put(desk, Plan("tick", TICK, MINUTELY))
    due = await overdue(desk, timedelta(seconds=5))

    assert await schedule.run_due(desk.database, now(), {}) == 0
    assert await desk.factory.rows("SELECT next_run_at FROM schedule") == [(due,)]


async def test_the_instance_has_the_schedules_of_this_version(desk: Desk) -> None:
    tenant = await desk.factory.tenant()
    await put(desk, Plan("theirs", TICK, MINUTELY), tenant)
    for plans in (
        [Plan("old", TICK, MINUTELY), Plan("kept", TICK, MINUTELY), Plan("moved", TICK, MINUTELY)],
        [Plan("kept", Kind("tock"), MINUTELY), Plan("moved", TICK, Cron("0 9 * * *"))],
    ):
        async with desk.database.transaction() as uow:
            await uow.operate()
            await schedule.keep(uow, plans)
        due = await overdue(desk, timedelta(seconds=5))

    rows = await desk.factory.rows(
        "SELECT name, kind, every_seconds, cron, next_run_at FROM schedule ORDER BY name"
    )
    assert rows == [
        ("kept", "tock", 60, None, due),
        ("moved", "tick", None, "0 9 * * *", due),
        ("theirs", "tick", 60, None, due),
    ]


async def test_a_rhythm_that_changes_begins_anew_and_one_that_stays_goes_on(desk: Desk) -> None:
    await put(desk, Plan("tick", TICK, MINUTELY))
    due = await overdue(desk, timedelta(seconds=5))

    same = await put(desk, Plan("tick", TICK, MINUTELY, Missed.SKIP))
    other = await put(desk, Plan("tick", TICK, Every(120)))

    assert (same.next_run_at, same.missed) == (due, "SKIP")
    assert other.id == same.id
    assert other.next_run_at > now() + timedelta(seconds=100)


async def test_what_is_paused_is_not_asked_for_and_makes_up_for_nothing(desk: Desk) -> None:
    paused, going = replace(TICKING, enabled=False), TICKING
    await put(desk, paused)
    due = await overdue(desk, timedelta(hours=2))

    number = await schedule.run_due(desk.database, now(), KINDS)
    still = await put(desk, paused)
    resumed = await put(desk, going)

    assert (number, await asked(desk)) == (0, [])
    assert (still.enabled, still.next_run_at) == (False, due)
    assert resumed.enabled
    assert now() < resumed.next_run_at <= now() + timedelta(seconds=60)


async def test_the_leaders_duty_keeps_the_plans_and_asks_for_what_is_due(desk: Desk) -> None:
    duty = duties.run_schedules(desk.database, KINDS, now)
    tenant = await desk.factory.tenant()
    await put(desk, Plan("tick", TICK, MINUTELY), tenant)
    await overdue(desk, timedelta(seconds=5))

    await duty.do()

    names = {name for (name,) in await desk.factory.rows("SELECT name FROM schedule")}
    assert names == {"tick", *(plan.name for plan in housekeeping.PLANS)}
    assert [kind for _, kind, _, _ in await asked(desk)] == ["tick"]
