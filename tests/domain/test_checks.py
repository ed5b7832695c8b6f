"""The rules for input, one by one, and all of them at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.checks import Checks
from domain.errors import FieldError, InvalidInputError

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def refusals(checks: Checks) -> list[tuple[tuple[str, ...], str]]:
    """What `done` raises, field by field."""
    with pytest.raises(InvalidInputError) as raised:
        checks.done()
    return [(error.path, error.message) for error in raised.value.fields]


@pytest.mark.parametrize("text", ["a", " a ", "12345", "🎉🎉🎉🎉🎉", "\r\n\u200f<b", "\ufffd"])
def test_text_of_any_kind_is_good(text: str) -> None:
    checks = Checks()
    checks.text(text, "name", longest=5, required=True)

    checks.done()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is required"),
        ("", "must not be blank"),
        (" \t\n\u2003", "must not be blank"),
        ("a\x00b", "must not contain the NUL character"),
        ("\ud800", "must be valid Unicode text"),
        ("x" * 1_001, "must have at most 1,000 characters, has 1,001"),
    ],
)
def test_required_text_is_refused(text: str | None, message: str) -> None:
    checks = Checks()
    checks.text(text, "author", "name", longest=1_000, required=True)

    assert refusals(checks) == [(("author", "name"), message)]


@pytest.mark.parametrize("text", [None, "", "  "])
def test_text_that_is_not_required_may_be_missing(text: str | None) -> None:
    checks = Checks()
    checks.text(text, "name", longest=5)

    checks.done()


@pytest.mark.parametrize(
    "address",
    ["ada@example.com", "a.b+c@sub.example.co.uk", "ünï@exämple.de", "a'b@x.io", None, ""],
)
def test_an_address_as_people_have_them_is_good(address: str | None) -> None:
    checks = Checks()
    checks.email(address, "email")

    checks.done()


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "a b@example.com",
        "a@b@example.com",
        "ada@example.c",
        "ada@example.com\n",
        "ada@example.com,b@example.com",
        "<ada@example.com>",
        "a" * 65 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    checks = Checks()
    checks.email(address, "email", required=True)

    assert refusals(checks) == [(("email",), "must be an e-mail address")]


def test_an_address_that_is_no_text_is_refused_once() -> None:
    checks = Checks()
    checks.email("\x00", "email", required=True)

    assert refusals(checks) == [(("email",), "must not contain the NUL character")]


@pytest.mark.parametrize("number", [None, 0, 5, 10])
def test_a_number_within_its_bounds_is_good(number: int | None) -> None:
    checks = Checks()
    checks.number(number, "rating", least=0, most=10)

    checks.done()


@pytest.mark.parametrize("number", [-1, 11, 10**30])
def test_a_number_beyond_its_bounds_is_refused(number: int) -> None:
    checks = Checks()
    checks.number(number, "rating", least=0, most=10)

    assert refusals(checks) == [(("rating",), "must be from 0 to 10")]


@pytest.mark.parametrize(
    "moment", [None, datetime(1970, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(days=1)]
)
def test_a_moment_since_1970_is_good(moment: datetime | None) -> None:
    checks = Checks()
    checks.moment(moment, "occurredAt", now=NOW)

    checks.done()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        NOW + timedelta(days=1, microseconds=1),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_moment_out_of_range_is_refused(moment: datetime) -> None:
    checks = Checks()
    checks.moment(moment, "occurredAt", now=NOW)

    assert refusals(checks) == [(("occurredAt",), "must be from 1970 to at most one day from now")]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ({}, "{}"),
        ({"a": [1, 2.5, None, True, "ä"]}, '{"a":[1,2.5,null,true,"ä"]}'),
        ({"a": 2**64 - 1, "b": -(2**63)}, '{"a":18446744073709551615,"b":-9223372036854775808}'),
        (nested(3), '{"a":{"a":{"a":1}}}'),
    ],
)
def test_json_is_written_as_text(value: Any, text: str | None) -> None:
    checks = Checks()

    assert checks.json(value, "metadata", largest=100) == text
    checks.done()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "must be a JSON object"),
        ("{}", "must be a JSON object"),
        (0, "must be a JSON object"),
        ({"a": float("nan")}, "must not contain NaN or Infinity"),
        ({"a": [float("-inf")]}, "must not contain NaN or Infinity"),
        ({"a": "\x00"}, "must not contain the NUL character"),
        ({"\x00": 1}, "must not contain the NUL character"),
        ({"a": 2**64}, "must be JSON with numbers of at most 64 bits"),
        ({"a": "\ud800"}, "must be JSON with numbers of at most 64 bits"),
        ({"a": "x" * 100}, "must be at most 100 bytes of JSON, is 108"),
        (nested(33), "must not be nested deeper than 32 levels"),
        (nested(900), "must not be nested deeper than 32 levels"),
    ],
)
def test_what_postgres_could_not_keep_is_refused(value: Any, message: str) -> None:
    checks = Checks()

    assert checks.json(value, "metadata", largest=100) is None
    assert refusals(checks) == [(("metadata",), message)]


def test_everything_wrong_is_told_at_once() -> None:
    checks = Checks()
    checks.text("", "body", longest=5, required=True)
    checks.number(11, "rating", least=0, most=10)
    checks.refuse(["tagIds"], "must be at most 50 tags")

    with pytest.raises(InvalidInputError, match="No good\\.") as raised:
        checks.done("No good.")

    assert raised.value.fields == (
        FieldError(("body",), "must not be blank"),
        FieldError(("rating",), "must be from 0 to 10"),
        FieldError(("tagIds",), "must be at most 50 tags"),
    )
