"""What is deferred, and when it comes: alone, one after the other, with errors, cut short."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import httpx

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from tests.applications import reached, without_postgres
from tests.factories import Factory, Tenant
from tests.graph.deferring import ACCEPT, deferred, merged, payloads
from tests.graph.sockets import served

TAGGED = """{ workspace(slug: "acme") { feedback { nodes {
    body
    ... @defer(label: "tags") { tags { name } }
} } } }"""
_BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'"
_BLOCKED = f"{_BUSY} AND wait_event_type = 'Lock'"


async def test_parts_of_each_feedback_come_after_the_list(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    older = await factory.feedback(tenant, "Older.")
    await factory.feedback(tenant, "Newer.")
    await factory.tag(tenant, "late", older)
    query = """{ workspace(slug: "acme") { feedback { nodes {
        ... @defer(label: "about") { source { name } tags { name } }
        body
    } } } }"""

    first, second = await deferred(http, query, tenant.owner.token)

    at = ["workspace", "feedback", "nodes"]
    source = {"name": "Hook"}
    assert first == {
        "data": {"workspace": {"feedback": {"nodes": [{"body": "Newer."}, {"body": "Older."}]}}},
        "pending": [
            {"id": "0", "path": [*at, 0], "label": "about"},
            {"id": "1", "path": [*at, 1], "label": "about"},
        ],
        "hasNext": True,
    }
    assert second == {
        "incremental": [
            {"id": "0", "data": {"source": source, "tags": []}},
            {"id": "1", "data": {"source": source, "tags": [{"name": "late"}]}},
        ],
        "completed": [{"id": "0"}, {"id": "1"}],
        "hasNext": False,
    }


async def test_what_is_deferred_inside_of_what_is_deferred_comes_last(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant, "It works.")
    query = """{ workspace(slug: "acme") {
        name
        ... @defer(label: "list") {
          feedback { totalCount nodes { body ... @defer(label: "source") { source { name } } } }
        }
    } }"""

    answer = await deferred(http, query, tenant.owner.token)

    assert answer == [
        {
            "data": {"workspace": {"name": "Acme"}},
            "pending": [{"id": "0", "path": ["workspace"], "label": "list"}],
            "hasNext": True,
        },
        {
            "pending": [
                {"id": "1", "path": ["workspace", "feedback", "nodes", 0], "label": "source"}
            ],
            "incremental": [
                {
                    "id": "0",
                    "data": {"feedback": {"totalCount": 1, "nodes": [{"body": "It works."}]}},
                }
            ],
            "completed": [{"id": "0"}],
            "hasNext": True,
        },
        {
            "incremental": [{"id": "1", "data": {"source": {"name": "Hook"}}}],
            "completed": [{"id": "1"}],
            "hasNext": False,
        },
    ]


async def test_fragments_of_one_object_share_what_both_have(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    query = """{ workspace(slug: "acme") {
        ... @defer(label: "a") { name tags { name } }
        ... @defer(label: "b") { name sources { name kind } }
    } }"""

    answer = await deferred(http, query, tenant.owner.token)

    data, errors = merged(answer)
    assert answer[0]["data"] == {"workspace": {}}
    assert [pending["label"] for pending in answer[0]["pending"]] == ["a", "b"]
    assert data == {
        "workspace": {
            "name": "Acme",
            "tags": [],
            "sources": [
                {"name": "API", "kind": "API"},
                {"name": "Hook", "kind": "WEBHOOK"},
            ],
        }
    }
    assert errors == []


async def test_the_payload_of_a_mutation_may_be_deferred(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    query = """mutation($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
        ... on SubmitFeedbackSuccess { duplicate feedback { ... @defer { body source { name } } } }
    } }"""

    answer = await deferred(
        http, query, tenant.owner.token, input={"workspaceId": tenant.gid, "body": "Fine."}
    )

    assert answer[0]["data"] == {"submitFeedback": {"duplicate": False, "feedback": {}}}
    assert answer[1]["incremental"] == [
        {"id": "0", "data": {"body": "Fine.", "source": {"name": "API"}}}
    ]
    assert await factory.rows("SELECT body FROM feedback") == [("Fine.",)]


async def test_a_stranger_gets_nothing_later_either(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    await factory.tenant("acme")
    stranger = await factory.person()
    query = '{ __typename ... @defer { workspace(slug: "acme") { name } } }'

    answer = await deferred(http, query, stranger.token)

    assert answer[1]["incremental"] == [{"id": "0", "data": {"workspace": None}}]


async def test_nobody_is_refused_later_too(http: httpx.AsyncClient) -> None:
    query = '{ __typename ... @defer { workspace(slug: "acme") { name } } }'

    answer = await deferred(http, query)

    error = {
        "message": "Sign in first.",
        "locations": [{"line": 1, "column": 27}],
        "path": ["workspace"],
        "extensions": {"code": "UNAUTHENTICATED"},
    }
    assert answer[1]["incremental"] == [{"id": "0", "data": {"workspace": None}, "errors": [error]}]


async def test_an_error_that_leaves_nothing_of_a_fragment_completes_it(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    query = """{ workspace(slug: "acme") {
        name
        ... @defer(label: "bad") { slug feedback(first: 1000) { totalCount } }
        ... @defer(label: "good") { sources { name } }
    } }"""

    answer = await deferred(http, query, tenant.owner.token)

    data, (error,) = merged(answer)
    assert data["workspace"] == {"name": "Acme", "sources": [{"name": "API"}, {"name": "Hook"}]}
    assert (error["path"], error["extensions"]) == (
        ["workspace", "feedback"],
        {"code": "INVALID_INPUT"},
    )


async def test_what_breaks_in_a_part_is_masked(
    factory: Factory, settings: Settings, api: Api
) -> None:
    owner = (await factory.tenant("acme")).owner
    query = '{ __typename ... @defer { workspace(slug: "acme") { name } } }'

    async with without_postgres(settings, api) as http:
        answer = await deferred(http, query, owner.token)

    _, (error,) = merged(answer)
    assert len(bytes.fromhex(error["extensions"].pop("traceId"))) == 16
    assert error == {
        "message": "A part of the server is away for the moment. Try again.",
        "locations": [{"line": 1, "column": 27}],
        "path": ["workspace"],
        "extensions": {"code": "INTERNAL"},
    }


@asynccontextmanager
async def streaming(
    tenant: Tenant, settings: Settings, api: Api
) -> AsyncIterator[
    tuple[AsyncIterator[bytes], httpx.Response, "asyncpg.Connection[asyncpg.Record]"]
]:
    """An answer whose tags somebody holds locked, its chunks, and a connection to watch the statements."""
    holder = await asyncpg.connect(settings.database_url)
    watcher = await asyncpg.connect(settings.database_url)
    headers = {"accept": ACCEPT, "authorization": f"Bearer {tenant.owner.token}"}
    async with open_database(settings, "deferred") as own, holder.transaction():
        application = create_app(settings)
        application.open(replace(api, services=replace(api.services, database=own)))
        await holder.execute("LOCK TABLE tag IN ACCESS EXCLUSIVE MODE")
        async with (
            served(application) as server,
            httpx.AsyncClient(base_url=f"http://{server}") as http,
            http.stream("POST", "/graphql", json={"query": TAGGED}, headers=headers) as response,
        ):
            yield response.aiter_raw(), response, watcher
    await watcher.close()
    await holder.close()


async def test_each_part_is_sent_as_soon_as_it_is_there(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant, "It works.")

    async with streaming(tenant, settings, api) as (chunks, response, watcher):
        first = await anext(chunks)
        await reached(watcher, _BLOCKED, "deferred", 1)
        await response.aclose()

    (payload,) = payloads(first + b"--\r\n")
    assert payload["data"] == {"workspace": {"feedback": {"nodes": [{"body": "It works."}]}}}


async def test_a_client_that_leaves_between_parts_ends_their_statements(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant)

    async with streaming(tenant, settings, api) as (chunks, response, watcher):
        await anext(chunks)
        await reached(watcher, _BLOCKED, "deferred", 1)
        await response.aclose()
        await reached(watcher, _BUSY, "deferred", 0)


async def test_what_is_pending_at_the_deadline_fails_and_its_statements_end(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant, "Older.")
    await factory.feedback(tenant, "Newer.")
    hasty = settings.model_copy(update={"operation_seconds": 0.5})

    async with streaming(tenant, hasty, api) as (chunks, _, watcher):
        first = await anext(chunks)
        await reached(watcher, _BLOCKED, "deferred", 1)
        rest = b"".join([chunk async for chunk in chunks])
        await reached(watcher, _BUSY, "deferred", 0)

    error = {
        "message": "The operation took longer than 0.5 s and was stopped.",
        "extensions": {"code": "TIMEOUT"},
    }
    assert payloads(first + rest)[1:] == [
        {
            "completed": [{"id": "0", "errors": [error]}, {"id": "1", "errors": [error]}],
            "hasNext": False,
        }
    ]
