"""What a delivery is to the providers' modules: a request to verify, and what was heard in its body."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from domain.feedback import Message
from domain.signatures import BadSignatureError

TOLERANCE_SECONDS = 300
_LONGEST_STAMP = 12
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A delivery as it came: headers by lower-case name, the body as it was signed, and our clock."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime

    def required(self, *names: str) -> tuple[str, ...]:
        """The values of these headers, none of which may be missing."""
        values = tuple(self.headers.get(name, "") for name in names)
        if not all(values):
            listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            raise BadSignatureError(f"{listed} {'is' if len(names) == 1 else 'are'} required")
        return values


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a body."""

    path: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A feedback. One that `edits` takes the place of what is known by its external id.

    `part` is the piece of the body that it stands in, where that is one of several.
    """

    message: Message
    edits: bool = False
    part: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """What is no feedback, and why."""

    reason: str
    problems: tuple[Problem, ...] = ()
    part: bytes | None = None


Entry = Heard | Unheard


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body holds. `delivery` is the sender's id of it, None where it has none.

    An `answer` is what the provider waits for: then there is nothing to store.
    """

    entries: Sequence[Entry] = ()
    delivery: str | None = None
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider signs, and what its events mean.

    `verify` raises BadSignatureError, and answers an id of the delivery: a signed one, or a hash of what was signed.
    `read` is given a body, and `read_part` a part of one. The secret of a provider that `keeps_secret` is made by
    itself.
    """

    verify: Callable[[Request, Sequence[str], Settings], str]
    read: Callable[[bytes, Settings], Reading]
    read_part: Callable[[bytes, Settings], Reading] | None = None
    keeps_secret: bool = False


def of_json(read: Callable[[Any, Settings], Reading]) -> Callable[[bytes, Settings], Reading]:
    """What reads the JSON of a body, as what reads the body."""

    def read_body(body: bytes, settings: Settings) -> Reading:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return Reading((Unheard("The body is no JSON."),))
        return read(document, settings)

    return read_body


def digest(secret: str, *parts: bytes, algorithm: str = "sha256") -> bytes:
    """The HMAC of the parts in a row."""
    return hmac.new(secret.encode(), b"".join(parts), getattr(hashlib, algorithm)).digest()


def fingerprint(*signed: bytes) -> str:
    """An id of a delivery that has none. What was not signed has no part in it: a replay may differ there."""
    return "sha256:" + hashlib.sha256(b"".join(signed)).hexdigest()


def require_match(candidates: Sequence[bytes], expected: Sequence[bytes], header: str) -> None:
    """Raise unless one of what was sent is one of what should have been; how long it takes tells nothing."""
    good = False
    for candidate in candidates:
        for right in expected:
            good |= hmac.compare_digest(candidate, right)
    if not good:
        raise BadSignatureError(f"{header} does not match")


def require_recent(stamp: str, now: datetime, header: str) -> None:
    """Raise unless the seconds since 1970 are within five minutes of our clock."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP):
        raise BadSignatureError(f"{header} must be seconds since 1970")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise BadSignatureError(f"{header} is more than five minutes away")


def from_hex(text: str) -> bytes:
    """The bytes; none for what is no hex as every sender writes it, in lower case."""
    is_plain = len(text) % 2 == 0 and set(text) <= set("0123456789abcdef")
    return bytes.fromhex(text) if is_plain else b""


def from_base64(text: str) -> bytes:
    """The bytes; none for what is no base64, or the base64 of them in another spelling."""
    try:
        read = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return read if base64.b64encode(read).decode() == text else b""
