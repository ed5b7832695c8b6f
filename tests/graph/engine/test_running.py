"""How a plan runs: what waits for what, what cancelling does, and what is left in memory."""

import asyncio
import gc
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse

from graph.engine import RESOLUTION, Batch, Call, Engine
from graph.engine.plan import Selection
from graph.engine.run import Level

SDL = "type Query { slow: Int, fast: Fast, all: [Fast!]! } type Fast { then: Int, self: Fast }"


def schema(**calls: Any) -> GraphQLSchema:
    """The schema with these resolutions: `query_slow` is that of Query.slow."""
    built = build_schema(SDL)
    for name, resolution in calls.items():
        type_name, field = name.split("_")
        type_ = built.type_map[type_name.title()]
        assert isinstance(type_, GraphQLObjectType)
        type_.fields[field].extensions[RESOLUTION] = resolution
    return built


def levels() -> set[int]:
    """Those that are in memory, by identity."""
    return {id(found) for found in gc.get_objects() if isinstance(found, Level)}


async def test_a_slow_field_holds_up_nothing_but_what_is_below_it() -> None:
    reached = asyncio.Event()

    async def slow(_parent: Any, _info: Any) -> int:
        await reached.wait()
        return 1

    async def fast(_parent: Any, _info: Any) -> dict[str, Any]:
        return {}

    async def then(parents: Any, _info: Any) -> list[int]:
        reached.set()
        return [2] * len(parents)

    engine = Engine(schema(query_slow=Call(slow), query_fast=Call(fast), fast_then=Batch(then)))

    async with asyncio.timeout(10):
        result = await engine.plan(parse("{ slow fast { then } }")).execute()

    assert result.data == {"slow": 1, "fast": {"then": 2}}


async def test_what_is_first_has_answered_before_its_neighbours_are_begun() -> None:
    steps: list[str] = []

    def fasts(_parent: Any, _info: Any) -> list[dict[str, Any]]:
        return [{}, {}]

    async def first(parents: Any, _info: Any) -> list[int]:
        steps.append(f"first of {len(parents)}")
        await asyncio.sleep(0.01)
        steps.append("answered")
        return [2] * len(parents)

    async def neighbour(parents: Any, _info: Any) -> list[dict[str, Any]]:
        steps.append("neighbour")
        return [{} for _ in parents]

    engine = Engine(
        schema(
            query_all=Call(fasts), fast_then=Batch(first, first=True), fast_self=Batch(neighbour)
        )
    )

    result = await engine.plan(parse("{ all { self { __typename } then } }")).execute()

    assert result.data == {"all": [{"self": {"__typename": "Fast"}, "then": 2}] * 2}
    assert steps == ["first of 2", "answered", "neighbour"]


async def test_cancelling_reaches_every_field_that_is_under_way() -> None:
    begun, ended = [], []

    async def waits(_parent: Any, info: Any) -> None:
        begun.append(info.field_name)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(info.field_name)

    engine = Engine(schema(query_slow=Call(waits), query_fast=Call(waits)))
    task = asyncio.ensure_future(engine.plan(parse("{ slow fast { then } }")).execute())
    while len(begun) < 2:
        await asyncio.sleep(0)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert sorted(ended) == ["fast", "slow"]


@pytest.mark.parametrize("root", [{"all": [{"self": {"then": 1}}] * 3}, {"all": [None]}])
async def test_nothing_of_a_run_waits_for_the_garbage_collector(root: dict[str, Any]) -> None:
    plan = Engine(build_schema(SDL)).plan(parse("{ all { then self { then } } }"))
    gc.collect()
    before = levels()
    gc.disable()
    try:
        await plan.execute(root)
        after = levels()
    finally:
        gc.enable()

    assert after == before


async def test_what_is_compiled_beforehand_is_bounded() -> None:
    members = "".join(f"type T{number} implements Node {{ next: Node }} " for number in range(8))
    built = build_schema(f"interface Node {{ next: Node }} type Query {{ node: Node }} {members}")
    nested = "next { " * 12 + "__typename" + " }" * 12
    plan = Engine(built).plan(parse(f"{{ node {{ {nested} }} }}"))

    plan.warm()

    # Of 8 to the power of 12.
    gc.collect()
    assert 1_000 < sum(isinstance(found, Selection) for found in gc.get_objects()) < 20_000
