"""What events of feedback ask for: a check of what looks at windows, a look at each for what matches."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.stores import now
from domain.alert import Definition, Kind
from domain.events import Facets, FeedbackEvent, JobsUpdated
from jobs import alert
from persistence.database import Database, new_id
from persistence.feedback import Filter
from persistence.outbox import OutboxRow
from tests.alerting import Alerting, read
from tests.factories import NOON, Factory, Tenant
from tests.working import Worker

COUNT = Definition(Kind.COUNT, threshold=1)
WORD = Definition(Kind.MATCH, Filter(search="refund"))


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


def outbox(*happened: tuple[Tenant, str, str]) -> list[OutboxRow]:
    """Events of feedback, as the relay reads them, and one of something else."""
    rows: list[OutboxRow] = []
    for tenant, type_, id_ in happened:
        event = FeedbackEvent(type_, read(id_), Facets(tenant.source_id, None, None, NOON))
        rows.append(_Row(workspace_id=tenant.id, kind=event.kind, payload=event.to_json()))
    other = JobsUpdated((new_id(),))
    return [*rows, _Row(workspace_id=tenant.id, kind=other.kind, payload=other.to_json())]


class _Row(OutboxRow, dict[str, Any]):  # type: ignore[misc]  # as rows within rows are
    pass


async def asked(factory: Factory) -> list[tuple[Any, ...]]:
    """The jobs that were asked for."""
    rows = await factory.rows(
        "SELECT workspace_id, kind, key, arguments::text FROM job ORDER BY kind, id"
    )
    return [(*row[:3], orjson.loads(row[3])) for row in rows]


async def test_workspaces_without_rules_are_left_alone(
    database: Database, alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT, enabled=False)
    id_ = await factory.feedback(tenant)

    await alert.react(database, outbox((tenant, "ADDED", id_)))

    assert await asked(factory) == []


async def test_rules_over_windows_are_checked_once_for_all_that_came(
    database: Database, alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT)
    ids = [await factory.feedback(tenant) for _ in range(3)]

    for id_ in ids:
        await alert.react(database, outbox((tenant, "ADDED", id_)))

    assert await asked(factory) == [
        (None, "check_alerts", f"events {tenant.id.hex}", {"workspace": tenant.id.hex})
    ]
    ((waits, delayed),) = await factory.rows(
        "SELECT run_at > created_at, run_at <= created_at + interval '5 s' FROM job"
    )
    assert (waits, delayed) == (True, True)


async def test_each_feedback_is_looked_at_for_what_matches(
    database: Database, alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    other = await factory.tenant()
    await alerting.rule(tenant, WORD)
    first, second, theirs = [await factory.feedback(each) for each in (tenant, tenant, other)]
    rows = outbox(
        (tenant, "ADDED", first),
        (other, "ADDED", theirs),
        (tenant, "SCORED", first),
        (tenant, "ADDED", second),
        (tenant, "DELETED", second),
    )

    await alert.react(database, rows)

    ids = [read(each).hex for each in (first, second)]
    happened = {"ADDED": ids, "SCORED": ids[:1]}
    assert await asked(factory) == [
        (None, "match_alerts", None, {"workspace": tenant.id.hex, "happened": happened})
    ]


async def test_what_was_to_be_looked_at_in_a_workspace_that_is_gone_is_no_failure(
    database: Database, alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    await alerting.rule(tenant, WORD)
    await alerting.rule(tenant, COUNT)
    id_ = await factory.feedback(tenant, "a refund", occurred_at=now() - timedelta(seconds=1))
    await alert.react(database, outbox((tenant, "ADDED", id_)))
    await factory.change("UPDATE job SET run_at = now()")
    await factory.change("DELETE FROM workspace WHERE id = :id", within=tenant, id=tenant.id)

    await worker.work()

    assert await factory.rows("SELECT kind, status, error FROM job") == []


async def test_a_match_is_found_by_its_job_however_often_the_event_comes(
    database: Database, alerting: Alerting, factory: Factory, tenant: Tenant, worker: Worker
) -> None:
    await alerting.rule(tenant, WORD)
    id_ = await factory.feedback(tenant, "a refund", occurred_at=now() - timedelta(seconds=1))
    rows = outbox((tenant, "ADDED", id_))

    for _ in range(3):
        await alert.react(database, rows)
    assert len(await asked(factory)) == 3
    await worker.work()

    assert await alerting.states(tenant) == ["FIRING"]
    assert await factory.rows("SELECT status, error FROM job") == []
