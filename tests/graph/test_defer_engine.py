"""What the engine delivers in parts is what graphql-core delivers, and each level is resolved in one call."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema, parse, validate
from graphql.execution import ExecutionResult, experimental_execute_incrementally

from graph.engine import RESOLUTION, Batch, Engine
from graph.engine.incremental import MOST
from tests.graph.deferring import merged

SCHEMA = build_schema("""
    directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
    type Query { hero: Hero, heroes: [Hero!], nobody: Hero, many: [Hero!]! }
    type Hero { id: Int!, name: String, late: Hero, friends: [Hero], broken: String, needed: Hero! }
""")
ROOT = {
    "hero": {"id": 1},
    "heroes": [{"id": 1}, {"id": 2}],
    "many": [{"id": id_} for id_ in range(MOST + 1)],
}


def _broken(_hero: Any, _info: Any) -> str:
    raise ValueError("broken")


async def _late(hero: Any, _info: Any) -> Any:
    await asyncio.sleep(0)
    return {"id": hero["id"] * 10}


RESOLVERS: dict[str, Callable[..., Any]] = {
    "name": lambda hero, _: f"hero {hero['id']}",
    "late": _late,
    "friends": lambda hero, _: [{"id": hero["id"] + 1}, {"id": hero["id"] + 2}],
    "broken": _broken,
    "needed": lambda hero, _: {"id": 0} if hero["id"] % 2 else None,
}
HERO = SCHEMA.type_map["Hero"]
assert isinstance(HERO, GraphQLObjectType)
for name, resolver in RESOLVERS.items():
    HERO.fields[name].resolve = resolver


async def _payloads(result: Any) -> list[Any]:
    if isinstance(result, ExecutionResult):
        return [result.formatted]
    rest = [payload.formatted async for payload in result.subsequent_results]
    return [result.initial_result.formatted, *rest]


async def _both(query: str) -> tuple[list[Any], list[Any]]:
    """The engine's payloads and graphql-core's."""
    document = parse(query)
    assert validate(SCHEMA, document) == []
    ours = await Engine(SCHEMA).plan(document).deliver(ROOT, None, {}, {})
    theirs: Any = experimental_execute_incrementally(SCHEMA, document, ROOT)
    return await _payloads(ours), await _payloads(
        await theirs if asyncio.iscoroutine(theirs) else theirs
    )


@pytest.mark.parametrize(
    "query",
    [
        "{ hero { id ... @defer { name } } }",
        "{ ... @defer { hero { id } } }",
        '{ hero { ...Named @defer(label: "L") } } fragment Named on Hero { name }',
        "{ hero { ... @defer(if: false) { name } ... @defer { late { id } } } }",
        "{ heroes { id ... @defer { name late { id } } } }",
        '{ hero { ... @defer(label: "empty") { ... @defer(label: "full") { name } } } }',
        "{ hero { id ... @defer { broken } } }",
        "{ heroes { id needed { id } ... @defer { name } } }",
        "{ hero { friends { id needed { id } ... @defer { name } } } }",
        "{ hero { ... @defer { friends { id needed { id } } } } }",
        "{ nobody { id ... @defer { name } } }",
        "{ hero { id ... @defer { id } } }",
    ],
)
async def test_the_payloads_are_those_of_graphql_core(query: str) -> None:
    ours, theirs = await _both(query)

    assert ours == theirs


@pytest.mark.parametrize(
    "query",
    [
        '{ hero { ... @defer(label: "lost") { late { id needed { id } } } ... @defer { broken } } }',
        "{ hero { ... @defer { late { id } ... @defer { name late { name friends { ... @defer { name } } } } } } }",
        "{ ... @defer { hero { late { id } } } ... @defer { hero { late { id name } name } } }",
        "{ hero { late { id } ... @defer { late { id name ... @defer { friends { id } } } } } }",
        "{ ... @defer { hero { name ... @defer { name late { id } } } ... @defer { hero { late { name } } } } }",
        "{ heroes { ... @defer { friends { ... @defer { late { name } } needed { id } } } ... @defer { name } } }",
    ],
)
async def test_what_comes_together_may_differ_and_not_what_comes_out(query: str) -> None:
    ours, theirs = await _both(query)

    assert ours[0] == theirs[0]
    assert merged(ours) == merged(theirs)


async def test_a_deferred_field_is_resolved_in_one_call_for_a_level() -> None:
    schema = build_schema("""
        directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
        type Query { people: [Person!]! }
        type Person { pets: [Pet!]! }
        type Pet { name: String! }
    """)
    calls: list[Sequence[Any]] = []

    async def pets(parents: Sequence[Any], _info: Any) -> Sequence[Any]:
        calls.append(parents)
        return [[{"name": f"{parent}'s dog"}] for parent in parents]

    person = schema.type_map["Person"]
    assert isinstance(person, GraphQLObjectType)
    person.fields["pets"].extensions[RESOLUTION] = Batch(pets)
    plan = Engine(schema).plan(parse("{ people { ... @defer { pets { name } } } }"))

    result = await plan.deliver({"people": ["Ann", "Bob"]}, None, {}, {})

    assert calls == []
    assert merged(await _payloads(result)) == (
        {"people": [{"pets": [{"name": "Ann's dog"}]}, {"pets": [{"name": "Bob's dog"}]}]},
        [],
    )
    assert calls == [["Ann", "Bob"]]


async def test_an_operation_that_defers_too_much_fails() -> None:
    plan = Engine(SCHEMA).plan(parse("{ many { ... @defer { name } } }"))

    (payload,) = await _payloads(await plan.deliver(ROOT, None, {}, {}))

    message = "@defer is on more than 2,000 parts of the answer."
    assert payload == {"data": None, "errors": [{"message": message}]}


async def test_too_much_inside_of_what_is_deferred_fails_alone() -> None:
    plan = Engine(SCHEMA).plan(
        parse(
            "{ hero { id } ... @defer { many { ... @defer { name } } } ... @defer { heroes { id } } }"
        )
    )

    data, (error,) = merged(await _payloads(await plan.deliver(ROOT, None, {}, {})))

    assert data == {"hero": {"id": 1}, "heroes": [{"id": 1}, {"id": 2}]}
    assert error == {"message": "@defer is on more than 2,000 parts of the answer."}


@pytest.mark.parametrize(
    ("variables", "is_deferring"), [({}, True), ({"later": True}, True), ({"later": False}, False)]
)
async def test_a_condition_is_part_of_the_plan(
    variables: dict[str, Any], is_deferring: bool
) -> None:
    plan = Engine(SCHEMA).plan(
        parse("query($later: Boolean) { hero { id ... @defer(if: $later) { name } } }")
    )

    coerced = plan.coerce(variables)

    assert plan.is_compiled
    assert plan.is_deferring(coerced) is is_deferring
    assert merged(await _payloads(await plan.deliver(ROOT, None, coerced, variables))) == (
        {"hero": {"id": 1, "name": "hero 1"}},
        [],
    )


async def test_what_is_not_put_off_is_executed_at_once() -> None:
    plan = Engine(SCHEMA).plan(parse("{ hero { id ... @defer { name } } }"))

    result = await plan.run(ROOT, None, {}, {})

    assert result.formatted == {"data": {"hero": {"id": 1, "name": "hero 1"}}}
