"""What a document may look like is known from its text, and means the same as what is known once it is parsed."""

import pytest
from graphql import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import shape

_NAMES = st.sampled_from(["a", "on", "fragment", "query", "_x1", "__typename"])
_VALUES = st.sampled_from(['"}{@:..."', '"""a " {{ \\""" @ }"""', "{k: [1, -2.5e3]}", "$v", "E"])
_DIRECTIVES = st.sampled_from(["", "", "@skip(if: true)", "@a @b(x: {y: 1})"])
_SPACES = st.sampled_from([" ", "\n", ", ", " # a comment { : @ \n"])


@st.composite
def _selections(draw: st.DrawFn, depth: int = 4) -> str:
    """A selection set with fields, aliases, arguments, directives, comments and inline fragments."""
    written = []
    for _ in range(draw(st.integers(1, 4))):
        below = draw(_selections(depth - 1)) if depth and draw(st.booleans()) else ""
        if below and draw(st.integers(0, 3)) == 0:
            head = draw(st.sampled_from(["...", "... on a", "...on on"]))
        else:
            alias = draw(_NAMES) + ":" if draw(st.integers(0, 2)) == 0 else ""
            given = f"({draw(_NAMES)}: {draw(_VALUES)})" if draw(st.integers(0, 3)) == 0 else ""
            head = f"{alias}{draw(_NAMES)}{given}"
        written.append(f"{head} {draw(_DIRECTIVES)}{below}")
    return "{" + draw(_SPACES).join(written) + "}"


_HEADS = st.sampled_from(["", "query", "query fragment($v: a = {k: 1} @a) @b", "mutation on"])


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in {
        "MOST_ALIASES": 3,
        "MOST_DIRECTIVES": 4,
        "MOST_ROOT_FIELDS": 4,
        "MOST_SELECTIONS": 12,
        "MOST_DEPTH": 3,
        "MOST_TOKENS": 1_500,
        "MOST_ARGUMENT_TOKENS": 200,
        "MOST_STRING_CHARACTERS": 100,
        "MOST_DIGITS": 10,
    }.items():
        monkeypatch.setattr(shape, name, most)


@settings(max_examples=300, deadline=None)
@given(_HEADS, _selections())
def test_a_look_at_the_text_says_what_parsing_it_says(head: str, selections: str) -> None:
    text = f"{head} {selections}"

    assert shape.excess_of_text(text) == shape.excess(parse(text))


@settings(max_examples=150, deadline=None)
@given(_selections(2), _selections(2))
def test_it_refuses_nothing_with_fragments_that_is_accepted(one: str, other: str) -> None:
    text = f"query {{ ...F ...G }} fragment F on a {one} fragment G on a {other}"

    assert shape.excess_of_text(text) is None or shape.excess(parse(text)) is not None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{" + "a: b " * 4 + "(", "The document has 4 aliases; 3 are the most."),
        ("{ a " + "@b " * 5 + "(", "The document has 5 directives; 4 are the most."),
        (
            "{ a {" + " a ...F ... on a { a }" * 3,
            "The document has 13 selections; 12 are the most.",
        ),
        ("{" + " a" * 5 + " (", "An operation has 5 root fields; 4 are the most."),
        ("{a" * 4 + " (", "An operation is 4 levels deep; 3 are the most."),
        ("{" + " }" * 1_500, "The document has more than 1,500 tokens, comments included."),
        ("#\n" * 1_501 + "{ a }", "The document has more than 1,500 tokens, comments included."),
        (
            "{ a(b: [" + "-1" * 197 + "]",
            "The document's arguments have 201 tokens; 200 are the most: send them as variables.",
        ),
        (
            "{ a(b: [" + "1 " * 197 + "]",
            "The document's arguments have 201 tokens; 200 are the most: send them as variables.",
        ),
        (
            "query($v: [Int] = [" + "1 " * 192 + "]) { a }",
            "The document's arguments have 201 tokens; 200 are the most: send them as variables.",
        ),
        (
            '{ a(b: ["' + "x" * 48 + '", """' + "\n" * 45 + '"""])',
            "The document's arguments have 101 characters in strings; 100 are the most: send them as variables.",
        ),
        ("{ a(b: -1" + "0" * 9 + ")", "The document has 11 digits in a number; 10 are the most."),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_parsed(text: str, refusal: str) -> None:
    assert shape.excess_of_text(text) == refusal


@pytest.mark.parametrize("opening", ["", '"', '"""', "\\"])
@pytest.mark.parametrize("again", ['"\\', '"""\\', '\\"', '\\"""\n', '"a\n', '"""a'])
def test_each_character_of_a_string_that_does_not_end_is_looked_at_once(
    opening: str, again: str
) -> None:
    found = shape.LEXICAL.findall(opening + again * 5_000)

    assert sum(len(token) for token in found if token[0] == '"') > 5_000


@pytest.mark.parametrize("text", ["", '"', '"""', "}}}", ")(", "{...", "\\", "é{", "# only"])
def test_what_is_no_document_is_left_to_the_parser(text: str) -> None:
    assert shape.excess_of_text(text) is None
