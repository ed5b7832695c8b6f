"""The relay: in order, at least once to jobs, exactly once to subscribers, by one leader at a time."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from dramatiq.brokers.redis import RedisBroker

from app.resources import Api
from app.settings import Settings
from app.stores import open_database, open_redis
from domain import events, feedback
from domain.events import Facets, FeedbackEvent
from jobs import broker as brokers
from jobs.relay import Relay, SupersededError
from persistence import migrate, outbox
from persistence.bus import Bus, Entry
from persistence.database import Database, StoreUnavailableError
from tests.factories import NOON, POSITIVE, Factory

SECONDS = 10


@pytest.fixture(scope="session")
async def apart(settings: Settings) -> Settings:
    """Settings with a database and a Redis database that no other test's relay looks at."""
    assert settings.database_url is not None
    name = f"relay_{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(settings.database_url)._replace(path=f"/{name}"))
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    await asyncio.to_thread(migrate.upgrade, url)
    return settings.model_copy(update={"database_url": url, "redis_url": f"{settings.redis_url}/5"})


@dataclass(frozen=True, slots=True)
class Stores:
    """What a relay uses, and a connection to look behind it."""

    settings: Settings
    database: Database
    bus: Bus
    broker: RedisBroker
    watcher: "asyncpg.Connection[asyncpg.Record]"

    def relay(self) -> Relay:
        assert self.settings.database_url is not None
        return Relay(self.database, self.bus, self.broker, direct_url=self.settings.database_url)

    async def emit(self, workspace: UUID, *ids: UUID, type: str = "ADDED") -> None:
        """Commit events, each by a transaction of its own."""
        for id_ in ids:
            async with self.database.transaction() as uow:
                event = FeedbackEvent(type, id_, Facets(UUID(int=1), None, None, NOON))
                uow.emit(workspace, event.kind, event.to_json())

    async def published(self, workspace: UUID) -> list[tuple[str, UUID]]:
        """Type and feedback of everything in the workspace's topic."""
        entries: list[Entry] = await self.bus.read(
            events.topic(workspace, events.FEEDBACK_TOPIC), 0, 10_000
        )
        assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
        found = [FeedbackEvent.from_json(entry.payload) for entry in entries]
        return [(event.type, event.feedback_id) for event in found]

    async def waiting(self) -> int:
        return int(await self.watcher.fetchval("SELECT count(*) FROM outbox"))

    def asked(self) -> int:
        """How many messages wait for the worker."""
        return int(self.broker.do_qsize(brokers.SCORES))


@pytest.fixture
async def stores(apart: Settings) -> AsyncIterator[Stores]:
    assert apart.redis_url is not None
    async with (
        open_database(apart, "relay tests") as database,
        open_redis(apart) as redis,
    ):
        await redis.flushdb()
        watcher = await asyncpg.connect(apart.database_url)
        await watcher.execute("TRUNCATE outbox")
        broker = brokers.connect(apart.redis_url)
        yield Stores(apart, database, Bus(redis, retained=10_000), broker, watcher)
        broker.close()
        await watcher.close()


@asynccontextmanager
async def leading(stores: Stores) -> AsyncIterator[None]:
    """A relay that runs."""
    task = asyncio.ensure_future(
        stores.relay().run(lambda: asyncio.get_running_loop().create_future())
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def drained(stores: Stores) -> None:
    """Until the outbox is empty."""
    async with asyncio.timeout(SECONDS):
        while await stores.waiting():
            await asyncio.sleep(0.01)


async def test_events_are_published_once_and_taken_away(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(3)]
    await stores.emit(workspace, *ids)

    delivered = await stores.relay().deliver(fence=1)
    again = await stores.relay().deliver(fence=1)

    assert (delivered, again) == (True, False)
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert await stores.waiting() == 0
    assert stores.asked() == 1


async def test_only_what_was_added_is_scored(stores: Stores) -> None:
    workspace = uuid4()
    await stores.emit(workspace, uuid4(), type="UPDATED")
    await stores.emit(workspace, uuid4(), type="SCORED")

    await stores.relay().deliver(fence=1)

    assert len(await stores.published(workspace)) == 2
    assert stores.asked() == 0


async def test_each_message_asks_for_at_most_so_many_scores(stores: Stores) -> None:
    workspace = uuid4()
    async with stores.database.transaction() as uow:
        for _ in range(2 * brokers.SCORED_AT_ONCE + 1):
            event = FeedbackEvent("ADDED", uuid4(), Facets(UUID(int=1), None, None, NOON))
            uow.emit(workspace, event.kind, event.to_json())

    await stores.relay().deliver(fence=1)

    assert stores.asked() == 3


async def test_each_workspace_has_its_order(stores: Stores) -> None:
    one, other = uuid4(), uuid4()
    ids = [uuid4() for _ in range(40)]
    for id_ in ids:
        await stores.emit(one, id_)
        await stores.emit(other, id_)
        await stores.emit(one, id_, type="SCORED")

    async with leading(stores):
        await drained(stores)

    assert await stores.published(one) == [
        (type_, id_) for id_ in ids for type_ in ("ADDED", "SCORED")
    ]
    assert await stores.published(other) == [("ADDED", id_) for id_ in ids]


async def test_a_commit_wakes_the_relay(stores: Stores) -> None:
    workspace, id_ = uuid4(), uuid4()
    async with leading(stores):
        await stores.emit(workspace, uuid4())
        await drained(stores)

        begun = asyncio.get_running_loop().time()
        await stores.emit(workspace, id_)
        await drained(stores)

        # Long before the sweep, which comes once a second.
        assert asyncio.get_running_loop().time() - begun < 0.5


async def test_what_a_crash_had_published_is_not_published_again(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(5)]
    await stores.emit(workspace, *ids)
    async with stores.database.reader() as reader:
        rows = await outbox.oldest(reader, 3)
    topic = events.topic(workspace, events.FEEDBACK_TOPIC)
    await stores.bus.publish(topic, [(str(row.id), row.payload) for row in rows], fence=1)

    async with leading(stores):
        await drained(stores)

    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert stores.asked() == 1


_BLOCKED = "SELECT pid FROM pg_stat_activity WHERE application_name = 'relay tests' AND wait_event_type = 'Lock'"


async def blocked(stores: Stores) -> int:
    """The process of the relay's statement that waits for a lock, when there is one."""
    async with asyncio.timeout(SECONDS):
        while (pid := await stores.watcher.fetchval(_BLOCKED)) is None:
            await asyncio.sleep(0.01)
    return int(pid)


async def test_a_failure_after_publishing_publishes_nothing_twice(
    stores: Stores, apart: Settings
) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(3)]
    await stores.emit(workspace, *ids)
    relay = stores.relay()
    holder = await asyncpg.connect(apart.database_url)
    async with holder.transaction():
        await holder.execute("LOCK TABLE outbox IN SHARE MODE")
        delivering = asyncio.ensure_future(relay.deliver(fence=1))
        await stores.watcher.execute("SELECT pg_terminate_backend($1)", await blocked(stores))
        with pytest.raises(StoreUnavailableError):
            await delivering
    await holder.close()
    left = await stores.waiting()

    await relay.deliver(fence=1)

    assert left == 3
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert await stores.waiting() == 0


async def test_a_superseded_relay_publishes_nothing(stores: Stores) -> None:
    workspace, first, second = uuid4(), uuid4(), uuid4()
    await stores.emit(workspace, first)
    await stores.relay().deliver(fence=2)
    await stores.emit(workspace, second)

    with pytest.raises(SupersededError):
        await stores.relay().deliver(fence=1)

    assert await stores.published(workspace) == [("ADDED", first)]
    assert await stores.waiting() == 1


_LEADER = (
    "SELECT pid FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
    " AND application_name = 'earful relay' AND datname = current_database()"
)


async def test_one_relay_leads_and_the_next_takes_over(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(30)]

    async with leading(stores), leading(stores):
        await stores.emit(workspace, *ids[:10])
        await drained(stores)
        first = await stores.watcher.fetch(_LEADER)
        await stores.watcher.execute("SELECT pg_terminate_backend($1)", first[0]["pid"])
        await stores.emit(workspace, *ids[10:])
        await drained(stores)
        second = await stores.watcher.fetch(_LEADER)

    assert (len(first), len(second)) == (1, 1)
    assert first[0]["pid"] != second[0]["pid"]
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]


async def test_a_later_leader_has_a_higher_fence(apart: Settings) -> None:
    assert apart.database_url is not None
    fences = []
    for _ in range(3):
        async with (
            outbox.lead(apart.database_url) as leadership,
            outbox.lead(apart.database_url) as second,
        ):
            assert leadership is not None
            assert second is None
            fences.append(leadership.fence)

    assert fences == sorted(set(fences))


async def test_scored_follows_added(stores: Stores, api: Api) -> None:
    factory = Factory(stores.database, api.services)
    tenant = await factory.tenant()
    await stores.watcher.execute("TRUNCATE outbox")
    async with leading(stores):
        async with stores.database.transaction() as uow:
            stored = await feedback.receive(
                uow, tenant.source_id, "msg_1", feedback.Message("Good.")
            )
        assert stored is not None
        id_ = stored.feedback.id
        async with stores.database.transaction() as uow:
            await feedback.record_scores(uow, tenant.id, [(id_, POSITIVE)], "test-model-1")
        await drained(stores)

    assert await stores.published(tenant.id) == [("ADDED", id_), ("SCORED", id_)]
