"""Operations over HTTP: where they may go, what their errors look like, and that each ends in time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from graph.shape import MOST_TOKENS
from persistence.database import Database
from tests.applications import client, reached, without_postgres
from tests.callers import Caller
from tests.factories import Factory
from tests.graph.posting import JSON, NOT_PROVIDED, RESPONSE_JSON, assert_refused, post, send

SUBMIT = """
    mutation($workspace: ID!, $body: String!) {
      submitFeedback(input: {workspaceId: $workspace, body: $body}) {
        ... on SubmitFeedbackSuccess { feedback { id } }
      }
    }
"""
WORKSPACE = 'query { workspace(slug: "acme") { name } }'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"query": "{"}, "Syntax Error: Expected Name, found <EOF>."),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing' on type 'Query'."),
        (
            {"query": "query($id: ID!) { node(id: $id) { id } }"},
            NOT_PROVIDED,
        ),
        (
            {"query": "query($id: ID!) { node(id: $id) { id } }", "variables": {"id": []}},
            "Variable '$id' has invalid value: ID cannot represent value: []",
        ),
        (
            {"query": "query A { __typename } query B { __typename }"},
            "The document has several operations: name one in operationName.",
        ),
        (
            {"query": "query A { __typename }", "operationName": "B"},
            "The document has no operation named 'B'.",
        ),
        (
            {"query": "fragment F on Query { __typename }"},
            "Fragment 'F' is never used.",
        ),
    ],
    ids=["syntax", "validation", "missing", "invalid", "several", "unknown", "none"],
)
@pytest.mark.parametrize(("accept", "status"), [(RESPONSE_JSON, 400), (JSON, 200)])
async def test_a_request_error_has_no_data_and_a_status_by_accept(
    http: httpx.AsyncClient, body: dict[str, Any], message: str, accept: str, status: int
) -> None:
    response = await post(http, body, accept=accept)

    (error,) = response.json()["errors"]
    assert response.status_code == status
    assert response.json().keys() == {"errors"}
    assert error["message"] == message
    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_field_error_is_no_request_error(nobody: Caller, http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": WORKSPACE})

    assert response.status_code == 200
    assert response.json() == {
        "data": {"workspace": None},
        "errors": [
            {
                "message": "Sign in first.",
                "locations": [{"line": 1, "column": 9}],
                "path": ["workspace"],
                "extensions": {"code": "UNAUTHENTICATED"},
            }
        ],
        "extensions": {"cost": {"requested": 2, "actual": 1, "limit": 25_000}},
    }


async def test_a_named_operation_is_executed(http: httpx.AsyncClient) -> None:
    document = "query A { a: __typename } query B { b: __typename }"

    response = await post(http, {"query": document, "operationName": "B"})

    assert response.json()["data"] == {"b": "Query"}


@pytest.mark.parametrize(
    "value",
    [
        "[" * 900 + "]" * 900,
        '{"a":' * 900 + "1" + "}" * 900,
        "9" * 6_000,
    ],
    ids=["lists", "objects", "digits"],
)
async def test_a_monstrous_variable_gets_an_orderly_answer(
    http: httpx.AsyncClient, value: str
) -> None:
    query = (
        'query($f: FeedbackFilter) { workspace(slug: "a") { feedback(filter: $f) { totalCount } } }'
    )
    content = '{"query":%s,"variables":{"f":%s}}' % (json.dumps(query), value)  # noqa: UP031

    response = await send(http, content.encode())

    assert response.status_code == 400
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_REQUEST"}


@pytest.mark.parametrize("depth", [400, 5_000])
async def test_a_document_that_is_nested_too_deeply_is_refused(
    http: httpx.AsyncClient, depth: int
) -> None:
    document = "{ a " * depth + "}" * depth

    response = await post(http, {"query": document})

    assert response.status_code == 400
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_REQUEST"}


async def test_a_document_of_too_many_tokens_is_refused(http: httpx.AsyncClient) -> None:
    document = "{" + "__typename " * MOST_TOKENS + "}"

    response = await post(http, {"query": document})

    (error,) = response.json()["errors"]
    assert response.status_code == 400
    assert error["message"] == "The document has more than 2,000 tokens, comments included."


async def test_a_query_goes_over_get(http: httpx.AsyncClient) -> None:
    response = await http.get(
        "/graphql",
        params={
            "query": "query A($id: ID!) { node(id: $id) { id } } query B { __typename }",
            "operationName": "A",
            "variables": '{"id": "x"}',
            "extensions": "",
        },
        headers={"accept": RESPONSE_JSON},
    )

    assert response.status_code == 200
    assert response.json()["data"] == {"node": None}


async def test_a_mutation_does_not_go_over_get(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant("acme")
    variables = json.dumps({"workspace": tenant.gid, "body": "x"})

    response = await http.get(
        "/graphql",
        params={"query": SUBMIT, "variables": variables},
        headers={"accept": RESPONSE_JSON, "authorization": f"Bearer {tenant.owner.token}"},
    )
    answer = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { feedback { totalCount } } }'
    )

    assert_refused(response, 405, "Only queries and subscriptions go over GET.")
    assert response.headers["allow"] == "POST"
    assert answer == {"workspace": {"feedback": {"totalCount": 0}}}


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_a_subscription_is_not_answered_in_one_piece(
    factory: Factory, http: httpx.AsyncClient, accept: str
) -> None:
    tenant = await factory.tenant()
    query = f'subscription {{ feedbackEvents(workspaceId: "{tenant.gid}") {{ __typename }} }}'

    response = await post(
        http, {"query": query}, accept=accept, authorization=f"Bearer {tenant.owner.token}"
    )

    assert_refused(
        response,
        400,
        "Subscriptions go over WebSocket (graphql-transport-ws), or to `Accept: text/event-stream`.",
    )


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_what_breaks_inside_is_masked(
    factory: Factory, settings: Settings, api: Api, accept: str
) -> None:
    owner = (await factory.tenant("acme")).owner

    async with without_postgres(settings, api) as http:
        response = await post(
            http, {"query": WORKSPACE}, accept=accept, authorization=f"Bearer {owner.token}"
        )

    (error,) = response.json()["errors"]
    trace = error["extensions"].pop("traceId")
    assert response.status_code == 200
    assert response.json()["data"] == {"workspace": None}
    assert error == {
        "message": "A part of the server is away for the moment. Try again.",
        "locations": [{"line": 1, "column": 9}],
        "path": ["workspace"],
        "extensions": {"code": "INTERNAL"},
    }
    assert len(bytes.fromhex(trace)) == 16


@pytest.mark.parametrize(
    ("traceparent", "is_kept"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", True),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", False),
        ("", False),
    ],
)
async def test_what_breaks_inside_is_found_by_its_senders_trace(
    factory: Factory, settings: Settings, api: Api, traceparent: str, is_kept: bool
) -> None:
    owner = (await factory.tenant("acme")).owner

    async with without_postgres(settings, api) as http:
        response = await post(
            http,
            {"query": WORKSPACE},
            authorization=f"Bearer {owner.token}",
            traceparent=traceparent,
        )

    (error,) = response.json()["errors"]
    assert (error["extensions"]["traceId"] == "0af7651916cd43dd8448eb211c80319c") is is_kept


_BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'"
_BLOCKED = f"{_BUSY} AND wait_event_type = 'Lock'"


@asynccontextmanager
async def locked(
    settings: Settings, table: str
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody holds the table; a connection to watch what waits for it."""
    holder = await asyncpg.connect(settings.database_url)
    watcher = await asyncpg.connect(settings.database_url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield watcher
    finally:
        holder.terminate()
        watcher.terminate()


async def test_an_operation_past_its_deadline_is_stopped_with_its_statement(
    factory: Factory, settings: Settings, api: Api
) -> None:
    owner = (await factory.tenant("acme")).owner
    hasty = settings.model_copy(update={"operation_seconds": 0.5})

    async with (
        open_database(settings, "http hasty") as own,
        client(hasty, replace(api, services=replace(api.services, database=own))) as http,
    ):
        async with locked(settings, "workspace") as watcher:
            asking = asyncio.ensure_future(
                post(http, {"query": WORKSPACE}, authorization=f"Bearer {owner.token}")
            )
            await reached(watcher, _BLOCKED, "http hasty", 1)
            response = await asking
            await reached(watcher, _BUSY, "http hasty", 0)
        again = await post(http, {"query": WORKSPACE}, authorization=f"Bearer {owner.token}")

    assert response.status_code == 200
    assert response.json() == {
        "data": None,
        "errors": [
            {
                "message": "The operation took longer than 0.5 s and was stopped.",
                "extensions": {"code": "TIMEOUT"},
            }
        ],
    }
    assert again.json()["data"] == {"workspace": {"name": "Acme"}}


async def test_a_mutation_past_its_deadline_has_changed_nothing(
    factory: Factory, settings: Settings, api: Api, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    hasty = settings.model_copy(update={"operation_seconds": 0.5})
    body = {"query": SUBMIT, "variables": {"workspace": tenant.gid, "body": "x"}}

    async with (
        open_database(settings, "http hasty") as own,
        client(hasty, replace(api, services=replace(api.services, database=own))) as impatient,
        locked(settings, "outbox") as watcher,
    ):
        response = await post(impatient, body, authorization=f"Bearer {tenant.owner.token}")
        await reached(watcher, _BUSY, "http hasty", 0)
    answer = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { feedback { totalCount } } }'
    )

    assert response.json()["errors"][0]["extensions"] == {"code": "TIMEOUT"}
    assert answer == {"workspace": {"feedback": {"totalCount": 0}}}


async def test_a_client_that_leaves_ends_its_statement(
    factory: Factory, settings: Settings, api: Api
) -> None:
    owner = (await factory.tenant("acme")).owner

    async with (
        open_database(settings, "http left") as own,
        client(settings, replace(api, services=replace(api.services, database=own))) as http,
        locked(settings, "workspace") as watcher,
    ):
        asking = asyncio.ensure_future(
            post(http, {"query": WORKSPACE}, authorization=f"Bearer {owner.token}")
        )
        await reached(watcher, _BLOCKED, "http left", 1)
        asking.cancel()
        await asyncio.wait({asking})
        await reached(watcher, _BUSY, "http left", 0)

    assert asking.cancelled()
