"""Passwords: argon2id with OWASP's current parameters (19 MiB, 2 passes, 1 lane)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.checks import Checks

SHORTEST = 12
LONGEST = 256

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# What an unknown user's password is compared with, so that it takes as long as a known one's.
_NOBODY = _HASHER.hash("nobody has this password")


def check(checks: Checks, password: str) -> None:
    """At least 12 characters; at most 256, so that hashing stays cheap."""
    checks.text(password, "password", longest=LONGEST, required=True)
    if len(password) < SHORTEST:
        checks.refuse(["password"], f"must have at least {SHORTEST} characters")


def hash(password: str) -> str:  # noqa: A001 - read as passwords.hash
    """The hash to store. Takes about 20 ms of CPU: call it off the event loop."""
    return _HASHER.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether it is the password; as slow for an unknown user (None). Call it off the event loop."""
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return stored is not None
