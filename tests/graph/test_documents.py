"""Documents are kept as long as there is room for them, and errors say where they are."""

import pytest
from graphql import Source, build_schema

from graph import documents
from graph.documents import Documents, RequestError
from graph.engine import Engine

SCHEMA = build_schema("type Query { a: Query b: Int }")


def document(aliases: int, name: str) -> str:
    return f"query {name} {{ a {{" + "".join(f" a{i}: b" for i in range(aliases)) + " } }"


def test_many_small_ones_are_kept_and_few_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Documents(Engine(SCHEMA))
    size = known.by_text(document(100, "Q")).size
    monkeypatch.setattr(documents, "_CACHED_BYTES", 3 * size)

    for i in range(5):
        known.by_text(document(100, f"R{i}"))
    large = known.kept
    for i in range(100):
        known.by_text(document(1, f"S{i}"))

    assert large == 2
    assert known.kept > 50
    assert not known.knows(document(100, "R4"))


def test_one_that_was_asked_for_again_is_forgotten_last(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Documents(Engine(SCHEMA))
    monkeypatch.setattr(documents, "_CACHED_BYTES", 2 * known.by_text(document(9, "P")).size)
    known.by_text(document(9, "Q"))

    known.by_text(document(9, "P"))
    known.by_text(document(9, "R"))

    assert known.knows(document(9, "P"))
    assert not known.knows(document(9, "Q"))


@pytest.mark.parametrize("text", ["{ f\r\n g\n\r c d\re }", "{c}", "\n\n{c\n}"])
def test_errors_say_the_line_and_the_column(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        Documents(Engine(SCHEMA)).by_text(text)

    found = [at for error in refused.value.errors for at in error["locations"]]
    assert found == [
        dict(Source(text).get_location(i)._asdict())
        for i, each in enumerate(text)
        if each in "cdefg"
    ]
