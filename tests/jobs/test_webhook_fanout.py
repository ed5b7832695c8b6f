"""What has happened reaches the endpoints that ask for it, each once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.settings import Settings
from app.stores import open_database
from domain import ids
from domain.events import Facets, FeedbackEvent
from domain.ids import Kind
from domain.webhook import LOG_KEPT, forget
from domain.webhook.event import ask
from jobs import webhook
from persistence import webhook as store
from persistence.database import Database, Record, Statement
from persistence.outbox import OutboxRow
from tests.factories import NOON, Factory, Tenant
from tests.graph.webhook_queries import REPLAY, result
from tests.jobs.couriers import SECONDS
from tests.statements import watched

_ROW = Statement(
    text(
        "SELECT :id ::bigint AS id, :workspace ::uuid AS workspace_id, :kind ::text AS kind,"
        " :payload ::text AS payload, NULL AS trace, :now ::timestamptz AS created_at"
    ),
    OutboxRow,
)

_DELETE: Statement[Record] = Statement(text("DELETE FROM workspace WHERE id = :id"), Record)


@dataclass
class Outbox:
    """Events as the relay hands them on."""

    database: Database

    async def event(
        self, tenant: Tenant, number: int = 1, kind: str = "ADDED", **facets: Any
    ) -> OutboxRow:
        given = {"source_id": tenant.source_id, "rating": None, "label": None, "occurred_at": NOON}
        event = FeedbackEvent(kind, UUID(int=number), Facets(**(given | facets)))
        return await self.row(tenant, number, event.kind, event.to_json())

    async def row(self, tenant: Tenant, number: int, kind: str, payload: str) -> OutboxRow:
        async with self.database.reader() as reader:
            row = await reader.first(
                _ROW, id=number, workspace=tenant.id, kind=kind, payload=payload, now=NOON
            )
        assert row is not None
        return row


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


async def deliveries(factory: Factory) -> list[tuple[Any, ...]]:
    return await factory.rows(
        "SELECT webhook_id, event_type, status FROM webhook_delivery ORDER BY event_type, webhook_id"
    )


def uuid(webhook: str) -> UUID:
    found = ids.read(Kind.WEBHOOK, webhook)
    assert found is not None
    return found


async def test_each_endpoint_gets_what_it_asks_for_once_however_often_it_is_told(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    tenant = await factory.tenant()
    all_, scored, _shop = [
        await factory.webhook(tenant, event_types=types, **filter_)
        for types, filter_ in (
            (["feedback.added", "feedback.scored"], {}),
            (["feedback.scored"], {"sentiments": ["NEGATIVE"]}),
            (["feedback.added"], {"source_ids": [UUID(int=5)]}),
        )
    ]
    rows = [
        await outbox.event(tenant, 1),
        await outbox.event(tenant, 2, "SCORED", label="NEGATIVE"),
        await outbox.event(tenant, 3, "SCORED", label="POSITIVE"),
    ]

    for _ in range(2):
        await webhook.react(database, rows)
    await webhook.react(database, rows[1:])

    assert await deliveries(factory) == [
        (uuid(all_), "feedback.added", "PENDING"),
        *sorted((uuid(each), "feedback.scored", "PENDING") for each in (all_, all_, scored)),
    ]
    jobs = await factory.rows("SELECT key FROM job WHERE status = 'QUEUED' ORDER BY key")
    assert jobs == sorted((uuid(each).hex,) for each in (all_, scored))
    assert await factory.rows("SELECT arguments->>'webhook' = key FROM job") == [(True,), (True,)]


async def test_the_same_event_has_the_same_id_at_every_endpoint_and_others_another(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    for each in (tenant, tenant, other):
        await factory.webhook(each)

    await webhook.react(
        database,
        [
            await outbox.event(tenant, 1),
            await outbox.event(tenant, 2),
            await outbox.event(other, 1),
        ],
    )

    counts = await factory.rows(
        "SELECT count(*) FROM webhook_delivery GROUP BY event_id ORDER BY count(*)"
    )
    assert counts == [(1,), (2,), (2,)]


async def test_what_a_disabled_endpoint_misses_is_kept_to_be_replayed_while_there_is_a_log(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    tenant = await factory.tenant()
    await factory.webhook(tenant)
    disable = "UPDATE webhook SET disabled_at = :at, disabled_reason = 'MANUAL'"
    await factory.change(disable, within=tenant, at=NOON)
    await webhook.react(database, [await outbox.event(tenant, 1)])
    await factory.change(disable, within=tenant, at=NOON - LOG_KEPT)
    await webhook.react(database, [await outbox.event(tenant, 2)])

    assert await factory.rows("SELECT status FROM webhook_delivery") == [("DROPPED",)]
    assert await factory.rows("SELECT kind FROM job") == []


async def test_other_tenants_and_other_events_reach_nobody(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    await factory.webhook(tenant)

    await webhook.react(
        database,
        [
            await outbox.event(other, 1),
            await outbox.row(tenant, 2, "job.updated", '{"ids": []}'),
            await outbox.row(tenant, 3, "member.changed", "{}"),
        ],
    )

    assert await deliveries(factory) == []


_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO job%'"
)


async def blocked(factory: Factory) -> None:
    """Until somebody waits for a job that somebody else has."""
    async with asyncio.timeout(SECONDS):
        while await factory.rows(_BLOCKED) != [(1,)]:
            await asyncio.sleep(0.01)


async def test_who_writes_deliveries_and_who_delivers_do_not_wait_for_each_other(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    tenant = await factory.tenant()
    endpoint = uuid(await factory.webhook(tenant))
    rows = [await outbox.event(tenant)]

    async with database.transaction() as delivering:
        await delivering.enter(tenant.id)
        await ask(delivering, tenant.id, endpoint)
        writing = asyncio.ensure_future(webhook.react(database, rows))
        await blocked(factory)
        assert await store.lock(delivering, tenant.id, endpoint) is not None
    await writing

    assert await deliveries(factory) == [(endpoint, "feedback.added", "PENDING")]


_HELD = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%FROM workspace%FOR KEY SHARE%'"
)


async def test_a_workspace_that_is_deleted_meanwhile_holds_nobody_up(
    factory: Factory, database: Database, outbox: Outbox
) -> None:
    gone, other = await factory.tenant(), await factory.tenant()
    for tenant in (gone, other):
        await factory.webhook(tenant)
    rows = [await outbox.event(gone, 1), await outbox.event(other, 2)]

    async with database.transaction() as deleting:
        await deleting.enter(gone.id)
        await deleting.execute(_DELETE, id=gone.id)
        reacting = asyncio.ensure_future(webhook.react(database, rows))
        async with asyncio.timeout(SECONDS):
            while await factory.rows(_HELD) != [(1,)]:
                await asyncio.sleep(0.01)
    await reacting

    assert await factory.rows("SELECT workspace_id, event_type FROM webhook_delivery") == [
        (other.id, "feedback.added")
    ]
    assert await factory.rows("SELECT workspace_id FROM job") == [(other.id,)]


async def test_who_replays_and_who_delivers_do_not_wait_for_each_other(
    factory: Factory, database: Database, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    gid = await factory.webhook(tenant)
    endpoint, delivery = uuid(gid), await factory.delivery(tenant, gid)

    async with database.transaction() as delivering:
        await delivering.enter(tenant.id)
        await ask(delivering, tenant.id, endpoint)
        replaying = asyncio.ensure_future(
            result(tenant.owner.on(http), REPLAY, deliveryId=delivery)
        )
        await blocked(factory)
        assert await store.lock(delivering, tenant.id, endpoint) is not None

    assert (await replaying)["delivery"]["status"] == "PENDING"


@pytest.fixture
async def seen(settings: Settings, database: Database) -> AsyncIterator[tuple[Database, list[str]]]:
    """A database whose statements are seen."""
    assert settings.database_url is not None
    async with (
        watched(settings.database_url) as (url, executed),
        open_database(settings.model_copy(update={"database_url": url}), "watched") as opened,
    ):
        yield opened, executed


async def test_a_batch_costs_one_statement_where_nobody_listens(
    factory: Factory, outbox: Outbox, seen: tuple[Database, list[str]]
) -> None:
    opened, executed = seen
    tenants = [await factory.tenant() for _ in range(3)]
    rows = [await outbox.event(tenant, number) for tenant in tenants for number in range(20)]
    await webhook.react(opened, rows)
    executed.clear()

    await webhook.react(opened, rows)

    assert len(executed) == 1


async def test_the_log_is_forgotten_when_it_has_run_out_but_not_what_is_pending(
    factory: Factory, database: Database
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant in tenants:
        endpoint = await factory.webhook(tenant)
        await factory.deliveries(tenant, endpoint, 3)
        await factory.change(
            "UPDATE webhook_delivery SET created_at = :old WHERE id IN"
            " (SELECT id FROM webhook_delivery WHERE workspace_id = :id ORDER BY id LIMIT 2)",
            within=tenant,
            old=NOON - LOG_KEPT - timedelta(seconds=1),
            id=tenant.id,
        )
        await factory.change(
            "UPDATE webhook_delivery SET status = 'FAILED', next_attempt_at = NULL WHERE id IN"
            " (SELECT id FROM webhook_delivery WHERE workspace_id = :id ORDER BY id LIMIT 1)",
            within=tenant,
            id=tenant.id,
        )

    await forget(database, NOON)

    left = await factory.rows(
        "SELECT count(*) FROM webhook_delivery GROUP BY workspace_id ORDER BY 1"
    )
    assert left == [(2,), (2,)]
