"""Public forms: what visitors of a page write, and what keeps others from writing much."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct, error
from typing import Any
from uuid import UUID

from domain import intake
from domain.checks import Checks
from domain.errors import InvalidInputError
from domain.feedback import Author, Message
from domain.intake import Incoming
from domain.masker import Masker
from domain.provider import fields
from domain.seals import Seals

LONGEST_OPEN = timedelta(days=1)
_STAMP = Struct(">Q16s")
_TAG_BYTES = 8
_TEXTS = ("body", "name", "email", "page")


@dataclass(frozen=True, slots=True)
class Written:
    """What a visitor wrote; `is_bait`: what people do not see was filled in."""

    message: Message
    stamp: str
    is_bait: bool


def stamp(seals: Seals, source_id: UUID, now: datetime) -> str:
    """When a form was opened, as only we can write it."""
    opened = _STAMP.pack(int(now.timestamp() * 1000), source_id.bytes)
    return _written(opened + seals.tag(b"form" + opened))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def opened_at(seals: Seals, source_id: UUID, text: str) -> datetime | None:
    """When the form of this source was opened; None for what we did not write."""
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        opened, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        milliseconds, of = _STAMP.unpack(opened)
    except (binascii.Error, ValueError, error):
        return None
    is_ours = hmac.compare_digest(tag, seals.tag(b"form" + opened))
    if of != source_id.bytes or not is_ours or _written(raw) != text:
        return None
    return fields.moment({"at": milliseconds / 1000}, "at")


def read(document: Any) -> Written:
    """What a page sent; InvalidInputError for what is no form."""
    checks = Checks()
    if not isinstance(document, dict):
        raise InvalidInputError("The body must be a JSON object.")
    texts = {name: _text(document, name, checks) for name in (*_TEXTS, "stamp", "website")}
    rating = document.get("rating")
    if rating is not None and (isinstance(rating, bool) or not isinstance(rating, int)):
        checks.refuse(["rating"], "must be a whole number")
    checks.done()
    author = Author(name=texts["name"] or None, email=texts["email"] or None)
    message = Message(
        body=texts["body"] or "",
        author=author if any((author.name, author.email)) else None,
        rating=rating,
        metadata=fields.kept(page=texts["page"]),
    )
    return Written(message, texts["stamp"] or "", is_bait=bool(texts["website"]))


def incoming(written: Written, now: datetime, masker: Masker | None) -> Incoming:
    """The message as it may be stored, once for each time that the form was opened; InvalidInputError if it may not."""
    delivery = f"form:{written.stamp}"
    return intake.incoming(written.message, now, delivery=delivery, edits=False, masker=masker)


def check_time(opened: datetime | None, now: datetime, *, least_seconds: int) -> None:
    """Raise InvalidInputError for who did not open the form, wrote faster than people do, or a day ago."""
    if opened is None or now - opened > LONGEST_OPEN:
        raise InvalidInputError("This form was opened too long ago. Load the page again.")
    if now - opened < timedelta(seconds=least_seconds):
        raise InvalidInputError("That was fast. Send it again in a moment.")


def _text(document: dict[str, Any], name: str, checks: Checks) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        checks.refuse([name], "must be a text")
        return None
    return value
