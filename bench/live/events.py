"""The events: rows that exist, as the servers shall deliver them, and how each server is told of one.

Earful's are published as its relay does, and its server loads the row; the others' events hold all that is delivered.
"""

import asyncio
import base64
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import redis

from domain import events, ids
from domain.ids import Kind
from persistence import bus

COUNT = 64
FIELD = "feedbackEvents"
QUERY = """subscription Live($workspaceId: ID!) { feedbackEvents(workspaceId: $workspaceId) {
    ... on FeedbackEvent { cursor type feedback { id body rating language occurredAt receivedAt } } } }"""
# Bodies of this many characters make frames of about 350 bytes.
_SHORTEST, _LONGEST = 20, 50
_RETAINED = 50_000


@dataclass(frozen=True, slots=True)
class Row:
    """A feedback, as the stores hold it: texts, so that it can go to another process."""

    id: str
    source: str
    body: str
    rating: int | None
    language: str | None
    label: str | None
    occurred_at: str
    received_at: str

    def delivered(self, cursor: str) -> dict[str, Any]:
        """What a subscriber shall get."""
        return {
            "cursor": cursor,
            "type": "ADDED",
            "feedback": {
                "id": ids.write(Kind.FEEDBACK, UUID(hex=self.id)),
                "body": self.body,
                "rating": self.rating,
                "language": self.language,
                "occurredAt": self.occurred_at,
                "receivedAt": self.received_at,
            },
        }

    def announced(self) -> str:
        """What Earful's relay would publish."""
        facets = events.Facets(
            UUID(hex=self.source),
            self.rating,
            self.label,
            datetime.fromisoformat(self.occurred_at),
        )
        return events.FeedbackEvent("ADDED", UUID(hex=self.id), facets).to_json()


async def rows(url: str) -> tuple[str, list[Row]]:
    """The workspace to watch (hexadecimal), and the feedback that its events are about."""
    connection = await asyncpg.connect(url)
    try:
        workspace = await connection.fetchval("SELECT id FROM workspace WHERE slug = 'small'")
        found = await connection.fetch(
            "SELECT * FROM feedback WHERE workspace_id = $1 AND length(body) BETWEEN $2 AND $3"
            " AND rating IS NOT NULL ORDER BY id LIMIT $4",
            workspace,
            _SHORTEST,
            _LONGEST,
            COUNT,
        )
    finally:
        await connection.close()
    return workspace.hex, [
        Row(
            id=row["id"].hex,
            source=row["source_id"].hex,
            body=row["body"],
            rating=row["rating"],
            language=row["language"],
            label=row["sentiment_label"],
            occurred_at=_text(row["occurred_at"]),
            received_at=_text(row["received_at"]),
        )
        for row in found
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Publisher(Protocol):
    """Tells a server of events."""

    def prepare(self, number: int, row: Row) -> bytes:
        """What to publish, made before the clock starts."""

    def publish(self, prepared: Sequence[bytes]) -> None:
        """Publish in order, in one write."""


class Relay:
    """Publishes to a workspace's topic through Earful's bus."""

    def __init__(self, url: str, workspace: str) -> None:
        self._topic = events.topic(UUID(hex=workspace), events.FEEDBACK_TOPIC)
        self._loop = asyncio.new_event_loop()
        self._bus = bus.Bus(bus.connect(url), retained=_RETAINED)

    def prepare(self, number: int, row: Row) -> bytes:
        return b"bench-%d|" % number + row.announced().encode()

    def publish(self, prepared: Sequence[bytes]) -> None:
        pairs = [each.decode().split("|", 1) for each in prepared]
        told = self._bus.publish(self._topic, [(key, event) for key, event in pairs], fence=1)
        if not self._loop.run_until_complete(told):
            raise RuntimeError("A relay has published to this topic; run without --keep")


class Channel:
    """Publishes what is delivered, as JSON, to a channel of the server's own."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis = redis.Redis.from_url(url)
        self._channel = channel

    def prepare(self, number: int, row: Row) -> bytes:
        return orjson.dumps(row.delivered(_cursor(number)))

    def publish(self, prepared: Sequence[bytes]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for each in prepared:
                pipeline.publish(self._channel, each)
            pipeline.execute()


class Emitter(Channel):
    """As mqemitter-redis publishes."""

    def prepare(self, number: int, row: Row) -> bytes:
        event = {FIELD: row.delivered(_cursor(number))}
        message = {"topic": self._channel, "payload": event}
        return b"".join(_packed({"id": f"bench-{number}", "msg": message}))


PUBLISHERS: Mapping[str, type[Relay | Channel]] = {
    "relay": Relay,
    "channel": Channel,
    "emitter": Emitter,
}


def _cursor(number: int) -> str:
    """As long as Earful's cursors are, and as unlike each other."""
    return base64.urlsafe_b64encode(b"0badcafe:%d" % number).decode().rstrip("=")


def _packed(value: Any) -> Iterator[bytes]:
    """A value as MessagePack: what an event consists of."""
    match value:
        case dict():
            yield b"\xde" + len(value).to_bytes(2, "big")
            for part in itertools.chain.from_iterable(value.items()):
                yield from _packed(part)
        case str():
            text = value.encode()
            yield b"\xda" + len(text).to_bytes(2, "big") + text
        case int():
            yield b"\xd2" + value.to_bytes(4, "big", signed=True)
        case None:
            yield b"\xc0"
        case _:
            raise TypeError(type(value))
