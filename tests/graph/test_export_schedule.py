"""Scheduled exports over GraphQL: made, changed, listed and taken away by those who may."""

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from tests.export_schedules import DELETE, LISTED, UPDATE, ask, made, uuid
from tests.factories import Factory

_PLANS = "SELECT cron, time_zone, missed, kind FROM schedule WHERE workspace_id = :workspace"


async def test_a_schedule_is_made_and_planned(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    tag = await factory.tag(tenant, "red")
    analyst = await factory.member(tenant, "ANALYST")
    caller = tenant.owner.on(http)

    schedule = await made(
        caller,
        factory,
        tenant,
        analyst,
        tenant.owner,
        period="WEEK",
        format="PDF",
        hour=6,
        timeZone="Europe/Berlin",
        filter={"tagIds": [tag], "ratingLte": 2, "search": "late"},
    )

    listed = (await caller.ask(LISTED, slug=tenant.slug))["workspace"]["exportSchedules"]
    assert listed == [schedule]
    assert sorted(schedule.pop("userIds")) == sorted([analyst.gid, tenant.owner.gid])
    assert schedule == {
        "id": schedule["id"],
        "name": "Yesterday",
        "format": "PDF",
        "filter": {"tagIds": [tag], "ratingLte": 2, "search": "late"},
        "period": "WEEK",
        "hour": 6,
        "timeZone": "Europe/Berlin",
        "enabled": True,
        "updatedById": tenant.owner.gid,
    }
    assert await factory.rows(_PLANS, workspace=tenant.id) == [
        ("0 6 * * 1", "Europe/Berlin", "ONCE", "scheduled_export")
    ]


async def test_what_is_changed_is_planned_anew_and_the_rest_stays(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    admin = await factory.member(tenant, "ADMIN")
    before = await made(tenant.owner.on(http), factory, tenant, filter={"ratingLte": 2})

    changes = {"exportScheduleId": before["id"], "period": "MONTH", "hour": 23}
    answer = (await admin.on(http).ask(UPDATE, input=changes))["result"]

    assert answer["exportSchedule"] == before | {
        "period": "MONTH",
        "hour": 23,
        "updatedById": admin.gid,
    }
    assert await factory.rows(_PLANS, workspace=tenant.id) == [
        ("0 23 1 * *", "UTC", "ONCE", "scheduled_export")
    ]


async def test_what_is_paused_is_resumed_as_it_was(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    before = await made(caller, factory, tenant, filter={"ratingLte": 2})
    plans = "SELECT enabled, last_run_at FROM schedule"
    run_at = datetime(2026, 6, 15, 7, tzinfo=UTC)
    await factory.change("UPDATE schedule SET last_run_at = :at", within=tenant, at=run_at)

    async def turned(enabled: bool) -> Any:
        given = {"exportScheduleId": before["id"], "enabled": enabled}
        return (await caller.ask(UPDATE, input=given))["result"]["exportSchedule"]

    paused, paused_plan = await turned(False), await factory.rows(plans)
    resumed, resumed_plan = await turned(True), await factory.rows(plans)

    assert (paused, resumed) == (before | {"enabled": False}, before)
    assert (paused_plan, resumed_plan) == ([(False, run_at)], [(True, run_at)])
    changes = (
        "SELECT before, after FROM audit_entry WHERE action = 'export_schedule.updated' ORDER BY at"
    )
    assert [tuple(map(orjson.loads, row)) for row in await factory.rows(changes)] == [
        ({"enabled": True}, {"enabled": False}),
        ({"enabled": False}, {"enabled": True}),
    ]


async def test_one_may_be_paused_from_the_beginning(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    schedule = await made(tenant.owner.on(http), factory, tenant, enabled=False)

    assert schedule["enabled"] is False
    assert await factory.rows("SELECT enabled FROM schedule") == [(False,)]


async def test_what_is_of_a_tag_that_is_gone_can_still_be_paused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    tag = await factory.tag(tenant, "gone")
    schedule = await made(caller, factory, tenant, filter={"tagIds": [tag]})
    await factory.change("DELETE FROM tag WHERE name = 'gone'", within=tenant)

    given = {"exportScheduleId": schedule["id"], "enabled": False}
    answer = (await caller.ask(UPDATE, input=given))["result"]

    assert answer["exportSchedule"] == schedule | {"enabled": False}


async def test_what_is_taken_away_is_planned_no_more(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    schedule = await made(caller, factory, tenant)
    kept = await made(caller, factory, tenant, name="Kept")

    answer = (await caller.ask(DELETE, id=schedule["id"]))["result"]
    again = (await caller.ask(DELETE, id=schedule["id"]))["result"]

    assert answer["exportScheduleId"] == schedule["id"]
    assert again["__typename"] == "NotFound"
    assert await factory.rows("SELECT id FROM export_schedule") == [(uuid(kept),)]
    assert await factory.rows("SELECT name FROM schedule") == [(f"export {uuid(kept).hex}",)]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "two\nlines"}, ["name"]),
        ({"hour": 24}, ["hour"]),
        ({"timeZone": "Mars/Olympus"}, ["timeZone"]),
        ({"memberIds": []}, ["memberIds"]),
        ({"filter": {"occurredAfter": "2026-01-01T00:00:00Z"}}, ["filter"]),
    ],
)
async def test_what_makes_no_sense_is_refused(
    factory: Factory, http: httpx.AsyncClient, given: dict[str, Any], path: list[str]
) -> None:
    tenant = await factory.tenant()

    answer = await ask(tenant.owner.on(http), factory, tenant, **given)

    assert [field["path"] for field in answer["fields"]] == [path]
    assert await factory.rows("SELECT 1 FROM export_schedule") == []


async def test_only_members_who_may_export_are_sent_any(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    caller = tenant.owner.on(http)

    of_viewer = [await factory.membership(tenant, viewer)]
    of_stranger = [await factory.membership(other, other.owner)]
    lowly = await ask(caller, factory, tenant, memberIds=of_viewer)
    strange = await ask(caller, factory, tenant, memberIds=of_stranger)

    assert [field["path"] for field in lowly["fields"]] == [["memberIds"]]
    assert strange["__typename"] == "NotFound"
    assert await factory.rows("SELECT 1 FROM export_schedule") == []


async def test_an_analyst_neither_makes_nor_sees_any(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    analyst = (await factory.member(tenant, "ANALYST")).on(http)
    schedule = await made(tenant.owner.on(http), factory, tenant)

    asked = await ask(analyst, factory, tenant)
    change = {"exportScheduleId": schedule["id"], "hour": 1, "enabled": False}
    changed = await analyst.ask(UPDATE, input=change)
    gone = await analyst.ask(DELETE, id=schedule["id"])
    listed = await analyst.ask(LISTED, slug=tenant.slug)

    answers = [asked, changed["result"], gone["result"]]
    assert [answer["__typename"] for answer in answers] == ["Forbidden"] * 3
    assert listed["workspace"]["exportSchedules"] == []
    assert await factory.rows("SELECT hour, enabled FROM export_schedule") == [(7, True)]
