"""What tests of the relay use: stores of their own, and relays that lead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import redis.asyncio
from dramatiq.brokers.redis import RedisBroker

from app.settings import Settings
from app.stores import now, open_database, open_redis
from domain import events
from domain.events import Facets, FeedbackEvent
from jobs import broker as brokers
from jobs.relay import Relay, Term
from persistence import outbox
from persistence.bus import Bus, Entry, Head
from persistence.database import Database
from persistence.outbox import Leadership
from tests.factories import NOON

SECONDS = 20
FACETS = Facets(UUID(int=1), None, None, NOON)


@dataclass(frozen=True, slots=True)
class Stores:
    """What a relay uses, and connections to look behind it."""

    settings: Settings
    database: Database
    bus: Bus
    broker: RedisBroker
    redis: "redis.asyncio.Redis"
    watcher: "asyncpg.Connection[asyncpg.Record]"

    @property
    def direct_url(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[Leadership]:
        """A leadership, as soon as Postgres has noticed that the one before is over."""
        async with asyncio.timeout(SECONDS), AsyncExitStack() as stack:
            while (
                leadership := await stack.enter_async_context(outbox.lead(self.direct_url))
            ) is None:
                await stack.aclose()
            yield leadership

    @asynccontextmanager
    async def term(self) -> AsyncIterator[Term]:
        """The same, with somebody to lead, who is to be told what to do."""
        async with self.lead() as leadership:
            yield Term(leadership, self.bus, self.broker)

    async def deliver(self) -> int:
        """What a leader of its own does at once."""
        async with self.term() as term:
            return await term.deliver()

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """A relay that runs."""
        relay = Relay(self.database, self.bus, self.broker, now, direct_url=self.direct_url)
        task = asyncio.ensure_future(relay.run(lambda: asyncio.get_running_loop().create_future()))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def emit(self, workspace: UUID, *ids: UUID, type: str = "ADDED") -> None:
        """Commit events, each by a transaction of its own."""
        for id_ in ids:
            async with self.database.transaction() as uow:
                event = FeedbackEvent(type, id_, FACETS)
                uow.emit(workspace, event.kind, event.to_json())

    async def entries(self, workspace: UUID) -> list[tuple[int, UUID]]:
        """Offset and feedback of everything in the workspace's topic."""
        entries: list[Entry] = await self.bus.read(topic_of(workspace), 0, 10_000)
        return [
            (entry.offset, FeedbackEvent.from_json(entry.payload).feedback_id) for entry in entries
        ]

    async def published(self, workspace: UUID) -> list[tuple[str, UUID]]:
        """Type and feedback of everything in the workspace's topic."""
        entries: list[Entry] = await self.bus.read(topic_of(workspace), 0, 10_000)
        assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
        found = [FeedbackEvent.from_json(entry.payload) for entry in entries]
        return [(event.type, event.feedback_id) for event in found]

    async def head(self, workspace: UUID) -> Head:
        return await self.bus.head(topic_of(workspace))

    async def recorded(self, workspace: UUID) -> Head | None:
        """How far Postgres knows the topic to have come."""
        row = await self.watcher.fetchrow(
            'SELECT epoch, "offset" FROM topic_head WHERE topic = $1', topic_of(workspace)
        )
        return None if row is None else Head(*row)

    async def waiting(self) -> int:
        return int(await self.watcher.fetchval("SELECT count(*) FROM outbox"))

    async def drained(self) -> None:
        """Until the outbox is empty."""
        async with asyncio.timeout(SECONDS):
            while await self.waiting():
                await asyncio.sleep(0.01)

    def asked(self) -> int:
        """How many messages wait for the worker."""
        return int(self.broker.do_qsize(brokers.SCORES))

    async def blocked(self) -> int:
        """The process of the leader's statement that waits for a lock, when there is one."""
        async with asyncio.timeout(SECONDS):
            while (pid := await self.watcher.fetchval(_BLOCKED)) is None:
                await asyncio.sleep(0.01)
        return int(pid)


_BLOCKED = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'earful relay'"
    " AND wait_event_type = 'Lock' AND datname = current_database()"
)


def topic_of(workspace: UUID) -> str:
    return events.topic(workspace, events.FEEDBACK_TOPIC)


@asynccontextmanager
async def emptied(settings: Settings) -> AsyncIterator[Stores]:
    """Stores that no other relay looks at, empty."""
    assert settings.redis_url is not None
    async with open_database(settings, "relay tests") as database, open_redis(settings) as redis:
        await redis.flushdb()
        watcher = await asyncpg.connect(settings.database_url)
        await watcher.execute("TRUNCATE outbox, outbox_claim, topic_head")
        broker = brokers.connect(settings.redis_url)
        yield Stores(settings, database, Bus(redis, retained=10_000), broker, redis, watcher)
        broker.close()
        await watcher.close()
