"""Intercom: https://developers.intercom.com/docs/webhooks/webhook-notifications, signed with the client secret."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.feedback import Author, Message
from domain.provider.delivery import (
    Entry,
    Heard,
    Provider,
    Reading,
    Request,
    Unheard,
    digest,
    fingerprint,
    from_hex,
    of_json,
    require_match,
)
from domain.provider.fields import at, items, kept, moment, name, number, plain, text

_HEADER = "x-hub-signature"
_PREFIX = "sha1="
_CUSTOMERS = {"user", "lead", "contact"}


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    (header,) = request.required(_HEADER)
    sent = from_hex(header.removeprefix(_PREFIX)) if header.startswith(_PREFIX) else b""
    expected = [digest(secret, request.body, algorithm="sha1") for secret in secrets]
    require_match([sent], expected, _HEADER)
    return fingerprint(request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    topic, item = at(document, "topic"), at(document, "data", "item")
    if topic == "ping" or at(item, "type") == "ping":
        return Reading(answer={"pong": True})
    entries: Sequence[Entry]
    if topic == "conversation.user.created":
        entries = [
            _written(item, at(item, "source"), f"conversation:{name(item, 'id')}", "created_at")
        ]
    elif topic == "conversation.user.replied":
        parts = items(item, "conversation_parts", "conversation_parts")
        entries = [
            _written(item, part, f"part:{name(part, 'id')}", "created_at") for part in parts
        ] or [Unheard("The reply has no parts.")]
    elif topic == "conversation.rating.added":
        entries = [_rated(item)]
    else:
        entries = [Unheard(f"The topic {topic} holds no words of a customer.")]
    return Reading(entries, name(document, "id"))


def _written(item: Any, part: Any, external_id: str, time: str) -> Entry:
    author = at(part, "author")
    if at(author, "type") not in _CUSTOMERS:
        return Unheard("It was not written by a customer.")
    body = plain(text(part, "body"))
    if body is None:
        return Unheard("It has no text.")
    message = Message(
        body=body,
        external_id=external_id,
        author=Author(text(author, "name"), text(author, "email"), name(author, "id")),
        occurred_at=moment(part, time) or moment(item, time),
        metadata=_about(item),
    )
    return Heard(message)


def _rated(item: Any) -> Entry:
    rating = at(item, "conversation_rating")
    remark = text(rating, "remark")
    if remark is None:
        return Unheard("The customer rated without a remark.")
    contact = at(rating, "contact")
    message = Message(
        body=remark,
        external_id=f"rating:{name(item, 'id')}",
        author=None if contact is None else Author(external_id=name(contact, "id")),
        rating=number(rating, "rating"),
        occurred_at=moment(rating, "created_at"),
        metadata=_about(item),
    )
    return Heard(message, edits=True)


def _about(item: Any) -> dict[str, Any] | None:
    return kept(
        conversation=name(item, "id"),
        subject=plain(text(item, "source", "subject")),
        channel=at(item, "source", "type"),
        url=text(item, "links", "conversation_web"),
    )


INTERCOM = Provider(verify, of_json(read), keeps_secret=True)
