"""How long an answer may be: known as it is read, for one operation and for all that are at work."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from graph.execution import Operations
from persistence.metering import MOST_READ, Meters, TooMuchReadError
from tests.applications import client
from tests.factories import Factory, Tenant

TOO_LONG = {
    "message": f"The answer is longer than {MOST_READ:,} bytes. Ask for fewer objects, or for less of each.",
    "code": "BAD_REQUEST",
}
TOO_MUCH = {
    "message": "The server has too much to answer at once. Try again.",
    "code": "RATE_LIMITED",
}
LENGTH = 1_000


@pytest.fixture
async def http(settings: Settings, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Each operation is executed once."""
    async with client(settings, api, Operations) as http:
        yield http


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    tenant = await factory.tenant()
    for _ in range(4):
        await factory.feedback(tenant, "x" * LENGTH)
    return tenant


def row(length: int) -> list[Any]:
    return [{"body": "x" * length}]


async def ask(http: httpx.AsyncClient, tenant: Tenant, inner: str) -> tuple[Any, list[Any]]:
    """What is answered, and the errors that are told."""
    query = f'{{ workspace(slug: "{tenant.slug}") {{ {inner} }} }}'
    answer = (await tenant.owner.on(http).post(query)).json()
    told = [
        {"message": error["message"], "code": error["extensions"]["code"]}
        for error in answer.get("errors", ())
    ]
    return answer["data"]["workspace"], told


@pytest.mark.parametrize(
    "inner",
    [
        "feedback { nodes { body } }",
        "feedback { nodes { a: body b: body } }",
        "a: feedback(first: 2) { nodes { body } } b: feedback(first: 2) { nodes { body } }",
        "feedback { edges { node { body notes { nodes { body } } } } }",
    ],
    ids=["objects", "names", "lists", "written below"],
)
async def test_as_much_as_may_be_is_answered_and_no_more(
    api: Api,
    http: httpx.AsyncClient,
    tenant: Tenant,
    inner: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = 2 if "a: body" in inner else 1
    meters = api.services.meters
    monkeypatch.setattr(meters, "most_read", 5 * LENGTH * names)
    found, told = await ask(http, tenant, inner)
    monkeypatch.setattr(meters, "most_read", 4 * LENGTH * names)
    refused, reasons = await ask(http, tenant, inner)

    assert told == []
    assert str(found).count("x" * LENGTH) == 4 * names
    assert refused is None
    assert reasons[0] == TOO_LONG


async def test_lists_that_are_read_often_are_counted_as_they_are_written(
    api: Api, http: httpx.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = "feedback(first: 50) { nodes { id body } }"
    for _ in range(20):
        assert (await ask(http, tenant, inner))[1] == []
    monkeypatch.setattr(api.services.meters, "most_read", 4 * LENGTH)

    assert await ask(http, tenant, inner) == (None, [TOO_LONG])


async def test_all_operations_together_hold_only_so_much(
    api: Api, http: httpx.AsyncClient, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.collect()
    meters = api.services.meters
    held = meters.held
    monkeypatch.setattr(meters, "most_held", held + 7 * LENGTH)
    other = meters.meter()
    other.took(row(LENGTH * 4), ("body",))

    assert await ask(http, tenant, "feedback { nodes { body } }") == (None, [TOO_MUCH])
    del other
    assert (await ask(http, tenant, "feedback { nodes { body } }"))[1] == []
    assert meters.held == held


async def test_of_what_may_be_long_eight_are_read_at_once_and_none_beyond() -> None:
    meter = Meters(most_read=1_000).meter()
    began = 0

    async def read() -> None:
        nonlocal began
        async with meter:
            began += 1
            await asyncio.sleep(0)
            meter.took(row(1_000), ("body",))

    reads = [asyncio.ensure_future(read()) for _ in range(20)]
    done = await asyncio.gather(*reads, return_exceptions=True)

    assert began == 8
    assert [type(each) for each in done] == [TooMuchReadError] * 20


async def test_what_is_too_much_is_let_go_of_with_its_error() -> None:
    meters = Meters(most_read=1_000)
    rows = row(1_000)

    with pytest.raises(TooMuchReadError):
        meters.meter().took(rows, ("body",))

    assert rows == []
    assert meters.held == 0
