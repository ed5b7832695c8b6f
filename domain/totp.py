"""Codes of authenticator apps: RFC 6238 with what the apps take: SHA-1, six digits, thirty seconds."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

SECONDS = 30
DIGITS = 6
_DRIFT = 1
_SECRET_BYTES = 20


def new_secret() -> bytes:
    """160 random bits, as many as SHA-1 has."""
    return secrets.token_bytes(_SECRET_BYTES)


def written(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode()


def uri(secret: bytes, *, issuer: str, account: str) -> str:
    """What a QR code holds: the key URI format that all apps read."""
    label = quote(f"{issuer}:{account}", safe=":@")
    options = {"secret": written(secret), "issuer": issuer, "digits": DIGITS, "period": SECONDS}
    return f"otpauth://totp/{label}?{urlencode(options, quote_via=quote)}"


def code(secret: bytes, step: int) -> str:
    """The code of one of the half minutes since 1970."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, given: str, now: datetime, *, after: int | None) -> int | None:
    """The step whose code this is, of now or a step beside it, later than `after`; None when there is none."""
    current = int(now.timestamp()) // SECONDS
    found = None
    # All of them, so that it takes as long whichever it is.
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "surrogatepass")):
            found = step
    return None if found is None or (after is not None and found <= after) else found
