"""Deliveries to a source as its sender makes them, and what the store has of them."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text
from standardwebhooks import Webhook

from persistence.database import Database, Record, Statement
from tests.factories import Tenant

OCCURRED = "2026-06-15T12:00:00.123456+02:00"

_ROWS = Statement(
    text("SELECT *, CAST(metadata AS text) AS metadata_text FROM feedback ORDER BY id"), Record
)
_TRACES = Statement(
    text(
        "SELECT (SELECT count(*) FROM feedback) AS feedback,"
        " (SELECT count(*) FROM delivery) AS deliveries, (SELECT count(*) FROM outbox) AS events"
    ),
    Record,
)


def event(**data: Any) -> bytes:
    """A delivery's body around these fields of `data`."""
    return envelope({"body": "It works."} | data)


def envelope(data: Any, **fields: Any) -> bytes:
    given = {"type": "feedback.created", "timestamp": OCCURRED, "data": data}
    return json.dumps(given | fields).encode()


def sign(
    secret: str, body: bytes, *, webhook_id: str = "msg_1", at: datetime | None = None
) -> dict[str, str]:
    """The headers that the sender's library makes."""
    when = at or datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, when, body.decode()),
    }


async def post(
    http: httpx.AsyncClient, source: str, body: bytes, headers: dict[str, str]
) -> httpx.Response:
    return await http.post(f"/hooks/{source}", content=body, headers=headers)


async def deliver(
    http: httpx.AsyncClient, tenant: Tenant, body: bytes, **signing: Any
) -> httpx.Response:
    return await post(http, tenant.source_gid, body, sign(tenant.secret, body, **signing))


async def rows(database: Database) -> list[Record]:
    async with database.reader() as reader:
        return await reader.fetch(_ROWS)


async def traces(database: Database) -> tuple[int, int, int]:
    """How many feedback, deliveries and undelivered events there are."""
    async with database.reader() as reader:
        (counted,) = await reader.fetch(_TRACES)
    return (counted["feedback"], counted["deliveries"], counted["events"])


UNTOUCHED = (0, 0, 0)
