"""Alerts live: as they fire and are resolved, and after a reconnect what was missed."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.main import Application
from app.resources import Api
from app.stores import now
from domain import events
from domain.alert import Definition, Kind
from graph.live.cursor import Cursor
from persistence.feedback import Filter
from tests.alerting import Alerting
from tests.factories import Factory, Tenant
from tests.graph.alert_queries import RAISED
from tests.graph.watching import NOWHERE, SECONDS, World, connected
from tests.working import Worker

COUNT = Definition(Kind.COUNT, threshold=1, cool_down_minutes=0)


@dataclass(frozen=True, slots=True)
class Raising:
    """A workspace whose rule fires and is over whenever a test says so."""

    alerting: Alerting
    factory: Factory
    tenant: Tenant

    async def fire(self) -> None:
        await self.factory.feedback(self.tenant, "late", occurred_at=now() - timedelta(seconds=1))
        assert await self.alerting.check(self.tenant, now()) == 1

    async def resolve(self) -> None:
        assert await self.alerting.check(self.tenant, now() + timedelta(hours=2)) == 1
        await self.factory.change("DELETE FROM feedback", within=self.tenant)


@pytest.fixture
async def raising(world: World, alerting: Alerting, factory: Factory) -> Raising:
    await alerting.rule(world.tenant, COUNT, name="Any")
    return Raising(alerting, factory, world.tenant)


@pytest.fixture
async def start(world: World, api: Api) -> str:
    head = await api.bus.head(events.topic(world.tenant.id, events.ALERTS_TOPIC))
    return str(Cursor(head.epoch, head.offset))


def said(item: Any) -> tuple[str, str]:
    assert item["__typename"] == "AlertEvent", item
    return item["type"], item["alert"]["state"]


async def test_an_alert_comes_as_it_fires_and_as_it_is_resolved(
    world: World, raising: Raising, start: str
) -> None:
    await world.socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)

    await raising.fire()
    fired = await world.socket.data()
    await raising.resolve()
    resolved = await world.socket.data()

    assert fired["alert"] == {
        "state": "FIRING",
        "name": "Any",
        "value": 1.0,
        "rule": {"name": "Any"},
        "samples": [{"body": "late"}],
    }
    assert said(fired) == ("FIRED", "FIRING")
    assert said(resolved) == ("RESOLVED", "RESOLVED")
    assert await world.socket.silent()


async def test_what_was_missed_comes_after_a_reconnect_once(
    world: World, raising: Raising, application: Application, start: str
) -> None:
    await world.socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)
    await raising.fire()
    cursor = (await world.socket.data())["cursor"]
    world.socket.wire.leave()
    await raising.resolve()
    await raising.fire()

    async with connected(application, world.tenant.owner) as socket:
        await socket.subscribe(RAISED, workspace=world.tenant.gid, after=cursor)
        missed = [(await socket.data())["type"] for _ in range(2)]
        await raising.resolve()

        assert missed == ["RESOLVED", "FIRED"]
        assert said(await socket.data()) == ("RESOLVED", "RESOLVED")
        assert await socket.silent()


async def test_a_gap_is_told(world: World, raising: Raising) -> None:
    await raising.fire()

    await world.socket.subscribe(
        RAISED, workspace=world.tenant.gid, after=str(Cursor("another life", 3))
    )

    assert (await world.socket.data())["__typename"] == "StreamGap"


async def test_feedback_is_none_of_its_events(world: World, raising: Raising, start: str) -> None:
    await world.socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)

    await world.submit()
    await raising.fire()

    assert said(await world.socket.data()) == ("FIRED", "FIRING")


async def test_alerts_are_their_workspace_s_alone(
    world: World, raising: Raising, factory: Factory, application: Application, start: str
) -> None:
    stranger = await factory.tenant()
    async with connected(application, stranger.owner) as socket:
        await socket.subscribe(RAISED, workspace=world.tenant.gid)
        refused = await socket.error()
        await socket.subscribe(RAISED, workspace=NOWHERE)
        assert await socket.error() == refused == ("NOT_FOUND", "There is no such workspace.")
        await socket.subscribe(RAISED, workspace=stranger.gid)
        await raising.fire()
        assert await socket.silent()

    async with connected(application, None) as socket:
        await socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)
        assert await socket.error() == ("UNAUTHENTICATED", "Sign in first.")


async def test_a_viewer_may_follow(
    world: World, raising: Raising, factory: Factory, application: Application, start: str
) -> None:
    viewer = await factory.member(world.tenant, "VIEWER")

    async with connected(application, viewer) as socket:
        await socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)
        await raising.fire()

        assert said(await socket.data()) == ("FIRED", "FIRING")


async def test_what_is_no_cursor_is_refused(world: World) -> None:
    await world.socket.subscribe(RAISED, workspace=world.tenant.gid, after="nonsense")

    code, _ = await world.socket.error()
    assert code == "INVALID_INPUT"


# The events may come one by one or together.
_BOTH_LOOKED_AT = """
    SELECT 1 FROM job, jsonb_array_elements(arguments->'happened'->'ADDED')
    WHERE kind = 'match_alerts' HAVING count(*) >= 2
"""


async def test_feedback_that_comes_in_is_noticed(
    world: World, alerting: Alerting, factory: Factory, worker: Worker, start: str
) -> None:
    where = Filter(search="refund")
    await alerting.rule(world.tenant, Definition(Kind.MATCH, where), name="Refunds")
    await world.socket.subscribe(RAISED, workspace=world.tenant.gid, after=start)

    await world.submit("It works.")
    await world.submit("I want a refund.")
    async with asyncio.timeout(SECONDS):
        while not await factory.rows(_BOTH_LOOKED_AT):
            await asyncio.sleep(0.01)
    await worker.work()

    fired = await world.socket.data()
    assert (fired["type"], fired["alert"]["name"]) == ("FIRED", "Refunds")
    assert fired["alert"]["samples"] == [{"body": "I want a refund."}]
