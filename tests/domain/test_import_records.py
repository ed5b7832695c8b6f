"""Rows as files have them: quotes that are not closed take nothing with them, and cut ends are left out."""

import io
from pathlib import Path

import pytest

from domain.errors import InvalidInputError
from domain.imports import columns
from domain.imports.layout import detect
from domain.imports.records import split


def records(text: str, *, is_cut: bool = False) -> list[tuple[str, bool]]:
    """Each record, and whether it is whole."""
    found = split(io.StringIO(text, newline=""), ",", is_cut=is_cut)
    return [(record, problem is None) for record, problem in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\nc,d", [("a,b\n", True), ("c,d", True)]),
        ('"a\n""b""",c\nd\n', [('"a\n""b""",c\n', True), ("d\n", True)]),
        ('5" wide,c\n', [('5" wide,c\n', True)]),
        ('"a,1\nb,2\n"c",3\n', [('"a,1\n', False), ("b,2\n", True), ('"c",3\n', True)]),
        ('"a,1\nb,2\n', [('"a,1\n', False), ("b,2\n", True)]),
        ('"a"b,1\nc,2\n', [('"a"b,1\n', False), ("c,2\n", True)]),
        ("a\n\n\r\nb\r", [("a\n", True), ("b\r", True)]),
    ],
)
def test_records_end_where_their_quotes_allow(text: str, expected: list[tuple[str, bool]]) -> None:
    assert records(text) == expected


def test_a_quote_is_looked_for_in_a_thousand_lines_and_no_more() -> None:
    lines = [f"line {number}\n" for number in range(1_500)]

    found = records('"open\n' + "".join(lines) + '"\n')

    assert found[0] == ('"open\n', False)
    assert [record for record, is_whole in found[1:-1]] == lines


@pytest.mark.parametrize("text", ["a,b\nc,", 'a,b\n"c\nd'])
def test_what_was_cut_is_left_out(text: str) -> None:
    assert records(text, is_cut=True) == [("a,b\n", True)]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"text\nplain\n", "utf-8"),
        ("text\nGrüße\n".encode(), "utf-8"),
        ("text\nGrüße\n".encode("cp1252"), "cp1252"),
        ("text\nGrüße\n".encode() * 10 + b"\xff\n", "utf-8"),
        (b"text\n" + b"plain\n" * 100_000 + "Grüße\n".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_what_most_of_the_file_is_in(
    tmp_path: Path, body: bytes, encoding: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(body)

    assert detect(path).encoding == encoding


def test_more_columns_than_may_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b",".join(b"c%d" % number for number in range(501)) + b"\n")

    with pytest.raises(InvalidInputError, match="501 columns"):
        detect(path)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Review Text", "body"),
        ("COMMENT", "body"),
        ("star_rating", "rating"),
        ("Created At", "occurredAt"),
        ("review-id", "externalId"),
        ("Reviewer Name", "authorName"),
        ("E-Mail", "authorEmail"),
        ("Categories", "tags"),
    ],
)
def test_columns_are_guessed_by_their_names(name: str, field: str) -> None:
    assert columns.guess(["Something", name]) == {field: name}
