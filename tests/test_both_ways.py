"""The proof that the engine agrees with graphql-core can fail."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import parse

from graph import resolutions
from graph.engine import RESOLUTION, Attribute, Call, Computed, Resolution
from tests.both_ways import TALLY, _Engine

_NUMBERS = count()


@strawberry.type
class Query:
    @strawberry.field
    def answer(self) -> int:
        return 42


async def _differences(resolution: Resolution, query: str, **variables: Any) -> list[str]:
    """The ways in which the engine, told that this answers, and graphql-core differ."""
    schema = resolutions.declare(strawberry.Schema(Query))._schema
    schema.type_map["Query"].fields["answer"].extensions[RESOLUTION] = resolution  # type: ignore[attr-defined]  # it is an object type
    plan = _Engine(schema).plan(parse(query))
    root, context = SimpleNamespace(answer=41), SimpleNamespace(renewed=lambda: None)
    await plan.run(root, context, plan.coerce(variables), variables)
    return TALLY.taken()


async def test_the_same_answer_is_no_difference() -> None:
    assert await _differences(Call(lambda *_: 42), "{ answer }") == []


@pytest.mark.parametrize(
    ("resolution", "ways"),
    [
        (Call(lambda *_: 43), ["live query"]),
        (Attribute("answer"), ["replayed query", "live query"]),
        (Computed(lambda _: 43), ["replayed query", "live query"]),
        (Computed(lambda _: next(_NUMBERS)), ["replayed query"]),
    ],
)
async def test_a_wrong_answer_is_a_difference(resolution: Resolution, ways: list[str]) -> None:
    differences = await _differences(resolution, "{ answer }")

    assert [difference.partition(":")[0] for difference in differences] == ways


async def test_an_answer_that_changes_in_between_is_no_difference() -> None:
    answers = iter([41, 42])

    assert await _differences(Call(lambda *_: next(answers)), "{ answer }") == []


async def test_a_difference_is_told() -> None:
    assert await _differences(Call(lambda *_: 43), "{ answer }") == [
        """live query:
{
  answer
}
Engine: (b'{"answer":43}', [])
graphql-core: (b'{"answer":42}', [])"""
    ]


async def test_what_the_engine_does_not_execute_is_a_difference() -> None:
    query = "query($if: Boolean!) { answer @skip(if: $if) @stream }"

    (difference,) = await _differences(Call(lambda *_: 42), query, **{"if": False})

    assert difference.startswith("left to graphql-core:\nquery ($if: Boolean!)")
