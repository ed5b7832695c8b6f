"""Several operations in one request, where the server takes them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from graph.context import ANONYMOUS_POINTS
from persistence.limits import Limiter
from tests.applications import client
from tests.factories import Factory

NAMED = {"query": "{ __typename }"}


@pytest.fixture
async def http(settings: Settings, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with client(settings.model_copy(update={"batch_size": 3}), api) as http:
        yield http


async def post(http: httpx.AsyncClient, batch: Any, **headers: str) -> httpx.Response:
    return await http.post("/graphql", json=batch, headers=headers)


def codes(response: httpx.Response) -> list[str | None]:
    return [
        each["errors"][0]["extensions"]["code"] if "errors" in each else None
        for each in response.json()
    ]


async def test_each_is_answered_in_its_place(http: httpx.AsyncClient) -> None:
    asked = [NAMED, {"query": "{ nothing }"}, {"query": "query Q { rateLimit { limit } }"}]

    response = await post(http, asked)

    assert response.status_code == 200
    assert codes(response) == [None, "BAD_REQUEST", None]
    assert response.json()[0]["data"] == {"__typename": "Query"}
    assert response.json()[2]["data"]["rateLimit"]["limit"] > 0


async def test_they_are_carried_out_in_their_order(
    http: httpx.AsyncClient, factory: Factory
) -> None:
    tenant = await factory.tenant()
    submit = "mutation($i: SubmitFeedbackInput!) { submitFeedback(input: $i) { __typename } }"
    count = f'{{ workspace(slug: "{tenant.slug}") {{ feedback {{ totalCount }} }} }}'
    new = {"workspaceId": tenant.gid, "body": "It works."}

    response = await post(
        http,
        [{"query": count}, {"query": submit, "variables": {"i": new}}, {"query": count}],
        authorization=f"Bearer {tenant.owner.token}",
    )

    first, changed, last = (each["data"] for each in response.json())
    assert first["workspace"]["feedback"]["totalCount"] == 0
    assert changed == {"submitFeedback": {"__typename": "SubmitFeedbackSuccess"}}
    assert last["workspace"]["feedback"]["totalCount"] == 1


@pytest.mark.usefixtures("database")
async def test_each_costs_its_points(settings: Settings, api: Api) -> None:
    query = {"query": "{ __schema { queryType { name } } }"}  # 101 points
    async with open_redis(settings) as redis:
        # Two hundred a minute for an address, and one that no other test has.
        limiter = Limiter(redis, scale=200 / ANONYMOUS_POINTS.points)
        there = replace(api, services=replace(api.services, limiter=limiter))
        taking = settings.model_copy(update={"batch_size": 3})
        async with client(taking, there, address="203.0.113.91") as http:
            response = await post(http, [query] * 3)
        await limiter.close()

    assert codes(response) == [None, None, "RATE_LIMITED"]
    assert 1 <= int(response.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([], "A batch has one to 3 operations."),
        ([NAMED] * 4, "A batch has one to 3 operations."),
        ([NAMED, 1], "Each operation of a batch must be a JSON object."),
        ([NAMED, {"query": 1}], "`query` must be a GraphQL document."),
        ([NAMED, {}], "`query` must be a GraphQL document."),
    ],
)
async def test_what_is_no_batch_is_refused_whole(
    http: httpx.AsyncClient, batch: list[Any], message: str
) -> None:
    response = await post(http, batch)

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == message


async def test_what_goes_on_cannot_be_part_of_one(http: httpx.AsyncClient) -> None:
    asked = [
        {"query": 'subscription { jobUpdated(id: "x") { id } }'},
        {"query": "{ ... @defer { __typename } }"},
        NAMED,
    ]

    response = await post(http, asked)

    assert codes(response) == ["BAD_REQUEST", "BAD_REQUEST", None]


async def test_a_key_is_for_one_operation(http: httpx.AsyncClient) -> None:
    by_header = await post(http, [NAMED], **{"idempotency-key": "a"})
    of_one = await post(http, [NAMED, NAMED | {"extensions": {"idempotencyKey": "a"}}])

    assert (by_header.status_code, of_one.status_code) == (400, 400)


async def test_by_default_there_are_none(settings: Settings, api: Api) -> None:
    async with client(settings, api) as http:
        response = await post(http, [NAMED])

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == (
        "Send one operation a request: batches are not accepted."
    )
