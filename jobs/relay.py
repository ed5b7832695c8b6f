"""Delivers outbox events, in order per workspace, at least once: live topics first, then jobs.

One relay leads; others wait to take over. What a crash may have delivered already is compared with the
topics' last entries, so that a subscriber sees no event twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError

from domain import events
from jobs.broker import score_messages
from persistence import outbox
from persistence.bus import Bus, BusUnavailableError
from persistence.database import Database, StoreUnavailableError
from persistence.outbox import Leadership, LeadershipLostError, OutboxRow

log = structlog.get_logger(__name__)

BATCH = 500
# At least as many as one delivery may have published in vain.
_RECHECKED = 2 * BATCH
_SWEEP_SECONDS = 1.0
_RETRY_SECONDS = 0.5


class SupersededError(Exception):
    """A later leader has published: this one must not."""


class Relay:
    """Leads when it can, and then delivers what commits leave in the outbox."""

    def __init__(
        self, database: Database, bus: Bus, broker: RedisBroker, *, direct_url: str
    ) -> None:
        self._database = database
        self._bus = bus
        self._broker = broker
        self._direct_url = direct_url
        self._uncertain = 0

    async def run(self, when_leading: Callable[[], "asyncio.Future[None]"]) -> None:
        """Until cancelled. `when_leading` starts what only the leader does; it is cancelled with the lead."""
        while True:
            try:
                async with outbox.lead(self._direct_url) as leadership:
                    if leadership is not None:
                        log.info("relay leads", fence=leadership.fence)
                        duties = when_leading()
                        try:
                            await self._lead(leadership)
                        finally:
                            duties.cancel()
            except (StoreUnavailableError, LeadershipLostError, SupersededError) as error:
                log.warning("relay does not lead", reason=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _lead(self, leadership: Leadership) -> None:
        async with self._database.reader() as reader:
            self._uncertain = await outbox.newest(reader)
        while True:
            try:
                delivered = await self.deliver(leadership.fence)
            except (BusUnavailableError, RedisError) as error:
                log.warning("delivery failed", error=str(error))
                delivered = False
                await asyncio.sleep(_RETRY_SECONDS)
            if not delivered:
                await leadership.wait(_SWEEP_SECONDS)

    async def deliver(self, fence: int) -> bool:
        """Deliver the oldest events; False when there are none."""
        async with self._database.reader() as reader:
            rows = await outbox.oldest(reader, BATCH)
        if not rows:
            return False
        recheck = _RECHECKED if rows[0].id <= self._uncertain else 0
        # Until the rows are gone, a failure leaves them published without our knowing.
        settled, self._uncertain = self._uncertain, max(self._uncertain, rows[-1].id)
        for topic, entries in _by_topic(rows).items():
            published = await self._bus.publish(topic, entries, fence=fence, recheck=recheck)
            if not published:
                raise SupersededError
        await self._enqueue(_messages(rows))
        async with self._database.transaction() as uow:
            await outbox.delivered(uow, [row.id for row in rows])
        self._uncertain = settled
        return True

    async def _enqueue(self, messages: Sequence[Message[None]]) -> None:
        def enqueue() -> None:
            for message in messages:
                self._broker.enqueue(message)

        if messages:
            await asyncio.to_thread(enqueue)


def _by_topic(rows: Sequence[OutboxRow]) -> dict[str, list[tuple[str, str]]]:
    topics: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        name = events.topic(row.workspace_id, events.topic_of(row.kind))
        topics.setdefault(name, []).append((str(row.id), row.payload))
    return topics


def _messages(rows: Sequence[OutboxRow]) -> list[Message[None]]:
    added: dict[UUID, list[UUID]] = {}
    for row in rows:
        if row.kind == events.FEEDBACK_ADDED:
            event = events.FeedbackEvent.from_json(row.payload)
            added.setdefault(row.workspace_id, []).append(event.feedback_id)
    return [
        message for workspace, ids in added.items() for message in score_messages(workspace, ids)
    ]
