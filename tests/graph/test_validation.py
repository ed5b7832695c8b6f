"""What graphql-core's rules find is found, in its words and its order, but for what would take long to tell."""

import pytest
from graphql import GraphQLError, build_schema, parse, validate
from graphql.error import GraphQLSyntaxError
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import validation

SCHEMA = build_schema(
    """
    directive @many(n: Int!, i: I) repeatable on FIELD | QUERY | VARIABLE_DEFINITION | FRAGMENT_SPREAD
    interface N { id: ID n(first: Int, i: I): N }
    type A implements N { id: ID n(first: Int, i: I): N s(e: E!, l: [[Int!]]): String b: B }
    type B { id: ID! n(x: ID): A u: U }
    union U = A | B
    enum E { UP DOWN }
    input I { k: Int! = 1 j: I l: [E!] }
    input O @oneOf { a: Int b: E }
    type Query { n: N a(o: O): A b(id: ID!): B u: U }
    type Mutation { a: A }
    type Subscription { a: A b: B }
    """
)
_FIELDS = ["id", "n", "s", "b", "u", "a", "__typename", "__schema", "nn"]
_NAMES = ["first", "i", "e", "l", "x", "id", "o", "n", "if", "frst"]
_VARIABLES = ["v", "w", "x"]
_TYPES = ["Int", "Int!", "[Int]", "ID!", "I", "E!", "O", "Boolean!", "N", "Unknown"]
_CONDITIONS = ["", " on A", " on B", " on N", " on U", " on E", " on Unknown"]
_DIRECTIVES = ["skip", "include", "many", "defer", "stream", "deprecated", "unknown"]


@st.composite
def _values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return "$" + draw(st.sampled_from(_VARIABLES))
    if kind == 1 and depth:
        return f"[{' '.join(draw(st.lists(_values(depth - 1), max_size=2)))}]"
    if kind == 2 and depth:
        fields = draw(st.lists(st.sampled_from(["k", "j", "l", "a", "b", "kk"]), max_size=3))
        return "{" + " ".join(f"{name}: {draw(_values(depth - 1))}" for name in fields) + "}"
    return draw(st.sampled_from(["1", "-2.5", '"x"', "true", "null", "UP", "DWN"]))


@st.composite
def _given(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=2))
    return f"({' '.join(f'{name}: {draw(_values())}' for name in names)})" if names else ""


@st.composite
def _directives(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(_DIRECTIVES), max_size=2))
    return "".join(f" @{name}{draw(_given())}" for name in names)


@st.composite
def _selections(draw: st.DrawFn, depth: int) -> str:
    written = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 9))
        below = draw(_selections(depth - 1)) if depth else ""
        said = draw(_directives()) if draw(st.integers(0, 4)) == 0 else ""
        if kind == 0:
            written.append(f"...F{draw(st.integers(0, 3))}{said}")
        elif kind < 3 and below:
            written.append(f"...{draw(st.sampled_from(_CONDITIONS))}{said} {below}")
        else:
            given = draw(_given()) if draw(st.booleans()) else ""
            chosen = below if draw(st.booleans()) else ""
            written.append(f"{draw(st.sampled_from(_FIELDS))}{given}{said}{chosen}")
    return "{" + " ".join(written) + "}"


@st.composite
def _variables(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(_VARIABLES), max_size=3))
    written = [
        f"${name}: {draw(st.sampled_from(_TYPES))}"
        + (f" = {draw(_values())}" if draw(st.integers(0, 3)) == 0 else "")
        for name in names
    ]
    return f"({' '.join(written)})" if written else ""


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Operations, fragments and definitions of types, most of them wrong somewhere."""
    written = [
        f"{draw(st.sampled_from(['query', 'query', 'mutation', 'subscription']))} "
        f"{draw(st.sampled_from(['', 'P', 'Q']))}{draw(_variables())}"
        f"{draw(_directives())} {draw(_selections(3))}"
        for _ in range(draw(st.integers(1, 2)))
    ]
    written += [
        f"fragment F{draw(st.integers(0, 2))}{draw(st.sampled_from(_CONDITIONS[1:]))} {draw(_selections(2))}"
        for _ in range(draw(st.integers(0, 3)))
    ]
    if draw(st.integers(0, 9)) == 0:
        written.append("type T @many(n: 1) @unknown @deprecated @deprecated { x: Int }")
    return " ".join(written)


def told(errors: list[GraphQLError]) -> list[tuple[str, list[str]]]:
    return [(each.message, [str(at) for at in each.locations or ()]) for each in errors]


@settings(max_examples=120, deadline=None)
@given(text=_documents())
def test_the_errors_are_those_of_graphql_core(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "MOST_TOLD", 1_000_000)
        patch.setattr(validation, "MOST_SUGGESTED", 1_000_000)
        try:
            node = parse(text)
        except GraphQLSyntaxError:
            return
        found = validation.validated(SCHEMA, node, most_errors=1_000)

    assert told(found) == told(validate(SCHEMA, node, validation.RULES, max_errors=1_000))


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F0 } "
        + " ".join(f"fragment F{i} on N {{ n {{ ...F{i + 1} }} }}" for i in range(250)),
        "{" + " nn" * 20 + "}",
        "query Q($v: ID!) { b(id: $v) { id } } " * 3,
        "{ a { ...F } } fragment F on A { s(e: $v) }",
        "query ($v: Int) { a { ...F } } fragment F on A { n(i: {l: [$v]}) { id } }",
        '{ n(i: "$v") { id } }',
    ],
    ids=["nested", "too many", "again", "undefined", "position", "string"],
)
def test_a_walk_ends_as_theirs_does(text: str) -> None:
    node = parse(text)

    found = validation.validated(SCHEMA, node, most_errors=3)

    assert found
    assert told(found) == told(validate(SCHEMA, node, validation.RULES, max_errors=3))


def test_what_a_name_may_have_meant_is_told_of_the_first_three() -> None:
    found = validation.validated(SCHEMA, parse("{ nn aa bb uu }"), most_errors=10)

    assert ["Did you mean" in each.message for each in found] == [True, True, True, False]


def test_to_stream_what_a_union_is_called_is_refused() -> None:
    (found,) = validation.validated(SCHEMA, parse("{ u { __typename @stream } }"), most_errors=10)

    assert found.message == "Unknown directive '@stream'."


def test_long_errors_are_few() -> None:
    unknown = " ".join(f"{'x' * 250}{i}: 1" for i in range(10))

    (first, last) = validation.validated(
        SCHEMA, parse(f"{{ n {{ n(i: {{{unknown}}}) {{ id }} }} }}"), most_errors=10
    )

    assert first.message.startswith("Expected value of type 'I' not to include unknown field 'x")
    assert last.message == "Too many validation errors, error limit reached. Validation aborted."
