"""Zendesk: https://developer.zendesk.com/documentation/webhooks/verifying/.

A webhook is subscribed to events, or connected to a trigger, whose body its admin writes: then the fields of our own.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from domain.feedback import Author, Message
from domain.provider import standard
from domain.provider.delivery import (
    TOLERANCE_SECONDS,
    Entry,
    Heard,
    Provider,
    Reading,
    Request,
    Unheard,
    digest,
    fingerprint,
    from_base64,
    of_json,
    require_match,
)
from domain.provider.fields import at, kept, moment, name, text
from domain.signatures import BadSignatureError

_SIGNATURE = "x-zendesk-webhook-signature"
_TIME = "x-zendesk-webhook-signature-timestamp"
_EVENTS = "zen:event-type:"
_OPENING = timedelta(minutes=1)


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    header, stamp = request.required(_SIGNATURE, _TIME)
    signed = stamp.encode()
    expected = [digest(secret, signed, request.body) for secret in secrets]
    require_match([from_base64(header)], expected, _SIGNATURE)
    sent = moment({"at": stamp}, "at")
    if sent is None or abs((request.now - sent).total_seconds()) > TOLERANCE_SECONDS:
        raise BadSignatureError(f"{_TIME} is more than five minutes away")
    return fingerprint(signed, request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    kind = text(document, "type")
    if kind is None or not kind.startswith(_EVENTS):
        return Reading((standard.of_data(document),))
    return Reading((_entry(kind.removeprefix(_EVENTS), document),), name(document, "id"))


def _entry(kind: str, document: Any) -> Entry:
    ticket, comment = at(document, "detail"), at(document, "event", "comment")
    ticket_id = name(ticket, "id")
    body, subject = text(ticket, "description"), text(ticket, "subject")
    external_id = f"ticket:{ticket_id}"
    author = Author(external_id=name(ticket, "requester_id"))
    said_at = moment(ticket, "created_at")
    if kind == "ticket.comment_added" and comment is not None:
        if at(comment, "author", "is_staff") is True or at(comment, "is_public") is False:
            return Unheard("It was not written by a customer.")
        writer = at(comment, "author")
        author = Author(text(writer, "name"), external_id=name(writer, "id"))
        if not _is_the_ticket(document):
            body, subject = text(comment, "body"), None
            external_id = f"comment:{name(comment, 'id')}"
            said_at = moment(document, "time")
    elif kind != "ticket.created":
        return Unheard(f"The event {kind} holds no words of a customer.")
    if body is None:
        return Unheard("It has no text.")
    if subject is not None and not body.startswith(subject):
        body = f"{subject}\n\n{body}"
    message = Message(
        body=body,
        external_id=external_id,
        author=author,
        occurred_at=said_at,
        metadata=kept(
            ticket=ticket_id,
            channel=at(ticket, "via", "channel"),
            priority=at(ticket, "priority"),
            tags=at(ticket, "tags"),
        ),
    )
    return Heard(message)


def _is_the_ticket(document: Any) -> bool:
    """Whether a comment is the first of its ticket, whose description it is: `ticket.created` tells of it as well."""
    said_at, opened_at = moment(document, "time"), moment(document, "detail", "created_at")
    if said_at is None or opened_at is None or said_at - opened_at > _OPENING:
        return False
    described, said = text(document, "detail", "description"), at(document, "event", "comment")
    return described is not None and described.split() == (text(said, "body") or "").split()


ZENDESK = Provider(verify, of_json(read), keeps_secret=True)
