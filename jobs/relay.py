"""Delivers outbox events, in order per workspace, at least once, and wakes the workers when jobs are due.

One relay leads; others wait to take over. What a crash may have delivered already is delivered again in the same
order, and compared with the topics' last entries, so that a subscriber sees no event twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis.exceptions import RedisError

from domain import events
from jobs.broker import score_messages
from jobs.metrics import RelayMetrics
from jobs.wakes import Wakes
from persistence import outbox
from persistence.bus import Bus, BusUnavailableError, Head
from persistence.database import Database, StoreUnavailableError
from persistence.outbox import Leadership, LeadershipLostError, OutboxRow
from telemetry import trace
from telemetry.trace import Kind, Part

log = structlog.get_logger(__name__)

BATCH = 500
_MOST_HEADS = 100_000
_SWEEP_SECONDS = 1.0
_RETRY_SECONDS = 0.5
# So long a commit takes that was under way when we wanted to sleep.
_COMMIT_SECONDS = 0.005
# From so many events at once on it is better to look than to be notified.
_MANY = 8


class SupersededError(Exception):
    """A later leader has published: this one must not."""


Reaction = Callable[[Database, Sequence[OutboxRow]], Awaitable[None]]
"""What else follows from events, in Postgres. After a crash it may be asked again of the same ones: it bears that."""


class Relay:
    """Leads when it can, and then delivers what commits leave in the outbox."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        broker: RedisBroker,
        clock: Callable[[], datetime],
        *,
        direct_url: str,
        reactions: Sequence[Reaction] = (),
        metrics: RelayMetrics | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._broker = broker
        self._clock = clock
        self._direct_url = direct_url
        self._reactions = reactions
        self._metrics = metrics or RelayMetrics()

    async def run(self, when_leading: Callable[[], "asyncio.Future[None]"]) -> None:
        """Until cancelled. `when_leading` starts what only the leader does; it is cancelled with the lead."""
        while True:
            try:
                async with outbox.lead(self._direct_url) as leadership:
                    if leadership is not None:
                        log.info("relay leads", fence=leadership.fence)
                        self._metrics.leading.set(1)
                        duties = when_leading()
                        try:
                            await self._lead(leadership)
                        finally:
                            self._metrics.leading.set(0)
                            duties.cancel()
            except (StoreUnavailableError, LeadershipLostError, SupersededError) as error:
                log.warning("relay does not lead", reason=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _lead(self, leadership: Leadership) -> None:
        term = Term(leadership, self._bus, self._broker, self._react)
        wakes = Wakes(self._broker, self._clock)
        clock = asyncio.get_running_loop().time
        next_look = 0.0
        has_looked_asleep = False
        while True:
            delivered, rest = 0, _RETRY_SECONDS
            try:
                delivered = await term.deliver()
                self._metrics.delivered.inc(delivered)
                # In this order, for what is claimed is compared with entries that a new epoch takes away.
                if clock() >= next_look:
                    await term.look_for_losses()
                    next_look = clock() + _SWEEP_SECONDS
                rest = await wakes.look(leadership.reader)
            except (BusUnavailableError, RedisError) as error:
                log.warning("delivery failed", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            if delivered:
                if delivered >= _MANY:
                    await leadership.wake_up()
                has_looked_asleep = False
            elif has_looked_asleep:
                await leadership.wait(min(rest, _SWEEP_SECONDS))
                has_looked_asleep = False
            elif await leadership.fall_asleep():
                has_looked_asleep = True
            else:
                await leadership.wait(_COMMIT_SECONDS)

    async def _react(self, rows: Sequence[OutboxRow]) -> None:
        now = self._clock()
        for row in rows:
            self._metrics.waited.observe(max((now - row.created_at).total_seconds(), 0.0))
        for reaction in self._reactions:
            try:
                await reaction(self._database, rows)
            except StoreUnavailableError:
                raise
            except Exception:
                log.exception("a reaction failed", events=len(rows))
                await self._react_one_by_one(reaction, rows)

    async def _react_one_by_one(self, reaction: Reaction, rows: Sequence[OutboxRow]) -> None:
        """So that one event that nobody foresaw holds up no other: what it should have led to is left out."""
        for row in rows:
            try:
                await reaction(self._database, [row])
            except StoreUnavailableError:
                raise
            except Exception:
                self._metrics.passed_over.inc()
                log.exception("an event led to nothing", event_id=row.id, kind=row.kind)


async def _nothing(_: Sequence[OutboxRow]) -> None:
    """Where nothing else follows."""


class Term:
    """One leadership: the events it has claimed, and how far it knows the topics to have come.

    A topic that Redis finds behind that has lost entries. It counts only when Postgres has recorded it: what was
    published and not recorded is published again, to the same offsets where Redis has lost it.
    """

    def __init__(
        self,
        leadership: Leadership,
        bus: Bus,
        broker: RedisBroker,
        react: Callable[[Sequence[OutboxRow]], Awaitable[None]] = _nothing,
    ) -> None:
        self._leadership = leadership
        self._bus = bus
        self._broker = broker
        self._react = react
        # None until it is known what the leader before has claimed.
        self._claimed: list[OutboxRow] | None = None
        self._heads: dict[str, Head] = {}
        self._redis_life: str | None = None

    async def deliver(self) -> int:
        """Deliver the oldest events; answers how many."""
        if self._claimed is None:
            self._claimed = await self._leadership.claimed()
        # What is still claimed may have been published, by us or by the leader before.
        recheck = BATCH if self._claimed else 0
        rows = self._claimed = self._claimed or await self._leadership.claim(BATCH)
        if not rows:
            return 0
        with trace.each(_parts(rows), Kind.CONSUMER) as traces:
            topics = _by_topic(rows, traces)
            await self._learn(topics)
            heads = {
                topic: await self._publish(topic, entries, recheck=recheck)
                for topic, entries in topics.items()
            }
            await self._react(rows)
            await self._enqueue(_messages(rows, traces))
            await self._record([row.id for row in rows], heads)
        self._claimed = []
        return len(rows)

    async def look_for_losses(self) -> None:
        """When Redis is not the process it was, find out which topics have lost entries, and say so in them."""
        life = await self._bus.life()
        if life == self._redis_life:
            return
        known = await self._leadership.moved_lately()
        self._heads |= known
        heads = {topic: await self._publish(topic, ()) for topic in known}
        lost = {topic: head for topic, head in heads.items() if head.epoch != known[topic].epoch}
        if lost:
            log.warning("redis has lost events", topics=len(lost))
            await self._record([], lost)
        self._redis_life = life

    async def _learn(self, topics: Iterable[str]) -> None:
        """Ask Postgres how far those topics had come that we have not published to."""
        if len(self._heads) > _MOST_HEADS:
            self._heads.clear()
        if unknown := [topic for topic in topics if topic not in self._heads]:
            self._heads |= await self._leadership.heads(unknown)

    async def _publish(
        self, topic: str, entries: Sequence[tuple[str, str]], *, recheck: int = 0
    ) -> Head:
        head = await self._bus.publish(
            topic,
            entries,
            fence=self._leadership.fence,
            recheck=recheck,
            reached=self._heads.get(topic),
        )
        if head is None:
            raise SupersededError
        return head

    async def _record(self, ids: Sequence[int], heads: Mapping[str, Head]) -> None:
        await self._leadership.delivered(ids, heads)
        self._heads |= heads

    async def _enqueue(self, messages: Sequence[Message[None]]) -> None:
        def enqueue() -> None:
            for message in messages:
                self._broker.enqueue(message)

        if messages:
            await asyncio.to_thread(enqueue)


def _parts(rows: Sequence[OutboxRow]) -> dict[int, Part | None]:
    """The delivery of each, as a part of the trace that it was written in."""
    return {
        row.id: None if row.trace is None else Part(f"deliver {row.kind}", row.trace)
        for row in rows
    }


def _by_topic(
    rows: Sequence[OutboxRow], traces: Mapping[int, str]
) -> dict[str, list[tuple[str, str]]]:
    topics: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        name = events.topic(row.workspace_id, events.topic_of(row.kind))
        payload = trace.within(row.payload, traces.get(row.id))
        topics.setdefault(name, []).append((str(row.id), payload))
    return topics


def _messages(rows: Sequence[OutboxRow], traces: Mapping[int, str]) -> list[Message[None]]:
    added: dict[UUID, list[UUID]] = {}
    of: dict[UUID, str] = {}
    for row in rows:
        if row.kind == events.FEEDBACK_ADDED:
            event = events.FeedbackEvent.from_json(row.payload)
            if not event.patient:
                added.setdefault(row.workspace_id, []).append(event.feedback_id)
                if row.id in traces:
                    of[event.feedback_id] = traces[row.id]
    return [
        message
        for workspace, ids in added.items()
        for message in score_messages(workspace, ids, of)
    ]
