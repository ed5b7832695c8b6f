"""Inbound webhooks that are taken: a 2xx means stored, once, whatever comes twice or breaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from domain import ids
from domain.ids import Kind
from persistence.database import Database
from tests.app.deliveries import (
    OCCURRED,
    UNTOUCHED,
    deliver,
    envelope,
    event,
    rows,
    sign,
    traces,
)
from tests.applications import client, reached
from tests.factories import Factory

DATA: dict[str, Any] = {
    "external_id": "ticket-17",
    "body": "  Grüße! 🎉\r\nIt broke <b>again</b> \u200f ",
    "rating": 3,
    "author": {"name": "Ada", "email": "ada@example.com", "external_id": "u-1"},
    "occurred_at": OCCURRED,
    "metadata": {"plan": "pro", "nested": [1, 2.5, None, "ä"]},
}


async def test_a_new_feedback_is_committed_as_it_was_sent(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, envelope(DATA))

    (row,) = await rows(database)
    assert response.status_code == 202
    assert response.json() == {"id": ids.write(Kind.FEEDBACK, row["id"]), "duplicate": False}
    assert row["workspace_id"] == tenant.id
    assert row["source_id"] == tenant.source_id
    assert row["external_id"] == "ticket-17"
    assert row["body"] == DATA["body"]
    assert row["rating"] == 3
    assert row["author_name"] == "Ada"
    assert row["author_email"] == "ada@example.com"
    assert row["author_external_id"] == "u-1"
    assert row["occurred_at"] == datetime.fromisoformat(OCCURRED)
    assert json.loads(row["metadata_text"]) == DATA["metadata"]
    assert row["scored_at"] is None


async def test_only_the_body_is_needed(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, b'{"type":"feedback.created","data":{"body":"Fine."}}')

    (row,) = await rows(database)
    assert response.status_code == 202
    assert row["body"] == "Fine."
    assert row["occurred_at"] == row["received_at"]
    assert (row["external_id"], row["rating"], row["author_name"], row["metadata"]) == (
        None,
        None,
        None,
        None,
    )


async def test_what_a_sender_adds_to_the_envelope_is_left_alone(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, envelope({"body": "Fine."}, account="acct_1"))

    assert response.status_code == 202
    assert len(await rows(database)) == 1


async def test_the_same_external_id_is_stored_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    first = await deliver(http, tenant, event(external_id="t-1"), webhook_id="msg_1")

    again = await deliver(
        http, tenant, event(external_id="t-1", body="Changed."), webhook_id="msg_2"
    )

    (row,) = await rows(database)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert row["body"] == "It works."


async def test_the_same_webhook_id_is_stored_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    first = await deliver(http, tenant, event(), webhook_id="msg_1")

    again = await deliver(http, tenant, event(body="Changed."), webhook_id="msg_1")

    (row,) = await rows(database)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"duplicate": True}
    assert row["body"] == "It works."


async def test_another_source_has_its_own_ids(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    one, other = await factory.tenant(), await factory.tenant()
    body = event(external_id="t-1")

    responses = [await deliver(http, one, body), await deliver(http, other, body)]

    assert [response.status_code for response in responses] == [202, 202]
    assert {row["workspace_id"] for row in await rows(database)} == {one.id, other.id}


@pytest.mark.parametrize(
    ("external_id", "second"),
    [("t-1", "msg_2"), (None, "msg_1"), ("t-1", "msg_1")],
    ids=["external id", "webhook id", "both"],
)
async def test_concurrent_deliveries_of_the_same_store_one(
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    external_id: str | None,
    second: str,
) -> None:
    tenant = await factory.tenant()
    body = event(external_id=external_id)

    responses = await asyncio.gather(
        *(deliver(http, tenant, body, webhook_id=id_) for id_ in ("msg_1", second) * 4)
    )

    assert sorted(response.status_code for response in responses) == [200] * 7 + [202]
    assert len(await rows(database)) == 1


async def test_a_refused_delivery_may_be_mended_under_the_same_id(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    refused = await deliver(http, tenant, event(rating=11), webhook_id="msg_1")

    mended = await deliver(http, tenant, event(rating=10), webhook_id="msg_1")

    assert (refused.status_code, mended.status_code) == (400, 202)
    assert [row["rating"] for row in await rows(database)] == [10]


async def test_a_chunked_body_is_taken(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    body = event()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10):
            yield body[start : start + 10]

    response = await http.post(
        f"/hooks/{tenant.source_gid}", content=chunks(), headers=sign(tenant.secret, body)
    )

    assert response.status_code == 202
    assert len(await rows(database)) == 1


async def test_without_a_store_the_sender_is_told_to_come_again(
    factory: Factory, api: Api, settings: Settings, database: Database
) -> None:
    tenant = await factory.tenant()
    async with open_database(settings, "hooks away") as away:
        pass
    services = replace(api.services, database=away)

    async with client(settings, replace(api, services=services)) as http:
        response = await deliver(http, tenant, event())

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json() == {"error": {"message": "The store is away for the moment."}}
    assert await traces(database) == UNTOUCHED


_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'"
)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        yield connection
    finally:
        connection.terminate()


async def test_a_store_that_goes_away_in_the_middle_has_stored_nothing(
    factory: Factory, api: Api, settings: Settings, database: Database
) -> None:
    tenant = await factory.tenant()
    async with (
        open_database(settings, "hooks cut") as cut,
        client(settings, replace(api, services=replace(api.services, database=cut))) as http,
        connected(settings) as other,
        connected(settings) as watcher,
    ):
        async with other.transaction():
            await other.execute("LOCK TABLE feedback IN SHARE MODE")
            delivering = asyncio.ensure_future(deliver(http, tenant, event()))
            await reached(watcher, _BLOCKED, "hooks cut", 1)
            await watcher.execute(_CUT, "hooks cut")
            interrupted = await delivering
        before = await traces(database)
        again = await deliver(http, tenant, event())

    assert (interrupted.status_code, interrupted.headers["retry-after"]) == (503, "1")
    assert before == UNTOUCHED
    assert again.status_code == 202
    assert len(await rows(database)) == 1
