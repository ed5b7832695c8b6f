"""What is selected under one name in one place is the same, or refused: in graphql-core's words, and in less time."""

import pytest
from graphql import GraphQLError, build_schema, parse, specified_rules, validate
from graphql.validation import OverlappingFieldsCanBeMergedRule
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import merging

SCHEMA = build_schema(
    """
    interface N { id: ID n: N x: Int }
    interface M { x(a: Int, b: Int): Int y: String n: N }
    type A implements N { id: ID n: N x: Int y: [A] u: [A!] b: B }
    type B implements M { x(a: Int, b: Int): Int y: String n: N a: A }
    type C implements N & M { id: ID x(a: Int, b: Int): Int y: String n: N u: U }
    union U = A | B | C
    type Query { n: N m: M u: U a: A b(i: I): B c: C x: Int }
    input I { k: Int j: I }
    """
)
_FIELDS = st.sampled_from(["id", "n", "x", "y", "u", "b", "a", "__typename", "unknown"])
_ALIASES = st.sampled_from(["", "", "", "", "p: ", "n: "])
_CONDITIONS = st.sampled_from(["", " on A", " on B", " on C", " on N", " on M", " on U"])
_ARGUMENTS = st.sampled_from(
    [
        *[""] * 12,
        "(a: 1)",
        "(a: 2)",
        "(a: 1, b: 2)",
        "(b: 2, a: 1)",
        "(a: $v)",
        '(a: "1")',
        '(a: """1""")',
        "(i: {k: 1, j: {k: [2, null]}})",
        "(i: {j: {k: [2, null]}, k: 1})",
    ]
)


@st.composite
def _selections(draw: st.DrawFn, depth: int, first: int) -> str:
    """A selection set that may spread the fragments from the first on."""
    written = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 9))
        below = draw(_selections(depth - 1, first)) if depth else ""
        if kind < 2 and first < 3:
            written.append(f"...F{draw(st.integers(first, 2))}")
        elif kind < 5 and depth:
            written.append(f"...{draw(_CONDITIONS)} {below}")
        else:
            chosen = below if draw(st.booleans()) else ""
            written.append(f"{draw(_ALIASES)}{draw(_FIELDS)}{draw(_ARGUMENTS)}{chosen}")
    return "{" + " ".join(written) + "}"


@st.composite
def _documents(draw: st.DrawFn) -> str:
    root = draw(st.sampled_from(["u", "n", "m"]))
    # All are used: that they are is another rule's.
    text = f"{{ {root} {draw(_selections(3, 0))} a: {root} {{ ...F0 ...F1 ...F2 }} }}"
    for i in range(3):
        on = draw(st.sampled_from("ABCNM"))
        text += f" fragment F{i} on {on} {draw(_selections(2, i + 1))}"
    return text


def found(text: str, most: int = 10_000) -> list[GraphQLError]:
    return merging.conflicts(SCHEMA, parse(text), most=most, most_errors=100)


def expected(text: str) -> list[GraphQLError]:
    return validate(SCHEMA, parse(text), [OverlappingFieldsCanBeMergedRule], max_errors=1_000)


@settings(max_examples=500, deadline=None)
@given(_documents())
def test_the_verdict_is_that_of_graphql_core(text: str) -> None:
    assert bool(found(text)) is bool(expected(text))


@pytest.mark.parametrize(
    "text",
    [
        "{ p: x p: a { id } }",
        "{ b { x(a: 1) x(a: 2) } }",
        "{ b { n { p: id } n { ... on A { p: x } } } }",
        "{ u { ... on A { y { id } } ... on B { y } } }",
        "{ u { ... on A { p: x } ... on B { p: y } } }",
        "{ u { ... on A { p: n { q: id } } ... on C { p: n { q: x } } } }",
        "{ a { ...F b { x } } } fragment F on A { b { x: y } }",
        "{ a { ...F ...G } } fragment F on A { p: id } fragment G on A { p: x }",
    ],
)
def test_it_is_told_in_the_words_of_graphql_core(text: str) -> None:
    (ours,) = found(text)
    (theirs,) = expected(text)

    assert ours.message == theirs.message
    assert ours.path == theirs.path
    assert {(at.line, at.column) for at in ours.locations or ()} == {
        (at.line, at.column) for at in theirs.locations or ()
    }


def test_no_more_is_told_than_asked_for() -> None:
    text = "{" + " ".join(f"a{i}: x a{i}: n {{ id }}" for i in range(20)) + "}"

    assert len(merging.conflicts(SCHEMA, parse(text), most=1_000, most_errors=7)) == 7


@pytest.mark.parametrize(
    ("text", "selections"),
    [
        ("{ n {" + " id" * 500 + " } }", 501),
        ("{" + " n { id }" * 250 + " }", 500),
        ("{ n {" + " ...F" * 10 + " } } fragment F on N { id x }", 13),
        (
            # Each is compared with each by graphql-core.
            "{ n {"
            + "".join(f" ...F{i}" for i in range(150))
            + " } }"
            + "".join(f" fragment F{i} on N {{ id x n {{ id }} }}" for i in range(150)),
            1 + 150 + 150 * 4,
        ),
        (
            # What is selected of the interface is looked at with each object, and the types all together.
            "{ n { n { id } ... on A { n { x } } ... on C { n { x } } } }",
            1 + 3 + 2 + 3 + 2 + 2,
        ),
    ],
    ids=["fields", "fields with selections", "a fragment", "fragments", "objects"],
)
def test_it_looks_at_all_that_is_selected_once(text: str, selections: int) -> None:
    assert validate(SCHEMA, parse(text), specified_rules) == []
    assert found(text, most=selections) == []
    with pytest.raises(merging.TooMuchError):
        found(text, most=selections - 1)


def test_what_doubles_at_each_level_is_too_much() -> None:
    levels = (
        f" fragment F{i} on N {{ n {{ ...F{i + 1} }} p: n {{ ...F{i + 1} }} }}" for i in range(18)
    )
    with pytest.raises(merging.TooMuchError):
        found("{ n { ...F0 } }" + "".join(levels) + " fragment F18 on N { id }")
