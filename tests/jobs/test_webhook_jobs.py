"""Webhooks are told of the ends of jobs that people asked for, and of alerts."""

import asyncio
from typing import Any

import orjson
import pytest

from domain import job
from domain.alert import Comparison, Definition
from domain.alert import Kind as AlertKind
from domain.job import Kind
from jobs.attempt import Attempt, HopelessError
from jobs.relay import Relay
from jobs.runner import Task
from tests.alerting import Alerting
from tests.factories import NOON, Factory, Tenant
from tests.jobs.runners import SECONDS, Desk, Notes, note

KIND = Kind("export")
ROUTINE = Kind("routine", keep_successes=False)
TYPES = ["job.succeeded", "job.failed"]


async def fail(notes: Notes, attempt: Attempt) -> None:
    raise HopelessError("no luck")


async def in_one(notes: Notes, attempt: Attempt) -> None:
    async with attempt.completing():
        pass


async def asked(desk: Desk, tenant: Tenant, kind: Kind = KIND, *, by_somebody: bool = True) -> str:
    """A job that somebody asked for, or nobody; its id."""
    created_by = {True: tenant.owner.id, False: None}[by_somebody]
    async with desk.database.transaction() as uow:
        await uow.enter(tenant.id)
        row = await job.enqueue(uow, kind, workspace=tenant.id, created_by=created_by)
    return row.id.hex


async def told(factory: Factory, count: int) -> list[tuple[str, Any]]:
    """Type and payload of what was written down to be delivered, as soon as it is so much."""
    async with asyncio.timeout(SECONDS):
        while len(rows := await factory.rows(_TOLD)) < count:
            await asyncio.sleep(0.01)
    return [(type_, orjson.loads(payload)) for type_, payload in rows]


_TOLD = "SELECT event_type, payload FROM webhook_delivery ORDER BY occurred_at, id"


@pytest.mark.parametrize(
    ("do", "type_"),
    [(note, "job.succeeded"), (in_one, "job.succeeded"), (fail, "job.failed")],
)
async def test_the_end_of_a_job_is_told_once(
    desk: Desk, factory: Factory, relay: Relay, do: Any, type_: str
) -> None:
    tenant = await factory.tenant()
    await factory.webhook(tenant, event_types=TYPES)
    async with desk.working(Task(KIND, do)) as runner:
        unasked = await asked(desk, tenant, by_somebody=False)
        ours = await asked(desk, tenant)
        runner.look(KIND.priority)
        found = await told(factory, 1)
        other = await asked(desk, tenant)
        runner.look(KIND.priority)
        found = await told(factory, 2)

    assert found == [(type_, {"ids": [ours]}), (type_, {"ids": [other]})]
    assert unasked not in (ours, other)


async def test_the_end_of_one_that_is_not_kept_is_told_too(
    desk: Desk, factory: Factory, relay: Relay
) -> None:
    tenant = await factory.tenant()
    await factory.webhook(tenant, event_types=TYPES)
    async with desk.working(Task(ROUTINE, note)) as runner:
        ours = await asked(desk, tenant, ROUTINE)
        runner.look(ROUTINE.priority)
        assert await told(factory, 1) == [("job.succeeded", {"ids": [ours]})]


async def test_one_that_killed_its_workers_has_failed(
    desk: Desk, factory: Factory, relay: Relay
) -> None:
    tenant = await factory.tenant()
    await factory.webhook(tenant, event_types=TYPES)
    ours = await asked(desk, tenant)
    await factory.change("UPDATE job SET status = 'RUNNING', deaths = 2", within=tenant)
    await desk.die()
    assert await told(factory, 1) == [("job.failed", {"ids": [ours]})]


async def test_alerts_are_told_when_they_fire_and_when_they_are_over(
    alerting: Alerting, factory: Factory, relay: Relay
) -> None:
    tenant = await factory.tenant()
    await factory.webhook(tenant, event_types=["alert.fired", "alert.resolved"])
    rule = await alerting.rule(
        tenant, Definition(AlertKind.COUNT, threshold=0, comparison=Comparison.AT_MOST)
    )
    await alerting.check(tenant, NOON)
    await alerting.change(tenant, rule, enabled=False)

    (fired, its), (resolved, the_same) = await told(factory, 2)

    assert (fired, resolved) == ("alert.fired", "alert.resolved")
    assert its["id"] == the_same["id"]
    assert its["rule"] == rule.hex
