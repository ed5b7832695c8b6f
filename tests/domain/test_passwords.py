"""Passwords: which are refused, and hashes by other parameters."""

import pytest
from argon2 import PasswordHasher

from domain import passwords
from domain.checks import Checks
from domain.errors import InvalidInputError

EASY = "is too easy to guess: it is one of the most common, or little more than one"


def refused(password: str, *about: str) -> list[str]:
    """What is wrong with it."""
    checks = Checks()
    passwords.check(checks, password, "password", about=about)
    try:
        checks.done()
    except InvalidInputError as error:
        return [field.message for field in error.fields]
    return []


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc",
        "QWERTY123456",
        "password1234",
        "!!Password!!2026",
        "PasswordPassword",
        "passwordpasswordpassword",
        "dragon dragon dragon ",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabc",
        "123456789012",
        "2026-11-23 12:00",
        "............",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert refused(password) == [EASY]


@pytest.mark.parametrize(
    "password", ["Grace Hopper", "grace@example.com", "grace.hopper1", "1906 Grace Hopper 1906!"]
)
def test_ones_own_name_and_address_are_refused(password: str) -> None:
    assert refused(password, "Grace Hopper", "grace@example.com", "grace.hopper@example.com") == [
        EASY
    ]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "earful-demo-password",
        "grace under pressure",
        "x7#kQ2!pL9@w",
        "тихий океан в ноябре",
        "x" * 200 + "y",
    ],
)
def test_what_is_long_and_not_common_is_taken(password: str) -> None:
    assert refused(password, "Grace", "grace@example.com") == []


def test_a_password_is_told_all_that_is_wrong_with_it() -> None:
    assert refused("short") == ["must have at least 12 characters"]
    assert refused("x" * 257) == ["must have at most 256 characters, has 257"]
    assert refused("") == ["must not be blank", "must have at least 12 characters"]


def test_the_common_ones_are_those_of_the_list() -> None:
    common = passwords._common()

    assert {"123456", "password", "1qaz2wsx3edc"} <= common
    assert len(common) == 10_173


def test_a_hash_is_outdated_by_other_parameters() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("x")

    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hash("x"))
    assert passwords.verify(old, "x")


@pytest.mark.parametrize(
    "stored", [None, "", "no hash", pytest.param(passwords.hash("other"), id="hash")]
)
def test_what_does_not_fit_is_not_verified(stored: str | None) -> None:
    assert not passwords.verify(stored, "nobody has this password")
