"""Stripe: https://docs.stripe.com/webhooks#verify-manually. What customers write when they cancel is feedback."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.feedback import Author, Message
from domain.provider.delivery import (
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
    require_recent,
)
from domain.provider.fields import at, kept, moment, name, text
from domain.signatures import BadSignatureError

_HEADER = "stripe-signature"
_OF_SUBSCRIPTIONS = ("customer.subscription.updated", "customer.subscription.deleted")


def verify(request: Request, secrets: Sequence[str], _: Mapping[str, Any]) -> str:
    """`t=<seconds>,v1=<hex>,v1=<hex>`: while a secret is rolled, one for each."""
    (header,) = request.required(_HEADER)
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    stamps = [value for key, value in parts if key == "t"]
    if len(stamps) != 1:
        raise BadSignatureError(f"{_HEADER} must have one time")
    signed = stamps[0].encode() + b"."
    require_match(
        [from_hex(value) for key, value in parts if key == "v1"],
        [digest(secret, signed, request.body) for secret in secrets],
        _HEADER,
    )
    require_recent(stamps[0], request.now, f"the time of {_HEADER}")
    return fingerprint(signed, request.body)


def read(document: Any, _: Mapping[str, Any]) -> Reading:
    delivery, kind = name(document, "id"), text(document, "type")
    subject = at(document, "data", "object")
    if kind not in _OF_SUBSCRIPTIONS:
        return Reading((Unheard(f"The event {kind} holds no words of a customer."),), delivery)
    comment = text(subject, "cancellation_details", "comment")
    if comment is None:
        return Reading((Unheard("The customer wrote no comment."),), delivery)
    customer = name(subject, "customer")
    message = Message(
        body=comment,
        external_id=f"{name(subject, 'id')}:cancellation",
        author=None if customer is None else Author(external_id=customer),
        occurred_at=moment(subject, "canceled_at") or moment(document, "created"),
        metadata=kept(
            event=kind,
            reason=at(subject, "cancellation_details", "reason"),
            feedback=at(subject, "cancellation_details", "feedback"),
        ),
    )
    return Reading((Heard(message, edits=True),), delivery)


STRIPE = Provider(verify, of_json(read), keeps_secret=True)
