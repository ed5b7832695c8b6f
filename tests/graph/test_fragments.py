"""What validation would take long for is refused: circles, and what is selected again and again."""

import pytest
from graphql import build_schema, parse

from graph import shape
from graph.documents import Documents, RequestError
from graph.engine import Engine

SCHEMA = build_schema("type Query { a(i: [Int]): Query b: Query c: Int d: Int }")
AGAIN = "The document selects more than 10,000 fields, fragments followed wherever they are spread."


def chain(length: int, last: str) -> str:
    """Fragments that spread each the next one."""
    named = (f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(length - 1))
    return " ".join(["{ ...F0 }", *named, f"fragment F{length - 1} on Query {{ {last} }}"])


def refusal(text: str) -> str | None:
    """Of a look at the document; what is not refused by that goes on to validation."""
    return shape.excess(parse(text))


def accepts(text: str) -> bool:
    return Documents(Engine(SCHEMA)).by_text(text).node is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{ ...A } fragment A on Query { ...A }", "A"),
        ("{ ...A } fragment A on Query { b { ...B } } fragment B on Query { ...{ ...A } }", "A"),
        ("{ c } fragment A on Query { ...B } fragment B on Query { ...B }", "B"),
        (chain(199, "...F0"), "F0"),
    ],
)
def test_a_circle_is_refused_before_validation(text: str, name: str) -> None:
    assert refusal(text) == f"Cannot spread fragment {name!r} within itself."


def test_a_long_chain_is_no_circle_and_no_recursion() -> None:
    assert accepts(chain(190, "b { c }"))
    assert refusal(chain(199, "b {" * 20 + "c" + "}" * 20)) == (
        "An operation is 21 levels deep; 20 are the most."
    )


@pytest.mark.parametrize(
    "text",
    [
        # Each spreads the next one twice: there is one b in it, and at the bottom there are 2 ** 17.
        "{ ...F0 }"
        + "".join(
            f" fragment F{i} on Query {{ b {{ ...F{i + 1} }} p: b {{ ...F{i + 1} }} }}"
            for i in range(18)
        )
        + " fragment F18 on Query { c }",
        "{" + "".join(f" p{i}: b {{ ...F }}" for i in range(50)) + " }"
        " fragment F on Query {" + " c" * 210 + " }",
    ],
    ids=["doubling", "places"],
)
def test_what_is_selected_again_and_again_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        accepts(text)
    assert refused.value.errors == [{"message": AGAIN, "extensions": {"code": "BAD_REQUEST"}}]


@pytest.mark.parametrize(
    "text",
    [
        "{ b {" + " c d" * 499 + " } }",
        "{ b {" + " ...F" * 500 + " } } fragment F on Query { c }",
        "{ " + "b { c d " * 19 + "}" * 19 + "}",
        "{ b {"
        + "".join(f" ...F{i}" for i in range(130))
        + " } }"
        + "".join(f" fragment F{i} on Query {{ c d b {{ c d }} }}" for i in range(130)),
    ],
    ids=["fields", "a fragment", "levels", "fragments"],
)
def test_what_people_write_is_accepted(text: str) -> None:
    assert accepts(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{ c }" + " fragment F on Query { c }" * 200,
            "The document has 201 definitions; 200 are the most.",
        ),
        ("query q { c }" * 201, "The document has 201 definitions; 200 are the most."),
        (
            "query q(" + "$v: Int @d, " * 201 + ") { c }",
            "The document has 201 variables; 200 are the most.",
        ),
    ],
)
def test_too_many_parts_are_refused_before_and_after_parsing(text: str, expected: str) -> None:
    assert shape.excess_of_text(text) == expected
    assert refusal(text) == expected


def test_a_variable_that_is_used_is_not_counted_again() -> None:
    text = "query q($i: Int) { a(i: [" + "$i " * 201 + "]) { c } }"

    assert shape.excess_of_text(text) is None
    assert accepts(text)
