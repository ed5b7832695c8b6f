"""Codes of authenticator apps: those of RFC 6238, and which of them are taken."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from domain import totp

SECRET = b"12345678901234567890"
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
STEP = int(NOON.timestamp()) // 30


# Appendix B of the RFC has eight digits; the last six are ours.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp.code(SECRET, seconds // 30) == code


@pytest.mark.parametrize(
    ("off", "after", "taken"),
    [
        (-2, None, False),
        (-1, None, True),
        (0, None, True),
        (1, None, True),
        (2, None, False),
        (0, STEP - 1, True),
        (0, STEP, False),
        (1, STEP, True),
        (-1, STEP, False),
        (0, STEP + 1, False),
    ],
)
def test_a_step_beside_now_is_taken_and_none_that_was_used(
    off: int, after: int | None, taken: bool
) -> None:
    found = totp.step_of(SECRET, totp.code(SECRET, STEP + off), NOON, after=after)

    assert found == {True: STEP + off, False: None}[taken]


@pytest.mark.parametrize("given", ["", "0", "\ud800", "\uff11" * 6, "x" * 9_999])
def test_what_is_no_code_is_not_taken(given: str) -> None:
    assert totp.step_of(SECRET, given, NOON, after=None) is None


def test_the_uri_says_what_apps_read() -> None:
    uri = urlsplit(totp.uri(SECRET, issuer="Ear ful", account="a+b&c@example.com"))

    assert (uri.scheme, uri.netloc, uri.path) == (
        "otpauth",
        "totp",
        "/Ear%20ful:a%2Bb%26c@example.com",
    )
    assert parse_qs(uri.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["Ear ful"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_secrets_are_random() -> None:
    one, other = totp.new_secret(), totp.new_secret()

    assert len(one) == len(other) == 20
    assert one != other
