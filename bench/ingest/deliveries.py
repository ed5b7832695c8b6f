"""Signed deliveries, each new, made while they are sent."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator

from persistence import demo

_numbers = itertools.count(1)


def endless(port: int, source: str, secret: str) -> Iterator[bytes]:
    """POSTs of Standard Webhooks with the demo's texts; the client keeps one under way on each connection."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    texts = [text.body for text in demo.texts()]
    moment = int(time.time())
    for body, number in zip(itertools.cycle(texts), _numbers, strict=False):
        content = json.dumps(
            {
                "type": "feedback.created",
                "timestamp": "2026-06-15T12:00:00Z",
                "data": {
                    "external_id": f"ticket-{number}",
                    "body": body,
                    "rating": 1 + number % 5,
                    "author": {"name": "Ada", "email": f"ada{number % 997}@customer.example"},
                    "occurred_at": "2026-06-15T11:59:58Z",
                    "metadata": {"plan": "team", "seat": number % 50},
                },
            },
            separators=(",", ":"),
        ).encode()
        signed = b"msg_%d.%d." % (number, moment) + content
        signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        head = (
            f"POST /hooks/{source} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            f"webhook-id: msg_{number}",
            f"webhook-timestamp: {moment}",
            f"webhook-signature: v1,{signature}",
        )
        yield "\r\n".join(head).encode() + b"\r\n\r\n" + content
