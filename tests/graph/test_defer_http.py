"""@defer over HTTP: the wire format, to whom it is sent, and how everybody else is refused."""

from typing import Any

import httpx
import pytest

from tests.factories import Factory
from tests.graph.deferring import ACCEPT, MULTIPART, UNACCEPTED, deferred, payloads
from tests.graph.posting import JSON, RESPONSE_JSON, assert_refused, post
from tests.graph.sockets import acknowledged

QUERY = "{ __typename ... @defer { again: __typename } }"
WHOLE = {"data": {"__typename": "Query", "again": "Query"}}
CONDITIONAL = "query($later: Boolean) { __typename ... @defer(if: $later) { again: __typename } }"


async def test_the_parts_are_these_bytes(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": QUERY}, accept=ACCEPT)

    assert response.status_code == 200
    expected = {
        "content-type": 'multipart/mixed; boundary="-"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-accel-buffering": "no",
    }
    assert expected.items() <= dict(response.headers).items()
    assert response.content == (
        b"\r\n---\r\n"
        b"Content-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"data":{"__typename":"Query"},"pending":[{"id":"0","path":[]}],"hasNext":true}'
        b"\r\n---\r\n"
        b"Content-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"incremental":[{"id":"0","data":{"again":"Query"}}],"completed":[{"id":"0"}],"hasNext":false}'
        b"\r\n-----\r\n"
    )


async def test_a_label_comes_back(http: httpx.AsyncClient) -> None:
    query = '{ ...Later @defer(label: "later") } fragment Later on Query { __typename }'

    first, _ = await deferred(http, query)

    assert first["pending"] == [{"id": "0", "path": [], "label": "later"}]


@pytest.mark.parametrize(
    "accept",
    [
        MULTIPART,
        f"{MULTIPART};incrementalSpec=v0.2",
        f'Multipart/Mixed; IncrementalSpec="v0.2", {JSON}',
        f"{MULTIPART};boundary=graphql;q=0.1, {JSON}",
        f"{MULTIPART};deferSpec=20220824, {MULTIPART};incrementalSpec=v0.2;q=0.5",
        f"{MULTIPART};incrementalSpec=v0.2,{RESPONSE_JSON},{JSON};q=0.9",
        f"{RESPONSE_JSON}, application/graphql+json, {JSON}, text/event-stream, {MULTIPART}",
        f"{JSON}, {MULTIPART}",
    ],
)
async def test_who_accepts_parts_gets_them(http: httpx.AsyncClient, accept: str) -> None:
    response = await post(http, {"query": QUERY}, accept=accept)

    assert response.headers["content-type"] == 'multipart/mixed; boundary="-"'
    assert len(payloads(response.content)) == 2


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (RESPONSE_JSON, 400),
        (f"{RESPONSE_JSON}, text/event-stream", 400),
        (f"{MULTIPART};q=0, {RESPONSE_JSON}", 400),
        (f"{MULTIPART};deferSpec=20220824, {RESPONSE_JSON}, {JSON};q=0.9", 400),
        (f"{MULTIPART};subscriptionSpec=1.0, {RESPONSE_JSON}", 400),
        (f"{MULTIPART};incrementalSpec=v0.1, {RESPONSE_JSON}", 400),
        (JSON, 200),
        ("*/*", 200),
        ("", 200),
    ],
)
async def test_who_does_not_accept_parts_is_refused(
    http: httpx.AsyncClient, accept: str, status: int
) -> None:
    response = await post(http, {"query": QUERY}, accept=accept)

    assert_refused(response, status, UNACCEPTED)


async def test_who_accepts_other_parts_only_is_refused(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": QUERY}, accept=f"{MULTIPART};deferSpec=20220824")

    assert_refused(response, 406, "Accept application/graphql-response+json or application/json.")


async def test_a_refused_mutation_has_changed_nothing(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    query = """mutation($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
        ... on SubmitFeedbackSuccess @defer { feedback { id } }
    } }"""
    variables = {"input": {"workspaceId": tenant.gid, "body": "Not now."}}

    response = await post(
        http,
        {"query": query, "variables": variables},
        authorization=f"Bearer {tenant.owner.token}",
    )

    assert_refused(response, 400, UNACCEPTED)
    assert await factory.rows("SELECT body FROM feedback") == []


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON, ACCEPT])
@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ __typename ... @defer(if: false) { again: __typename } }"},
        {"query": CONDITIONAL, "variables": {"later": False}},
        {
            "query": f"query A {{ __typename again: __typename }} query B {QUERY}",
            "operationName": "A",
        },
    ],
    ids=["literal", "variable", "another operation"],
)
async def test_an_operation_that_defers_nothing_is_like_any_other(
    http: httpx.AsyncClient, accept: str, body: dict[str, Any]
) -> None:
    response = await post(http, body, accept=accept)

    assert response.headers["content-type"].startswith("application/")
    assert response.json()["data"] == WHOLE["data"]


@pytest.mark.parametrize("variables", [{}, {"later": True}], ids=["default", "given"])
async def test_a_condition_that_holds_defers(
    http: httpx.AsyncClient, variables: dict[str, Any]
) -> None:
    answer = await deferred(http, CONDITIONAL, **variables)

    assert [payload["hasNext"] for payload in answer] == [True, False]


@pytest.mark.parametrize(
    ("accept", "media"), [(ACCEPT, RESPONSE_JSON), (f"{JSON}, {MULTIPART}", JSON)]
)
async def test_where_nothing_is_left_to_deliver_the_answer_is_in_one_piece(
    factory: Factory, http: httpx.AsyncClient, accept: str, media: str
) -> None:
    person = await factory.person()
    query = '{ workspace(slug: "none") { ... @defer { name } } }'

    response = await post(
        http, {"query": query}, accept=accept, authorization=f"Bearer {person.token}"
    )

    assert response.headers["content-type"] == f"{media}; charset=utf-8"
    assert response.json()["data"] == {"workspace": None}


async def test_who_accepts_parts_only_gets_one_piece_as_a_part(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": "{ __typename }"}, accept=MULTIPART)

    assert [payload["data"] for payload in payloads(response.content)] == [{"__typename": "Query"}]


async def test_who_accepts_parts_only_gets_request_errors_as_json(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": "{ nothing }"}, accept=MULTIPART)

    assert response.status_code == 400
    assert response.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"


async def test_a_deferred_query_goes_over_get(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": QUERY}, headers={"accept": ACCEPT})

    assert len(payloads(response.content)) == 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "mutation { ... @defer { __typename } }",
            "Defer directive cannot be used on root mutation type 'Mutation'.",
        ),
        ("{ __schema { types @stream { name } } }", "Unknown directive '@stream'."),
    ],
    ids=["mutation's root", "stream"],
)
async def test_what_cannot_be_deferred_is_not_valid(
    http: httpx.AsyncClient, query: str, message: str
) -> None:
    response = await post(http, {"query": query}, accept=ACCEPT)

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == message


async def test_over_websocket_it_is_refused(factory: Factory, server: str) -> None:
    person = await factory.person()

    async with acknowledged(server, person.token) as client:
        await client.subscribe("1", QUERY)
        refused = await client.hear()
        await client.subscribe("1", CONDITIONAL, later=False)
        answered = await client.hear()

    error = {"message": UNACCEPTED, "extensions": {"code": "BAD_REQUEST"}}
    assert refused == {"id": "1", "type": "error", "payload": [error]}
    assert answered == {"id": "1", "type": "next", "payload": WHOLE}


async def test_a_subscription_cannot_defer(factory: Factory, server: str) -> None:
    tenant = await factory.tenant()
    query = """subscription($workspace: ID!, $later: Boolean!) {
        feedbackEvents(workspaceId: $workspace) { ... @defer(if: $later) { __typename } }
    }"""

    async with acknowledged(server, tenant.owner.token) as client:
        await client.subscribe("1", query, workspace=tenant.gid, later=True)
        refused = await client.hear()

    message = "The events of a subscription cannot be deferred."
    error = {"message": message, "extensions": {"code": "BAD_REQUEST"}}
    assert refused == {"id": "1", "type": "error", "payload": [error]}
