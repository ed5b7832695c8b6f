"""Deliveries in the shapes that providers document, signed as they sign; nothing of this uses what verifies them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SECRET = "a-secret-of-the-provider"
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _mac(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), message, algorithm).digest()


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def standard(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message = b"msg_1." + _seconds(at).encode() + b"." + body
    signed = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": _seconds(at),
        "webhook-signature": f"v1,{signed}",
    }


def stripe(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = _mac(secret, _seconds(at).encode() + b"." + body).hex()
    return {"stripe-signature": f"t={_seconds(at)},v1={signed}"}


def github(secret: str, body: bytes, _: datetime) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={_mac(secret, body).hex()}"}


def slack(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = _mac(secret, b"v0:" + _seconds(at).encode() + b":" + body).hex()
    return {"x-slack-signature": f"v0={signed}", "x-slack-request-timestamp": _seconds(at)}


def typeform(secret: str, body: bytes, _: datetime) -> dict[str, str]:
    return {"typeform-signature": "sha256=" + base64.b64encode(_mac(secret, body)).decode()}


def intercom(secret: str, body: bytes, _: datetime) -> dict[str, str]:
    return {"x-hub-signature": f"sha1={_mac(secret, body, 'sha1').hex()}"}


def zendesk(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "x-zendesk-webhook-signature": base64.b64encode(
            _mac(secret, stamp.encode() + body)
        ).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }


def generic(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = _mac(secret, _seconds(at).encode() + b"." + body, "sha512")
    return {
        "x-shop-signature": "hmac=" + base64.b64encode(signed).decode(),
        "x-shop-time": _seconds(at),
    }


def bearer(secret: str, _: bytes, __: datetime) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


MAPPING = {
    "body": "review.text",
    "externalId": "review.id",
    "rating": "review.stars",
    "authorName": "review.by.name",
    "authorEmail": "review.by.mail",
    "occurredAt": "review.at",
    "metadata": "{shop: shop}",
}
_GENERIC: dict[str, Any] = {
    "scheme": "HMAC",
    "header": "x-shop-signature",
    "algorithm": "SHA512",
    "encoding": "BASE64",
    "prefix": "hmac=",
    "timestampHeader": "x-shop-time",
    "mapping": MAPPING,
}
_BEARER = _GENERIC | {"scheme": "BEARER", "header": "authorization", "timestampHeader": None}


@dataclass(frozen=True, slots=True)
class Sample:
    """A delivery, how it is signed, and what is in it: text, external id and rating."""

    provider: str
    document: Any
    sign: Callable[[str, bytes, datetime], dict[str, str]]
    said: tuple[str, str | None, int | None]
    signature: str
    """The header with the signature."""
    has_time: bool = True
    secret: str = SECRET
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return json.dumps(self.document).encode()


SAMPLES = {
    "STANDARD": Sample(
        "STANDARD",
        {
            "type": "feedback.created",
            "timestamp": "2026-06-15T12:00:00Z",
            "data": {"body": "It works.", "external_id": "t-1", "rating": 7},
        },
        standard,
        ("It works.", "t-1", 7),
        "webhook-signature",
        secret=STANDARD_SECRET,
    ),
    "STRIPE": Sample(
        "STRIPE",
        {
            "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "object": "event",
            "api_version": "2024-06-20",
            "created": 1781000000,
            "data": {
                "object": {
                    "id": "sub_1MowQVLkdIwHu7ixeRlqHVzs",
                    "object": "subscription",
                    "canceled_at": 1781000000,
                    "cancellation_details": {
                        "comment": "Too expensive for what it does.",
                        "feedback": "too_expensive",
                        "reason": "cancellation_requested",
                    },
                    "customer": "cus_Na6dX7aXxi11N4",
                    "status": "canceled",
                }
            },
            "livemode": True,
            "pending_webhooks": 1,
            "type": "customer.subscription.deleted",
        },
        stripe,
        ("Too expensive for what it does.", "sub_1MowQVLkdIwHu7ixeRlqHVzs:cancellation", None),
        "stripe-signature",
    ),
    "GITHUB": Sample(
        "GITHUB",
        {
            "action": "opened",
            "issue": {
                "html_url": "https://github.com/octo/shop/issues/17",
                "id": 1296269,
                "number": 17,
                "title": "Export fails",
                "body": "It says 500.",
                "created_at": "2026-06-15T12:00:00Z",
                "user": {"login": "octocat", "id": 583231, "type": "User"},
            },
            "repository": {"id": 1, "full_name": "octo/shop"},
            "sender": {"login": "octocat", "id": 583231, "type": "User"},
        },
        github,
        ("Export fails\n\nIt says 500.", "issue:1296269", None),
        "x-hub-signature-256",
        has_time=False,
    ),
    "SLACK": Sample(
        "SLACK",
        {
            "token": "XXYYZZ",
            "team_id": "T123ABC456",
            "api_app_id": "A123ABC456",
            "event": {
                "type": "message",
                "channel": "C123ABC456",
                "user": "U123ABC456",
                "text": "Love the new look &amp; feel",
                "ts": "1355517523.000005",
                "event_ts": "1355517523.000005",
                "channel_type": "channel",
            },
            "type": "event_callback",
            "event_id": "Ev123ABC456",
            "event_time": 1355517523,
        },
        slack,
        ("Love the new look & feel", "C123ABC456:1355517523.000005", None),
        "x-slack-signature",
    ),
    "TYPEFORM": Sample(
        "TYPEFORM",
        {
            "event_id": "LtWXD3crgy",
            "event_type": "form_response",
            "form_response": {
                "form_id": "lT4Z3j",
                "token": "a3a12ec67a1365927098a606107fac15",
                "submitted_at": "2026-06-15T12:00:00Z",
                "definition": {
                    "id": "lT4Z3j",
                    "title": "How was it?",
                    "fields": [
                        {"id": "DlXFaesGBpoF", "title": "What went wrong?", "type": "long_text"},
                        {"id": "SMEUb7VJz92Q", "title": "Would you recommend us?", "type": "nps"},
                    ],
                },
                "answers": [
                    {
                        "type": "text",
                        "text": "The bill was wrong.",
                        "field": {"id": "DlXFaesGBpoF", "type": "long_text"},
                    },
                    {
                        "type": "number",
                        "number": 3,
                        "field": {"id": "SMEUb7VJz92Q", "type": "nps"},
                    },
                    {
                        "type": "email",
                        "email": "ada@example.com",
                        "field": {"id": "JwWggjAKtOkA", "type": "email"},
                    },
                ],
            },
        },
        typeform,
        ("The bill was wrong.", "a3a12ec67a1365927098a606107fac15", 3),
        "typeform-signature",
        has_time=False,
    ),
    "INTERCOM": Sample(
        "INTERCOM",
        {
            "type": "notification_event",
            "app_id": "a86dr8yl",
            "id": "notif_78c122d0-23ba-11e4-9464-79b01267cc2e",
            "topic": "conversation.user.created",
            "created_at": 1781000000,
            "data": {
                "type": "notification_event_data",
                "item": {
                    "type": "conversation",
                    "id": "147",
                    "created_at": 1781000000,
                    "source": {
                        "type": "conversation",
                        "subject": "",
                        "body": "<p>Hi,</p><p>where is my <b>order</b>?</p>",
                        "author": {
                            "type": "user",
                            "id": "5ba682d23d7cf92bef87bfd4",
                            "name": "Hoban Washburne",
                            "email": "hoban@example.com",
                        },
                    },
                },
            },
        },
        intercom,
        ("Hi,\nwhere is my order?", "conversation:147", None),
        "x-hub-signature",
        has_time=False,
    ),
    "ZENDESK": Sample(
        "ZENDESK",
        {
            "account_id": 22129848,
            "detail": {
                "id": "5158",
                "subject": "Cannot log in",
                "description": "The code never comes.",
                "requester_id": "8447388090494",
                "created_at": "2026-06-15T12:00:00Z",
                "priority": "HIGH",
                "via": {"channel": "web_service"},
            },
            "event": {},
            "id": "cbe4028c-7239-495d-b020-f22348516046",
            "subject": "zen:ticket:5158",
            "time": "2026-06-15T12:00:01.123Z",
            "type": "zen:event-type:ticket.created",
            "zendesk_event_version": "2022-11-06",
        },
        zendesk,
        ("Cannot log in\n\nThe code never comes.", "ticket:5158", None),
        "x-zendesk-webhook-signature",
    ),
    "GENERIC": Sample(
        "GENERIC",
        {
            "shop": "berlin",
            "review": {
                "id": 17,
                "text": "Lovely.",
                "stars": "5",
                "at": "2026-06-15T12:00:00+02:00",
                "by": {"name": "Ada", "mail": "ada@example.com"},
            },
        },
        generic,
        ("Lovely.", "17", 5),
        "x-shop-signature",
        settings=_GENERIC,
    ),
    "GENERIC with a token": Sample(
        "GENERIC",
        {"shop": "berlin", "review": {"id": "r-1", "text": "Fine."}},
        bearer,
        ("Fine.", "r-1", None),
        "authorization",
        has_time=False,
        settings=_BEARER,
    ),
}
