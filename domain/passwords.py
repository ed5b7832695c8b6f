"""Passwords: argon2id with OWASP's current parameters (19 MiB, 2 passes, 1 lane), and which are too easy to guess."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.checks import Checks

SHORTEST = 12
LONGEST = 256

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# What an unknown user's password is compared with, so that it takes as long as a known one's.
_NOBODY = _HASHER.hash("nobody has this password")
_COMMON = Path(__file__).parent / "common_passwords.txt"
_TOO_EASY = "is too easy to guess: it is one of the most common, or little more than one"


def check(checks: Checks, password: str, field: str, *, about: Collection[str] = ()) -> None:
    """At least 12 characters, at most 256 so that hashing stays cheap, and nothing that is tried first.

    `about` is what is known of the person: their name and address.
    """
    checks.text(password, field, longest=LONGEST, required=True)
    if len(password) < SHORTEST:
        checks.refuse([field], f"must have at least {SHORTEST} characters")
    elif len(password) <= LONGEST and _is_easy(password, about):
        checks.refuse([field], _TOO_EASY)


def hash(password: str) -> str:  # noqa: A001 - read as passwords.hash
    """The hash to store. Takes about 20 ms of CPU: call it off the event loop."""
    return _HASHER.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether it is the password; as slow for an unknown user (None). Call it off the event loop."""
    try:
        _HASHER.verify(_NOBODY if stored is None else stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _is_easy(password: str, about: Collection[str]) -> bool:
    """Whether it is a common password or the person's own name or address: as it is, said twice, or dressed up."""
    plain = password.casefold()
    # A text that is found within its double before its end is made of a shorter one, over and over.
    unit = plain[: (plain + plain).find(plain, 1)]
    core = unit.strip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    known = {word.casefold() for text in about for word in (text, text.partition("@")[0])}
    guesses = {plain, unit, core}
    return len(core) <= 3 or not guesses.isdisjoint(_common() | known)  # noqa: PLR2004 - "", "aaa", "abc"


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
