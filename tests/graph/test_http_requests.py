"""Requests over HTTP: which media types are spoken, and which bodies and query strings are requests."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from graph.execution import Operations
from graph.http import GraphQLOverHTTP
from graph.schema import schema
from graph.seats import Seats
from graph.sse import EventStreams
from graph.subscribing import Subscriptions
from persistence.database import Database
from tests.graph.posting import JSON, QUERY, RESPONSE_JSON, assert_refused, post, send


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (RESPONSE_JSON, RESPONSE_JSON),
        (JSON, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{RESPONSE_JSON}, {JSON};q=0.9", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, {JSON};q=0.9", JSON),
        (f"{JSON}, {RESPONSE_JSON}", JSON),
        (f"text/event-stream, {RESPONSE_JSON}", RESPONSE_JSON),
        (f"multipart/mixed, {JSON}", JSON),
        ("Application/GraphQL-Response+JSON; charset=utf-8", RESPONSE_JSON),
    ],
)
async def test_the_answer_has_the_media_type_that_is_accepted(
    http: httpx.AsyncClient, accept: str, media: str
) -> None:
    response = await post(http, {"query": QUERY}, accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media}; charset=utf-8"
    assert response.json()["data"] == {"__typename": "Query"}


async def test_a_client_that_accepts_nothing_in_particular_gets_json(
    http: httpx.AsyncClient,
) -> None:
    del http.headers["accept"]

    response = await http.post("/graphql", json={"query": QUERY})

    assert "accept" not in response.request.headers
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/plain", "text/event-stream;q=0", f"{JSON};q=0", "image/*, */json", ","]
)
async def test_a_client_that_accepts_no_json_is_refused(
    http: httpx.AsyncClient, accept: str
) -> None:
    response = await post(http, {"query": QUERY}, accept=accept)

    assert_refused(response, 406, "Accept application/graphql-response+json or application/json.")


async def test_nulls_stand_for_what_is_not_given(http: httpx.AsyncClient) -> None:
    body = {"query": QUERY, "variables": None, "operationName": None, "extensions": None}

    response = await post(http, body)

    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
        "application/json;" + " " * 300 + "charset=latin-1",
        "",
    ],
)
async def test_another_content_type_is_refused(http: httpx.AsyncClient, content_type: str) -> None:
    response = await send(http, b'{"query":"{ __typename }"}', content_type)

    assert_refused(response, 415, "Send application/json in UTF-8.")
    assert response.headers["accept"] == JSON


@pytest.mark.parametrize(
    "content_type",
    [
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        " application/json ;",
    ],
)
async def test_a_content_type_is_read_as_http_says(
    http: httpx.AsyncClient, content_type: str
) -> None:
    response = await send(http, b'{"query":"{ __typename }"}', content_type)

    assert response.json()["data"] == {"__typename": "Query"}


async def test_a_compressed_body_is_refused(http: httpx.AsyncClient) -> None:
    response = await http.post(
        "/graphql",
        content=b"\x1f\x8b\x08",
        headers={"content-type": JSON, "content-encoding": "gzip"},
    )

    assert_refused(response, 415, "Send the body without content-encoding.")
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_refused(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql")

    assert_refused(response, 405, "Use GET or POST.")
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"null", "The body must be a JSON object."),
        (b"1", "The body must be a JSON object."),
        (b'"x"', "The body must be a JSON object."),
        (b"true", "The body must be a JSON object."),
        (b"[]", "Send one operation a request: batches are not accepted."),
        (
            b'[{"query":"{ __typename }"}]',
            "Send one operation a request: batches are not accepted.",
        ),
        (b"{}", "`query` must be a GraphQL document."),
        (b'{"query":null}', "`query` must be a GraphQL document."),
        (b'{"query":1}', "`query` must be a GraphQL document."),
        (b'{"query":["{ __typename }"]}', "`query` must be a GraphQL document."),
        (b'{"query":""}', "`query` must be a GraphQL document."),
        (b'{"query":" \\n"}', "`query` must be a GraphQL document."),
        (b'{"query":"{a}","variables":[]}', "`variables` must be a JSON object."),
        (b'{"query":"{a}","variables":"{}"}', "`variables` must be a JSON object."),
        (b'{"query":"{a}","variables":false}', "`variables` must be a JSON object."),
        (
            b'{"query":"{a}","variables":{"a":[' + b"[1]," * 9_999 + b"[1]]}}",
            "`variables` must have at most 20,000 values.",
        ),
        (b'{"query":"{a}","operationName":1}', "`operationName` must be a string."),
        (b'{"query":"{a}","operationName":[]}', "`operationName` must be a string."),
        (b'{"query":"{a}","extensions":[]}', "`extensions` must be a JSON object."),
        (b'{"query":"{a}","extensions":"x"}', "`extensions` must be a JSON object."),
    ],
)
async def test_json_that_is_no_request_is_refused(
    http: httpx.AsyncClient, content: bytes, message: str
) -> None:
    response = await send(http, content)

    assert_refused(response, 400, message)


async def test_many_values_are_accepted(http: httpx.AsyncClient) -> None:
    values = [[1]] * 9_999

    response = await post(http, {"query": QUERY, "variables": {"a": values}})

    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"query=1",
        b"\xff\xfe",
        b'{"query":"\xff"}',
        b'{"query":"\\ud800"}',
        b'{"query":"{a}","variables":{"x":NaN}}',
        b'{"query":"{a}","variables":{"x":Infinity}}',
        b'{"query":"{a}","variables":{"x":1e999}}',
        b"[" * 100_000,
        b'{"query":"{a}","variables":{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
async def test_what_is_no_json_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    response = await send(http, content)

    (error,) = response.json()["errors"]
    assert response.status_code == 400
    assert error["message"].startswith("The body is not JSON: ")
    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_too_large_a_body_is_refused(http: httpx.AsyncClient, settings: Settings) -> None:
    response = await send(http, b" " * (settings.max_request_bytes + 1))

    assert_refused(response, 413, "The body may have at most 1,048,576 bytes.")


@pytest.mark.parametrize("length", ["9" * 5_000, "0" * 5_000 + "2", "-1", "1e1", ""])
async def test_a_length_that_is_none_is_refused(http: httpx.AsyncClient, length: str) -> None:
    headers = {"content-type": JSON, "content-length": length}

    response = await http.post("/graphql", content=b"{}", headers=headers)

    assert response.status_code == 413


async def test_too_large_a_body_without_a_length_is_refused_before_its_end(
    http: httpx.AsyncClient,
) -> None:
    sent: list[None] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(None)
            yield b" " * 65_536

    response = await http.post("/graphql", content=endless(), headers={"content-type": JSON})

    assert response.status_code == 413
    assert len(sent) == 17


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        ("", "`query` must be a GraphQL document."),
        ("query=", "`query` must be a GraphQL document."),
        ("query={a}&variables=[]", "`variables` must be a JSON object."),
        ("query={a}&variables={", "The query string is not valid."),
        ("query=%ff", "The query string is not valid."),
        ("&".join(f"a{n}=1" for n in range(30)), "The query string is not valid."),
    ],
)
async def test_a_query_string_that_is_no_request_is_refused(
    http: httpx.AsyncClient, query_string: str, message: str
) -> None:
    response = await http.get(f"/graphql?{query_string}", headers={"accept": RESPONSE_JSON})

    assert_refused(response, 400, message)


async def test_a_body_that_does_not_end_is_refused_in_time(api: Api, database: Database) -> None:
    operations = Operations(schema._schema, seconds=5)
    subscriptions = Subscriptions(operations, api.services.hub, api.services.memberships)
    seats = Seats(most=1, most_per_caller=1)
    streams = EventStreams(operations, subscriptions, seats, drain_seconds=1)
    endpoint = GraphQLOverHTTP(
        operations, api.services, streams, largest=1_000, playground=None, body_seconds=0.1
    )

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    transport = httpx.ASGITransport(endpoint)
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        response = await http.post(
            "/graphql", content=endless(), headers={"content-type": JSON, "accept": RESPONSE_JSON}
        )

    assert_refused(response, 408, "The body took too long.")
