"""What is refused is let go of at once: nothing of it waits for the garbage collector."""

import gc

import orjson
import pytest

from app.resources import Api
from app.settings import Settings
from graph.context import Context
from graph.execution import Operations
from tests.applications import client
from tests.factories import Factory

LENGTH = 12_345


def kept() -> int:
    """How many lists of that length there are."""
    return sum(type(found) is list and len(found) == LENGTH for found in gc.get_objects())


@pytest.mark.parametrize(
    "query",
    [
        "query($i: [ID!]!) { nodes(ids: $i) { id } }",
        "query($i: [Int!]!) { nodes(ids: $i) { id } }",
        "query($i: [Boolean!]!) { __typename }",
        "mutation($i: [ID!]!) { requeueJobs(input: {jobIds: $i}) { __typename } }",
    ],
)
@pytest.mark.usefixtures("database")
async def test_variables_are_let_go_of(settings: Settings, api: Api, query: str) -> None:
    ids = ["x"] * LENGTH
    body = orjson.dumps({"query": query, "variables": {"i": ids}})
    del ids
    headers = {"content-type": "application/json"}
    async with client(settings, api, Operations) as http:
        await http.post("/graphql", content=body, headers=headers)
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await http.post("/graphql", content=body, headers=headers)
            left = kept()
        finally:
            gc.enable()

    assert left == 0


@pytest.mark.usefixtures("database")
async def test_what_is_read_is_let_go_of_when_the_answer_is_too_long(
    settings: Settings, api: Api, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await factory.tenant()
    for _ in range(3):
        await factory.feedback(tenant, "x" * 1_000)
    lists = " ".join(f"l{i}: feedback {{ nodes {{ body }} }}" for i in range(20))
    query = f'{{ workspace(slug: "{tenant.slug}") {{ {lists} }} }}'
    monkeypatch.setattr(api.services.meters, "most_read", 20_000)
    async with client(settings, api, Operations) as http:
        caller = tenant.owner.on(http)
        await caller.errors(query)
        gc.collect()
        gc.disable()
        try:
            (error,) = await caller.errors(query)
            left = sum(type(found) is Context for found in gc.get_objects())
        finally:
            gc.enable()

    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert left == 0
