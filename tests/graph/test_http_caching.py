"""Answers over GET that clients keep, and what all answers tell of the caller's points."""

import re
from dataclasses import replace

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from persistence.limits import Limiter
from tests.applications import client
from tests.factories import Factory
from tests.graph.posting import QUERY, RESPONSE_JSON, post

NAME = '{ workspace(slug: "acme") { name } }'


async def test_an_answer_that_the_client_has_is_not_sent_again(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    headers = {"authorization": f"Bearer {tenant.owner.token}"}

    first = await http.get("/graphql", params={"query": NAME}, headers=headers)
    tag = first.headers["etag"]
    known = headers | {"if-none-match": f'"other", W/{tag}'}
    again = await http.get("/graphql", params={"query": NAME}, headers=known)
    other = await http.get("/graphql", params={"query": NAME}, headers={"if-none-match": tag})

    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    assert (again.status_code, again.content) == (304, b"")
    assert "content-type" not in again.headers
    assert (other.status_code, other.json()["data"]) == (200, {"workspace": None})
    assert other.headers["etag"] != tag
    for response in (first, again, other):
        assert response.headers["cache-control"] == "private, no-cache"
        assert response.headers["vary"] == "accept, authorization, cookie"


async def test_what_has_changed_is_sent(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant("acme")
    query = '{ workspace(slug: "acme") { feedback { nodes { id } } } }'
    headers = {"authorization": f"Bearer {tenant.owner.token}"}
    first = await http.get("/graphql", params={"query": query}, headers=headers)
    await factory.feedback(tenant)

    known = headers | {"if-none-match": first.headers["etag"]}
    second = await http.get("/graphql", params={"query": query}, headers=known)

    assert second.status_code == 200
    assert len(second.json()["data"]["workspace"]["feedback"]["nodes"]) == 1


async def test_a_star_stands_for_any_answer(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": QUERY}, headers={"if-none-match": "*"})

    assert response.status_code == 304


@pytest.mark.parametrize("query", ["{", "{ nothing }"])
async def test_a_refusal_is_not_kept(http: httpx.AsyncClient, query: str) -> None:
    headers = {"if-none-match": "*", "accept": RESPONSE_JSON}
    response = await http.get("/graphql", params={"query": query}, headers=headers)

    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_over_post_nothing_is_kept(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": QUERY}, **{"if-none-match": "*"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_answers_tell_what_the_caller_has_left(
    settings: Settings, api: Api, factory: Factory
) -> None:
    person = await factory.person()
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=1 / 10_000)
        services = replace(api.services, limiter=limiter)
        async with client(settings, replace(api, services=services)) as http:
            answers = [
                await person.on(http).post(
                    "{ viewer { user { id } } }"
                ),  # three points, and two to be read
                await post(http, {"query": "{"}, authorization=f"Bearer {person.token}"),
            ]
            stranger = await post(http, {"query": QUERY})
        await limiter.close()

    executed, refused = answers
    assert executed.headers["ratelimit-policy"] == '"points";q=100;qu="points";w=60'
    assert stranger.headers["ratelimit-policy"] == '"points";q=10;qu="points";w=60'
    # Some may have come back meanwhile.
    assert re.fullmatch(r'"points";r=9[5-7];t=[2-3]', executed.headers["ratelimit"])
    assert "ratelimit" not in refused.headers
