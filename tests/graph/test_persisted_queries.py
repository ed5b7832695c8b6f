"""Automatic persisted queries, by Apollo's protocol: the hash alone, and where it is not known the text with it."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from persistence.bus import connect
from persistence.database import Database
from persistence.persisted import PersistedQueries
from tests.applications import client
from tests.graph.posting import RESPONSE_JSON, post
from tests.graph.watching import connected


def asked(text: str) -> dict[str, Any]:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}}


def of(name: str) -> str:
    """A document that no other test registers."""
    return f"query {name} {{ __typename }}"


def error(response: httpx.Response) -> tuple[str, str]:
    (found,) = response.json()["errors"]
    return found["message"], found["extensions"]["code"]


NOT_FOUND = ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")


async def test_one_that_is_registered_is_executed_by_its_hash(
    settings: Settings, api: Api, http: httpx.AsyncClient
) -> None:
    text = of("registered")
    unknown = await post(http, asked(text))
    registered = await post(http, asked(text) | {"query": text})
    known = await post(http, asked(text))
    over_get = await http.get(
        "/graphql", params={"extensions": json.dumps(asked(text)["extensions"])}
    )
    async with client(settings, api) as other:
        elsewhere = await post(other, asked(text))

    assert (unknown.status_code, error(unknown)) == (400, NOT_FOUND)
    answers = [registered, known, over_get, elsewhere]
    assert [each.json()["data"] for each in answers] == [{"__typename": "Query"}] * 4


async def test_for_clients_of_plain_json_it_is_not_found_with_200(http: httpx.AsyncClient) -> None:
    response = await post(http, asked(of("plain")), accept="application/json")

    assert (response.status_code, error(response)) == (200, NOT_FOUND)


async def test_another_texts_hash_registers_nothing(http: httpx.AsyncClient) -> None:
    text = of("claimed")
    refused = await post(http, asked(text) | {"query": of("other")})

    assert error(refused) == ("provided sha does not match query", "BAD_REQUEST")
    assert error(await post(http, asked(text))) == NOT_FOUND


async def test_what_is_not_valid_is_not_registered(http: httpx.AsyncClient) -> None:
    text = "query notValid { nothing }"
    refused = await post(http, asked(text) | {"query": text})

    assert error(refused)[0] == "Cannot query field 'nothing' on type 'Query'."
    assert error(await post(http, asked(text))) == NOT_FOUND


@pytest.mark.parametrize(
    "persisted",
    [
        [],
        "x",
        {},
        {"version": 1},
        {"version": 2, "sha256Hash": "a" * 64},
        {"version": 1, "sha256Hash": "A" * 64},
        {"version": 1, "sha256Hash": "a" * 63},
        {"version": 1, "sha256Hash": 7},
    ],
)
@pytest.mark.parametrize("query", [None, "{ __typename }"])
async def test_what_is_no_hash_is_refused(
    http: httpx.AsyncClient, persisted: Any, query: str | None
) -> None:
    response = await post(http, {"query": query, "extensions": {"persistedQuery": persisted}})

    assert response.status_code == 400
    assert error(response) == (
        "`extensions.persistedQuery` must have `version` 1 and a `sha256Hash` in lower case.",
        "BAD_REQUEST",
    )


async def test_on_a_socket_it_is_the_same(settings: Settings, api: Api, database: Database) -> None:
    application = create_app(settings)
    application.open(api)
    text = of("onASocket")
    async with connected(application, None) as socket:
        await socket.say(id="1", type="subscribe", payload=asked(text))
        unknown = await socket.hear()
        await socket.say(id="2", type="subscribe", payload=asked(text) | {"query": text})
        registered = [await socket.hear(), await socket.hear()]
        await socket.say(id="3", type="subscribe", payload=asked(text))
        known = [await socket.hear(), await socket.hear()]

    assert unknown["type"] == "error"
    assert unknown["payload"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}
    assert [each["type"] for each in (*registered, *known)] == ["next", "complete"] * 2
    assert known[0]["payload"]["data"] == {"__typename": "Query"}


async def test_where_none_may_be_registered_clients_are_told(settings: Settings, api: Api) -> None:
    text = of("unsupported")
    async with client(settings.model_copy(update={"persisted_queries": 0}), api) as http:
        alone = await post(http, asked(text))
        with_text = await post(http, asked(text) | {"query": text})

    assert error(alone) == ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
    assert with_text.json()["data"] == {"__typename": "Query"}


async def test_while_redis_is_away_they_are_executed_and_not_found(
    settings: Settings, api: Api
) -> None:
    text = of("away")
    away = PersistedQueries(connect("redis://127.0.0.1:1"), most=10)
    async with client(settings, replace(api, persisted=away)) as http:
        before = await post(http, asked(text))
        registered = await post(http, asked(text) | {"query": text}, accept=RESPONSE_JSON)
    async with client(settings, api) as http:
        elsewhere = await post(http, asked(text))

    assert error(before) == NOT_FOUND
    assert registered.json()["data"] == {"__typename": "Query"}
    assert error(elsewhere) == NOT_FOUND
