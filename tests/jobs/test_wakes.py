"""What wakes workers: messages that come at once, and a relay that misses no commit while it falls asleep."""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from dramatiq.errors import ConnectionClosed

from app.settings import Settings
from app.stores import now
from domain import job
from domain.events import FeedbackEvent
from domain.job import Kind, Priority
from jobs import broker as brokers
from jobs.broker import JOBS, WakefulBroker, look_message
from jobs.wakes import Wakes
from persistence import job as store
from persistence.database import new_id
from tests.jobs.relays import FACETS, SECONDS, Stores

PLAIN = Kind("plain")
WRITERS = 8


@pytest.fixture
def broker(settings: Settings) -> Iterator[WakefulBroker]:
    """A broker whose queues are empty and not another test's."""
    opened = brokers.connect(f"{settings.redis_url}/7")
    opened.client.flushdb()
    yield opened
    opened.close()


def message_of(consumer: Any) -> Any:
    """The next message, asked for as a worker asks, in a thread."""
    while True:
        found = next(consumer)
        if found is not None:
            return found


async def taken(consumer: Any) -> str:
    async with asyncio.timeout(SECONDS):
        found = await asyncio.to_thread(message_of, consumer)
    consumer.ack(found)
    return str(found.args[0])


async def test_a_message_reaches_who_waits_at_once(broker: WakefulBroker) -> None:
    consumer = broker.consume(JOBS, prefetch=4)
    next(consumer)
    waits = []
    for _ in range(20):
        waiting = asyncio.ensure_future(taken(consumer))
        await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
        begun = asyncio.get_running_loop().time()
        broker.enqueue(look_message(Priority.HIGH))
        assert await waiting == "HIGH"
        waits.append(asyncio.get_running_loop().time() - begun)
    consumer.close()

    # Long before the second for which it listens.
    assert sorted(waits)[10] < 0.5


async def test_what_came_before_anybody_listened_is_taken(broker: WakefulBroker) -> None:
    for priority in (Priority.HIGH, Priority.BULK):
        broker.enqueue(look_message(priority))
    consumer = broker.consume(JOBS, prefetch=4)

    found = {await taken(consumer) for _ in range(2)}
    consumer.close()

    assert found == {"HIGH", "BULK"}


async def test_a_broken_connection_is_said_and_the_next_consumer_works(
    broker: WakefulBroker, settings: Settings
) -> None:
    consumer = broker.consume(JOBS, prefetch=4)
    waiting = asyncio.ensure_future(asyncio.to_thread(message_of, consumer))
    with redis.Redis.from_url(f"{settings.redis_url}/7") as client:
        async with asyncio.timeout(SECONDS):
            while not waiting.done():
                for each in client.client_list():
                    if each["cmd"] == "blpop":
                        client.client_kill_filter(_id=each["id"])
                await asyncio.sleep(0.01)

    with pytest.raises(ConnectionClosed):
        await waiting
    broker.enqueue(look_message(Priority.NORMAL))
    again = broker.consume(JOBS, prefetch=4)
    assert await taken(again) == "NORMAL"
    again.close()


# The relay


def asked(stores: Stores) -> int:
    return int(stores.broker.do_qsize(JOBS))


async def enqueue(stores: Stores, *, after: timedelta = timedelta(0)) -> None:
    async with stores.database.transaction() as uow:
        await job.enqueue(uow, PLAIN, workspace=None, at=uow.now + after)


@pytest.fixture
async def idle(stores: Stores) -> Stores:
    """No jobs, one worker that does nothing, and no messages."""
    stores.broker.flush_all()
    await stores.watcher.execute("DELETE FROM job; DELETE FROM worker")
    async with stores.database.transaction() as uow:
        await store.enlist(uow, new_id(), "test")
    return stores


async def until_asked(stores: Stores, number: int) -> None:
    async with asyncio.timeout(SECONDS):
        while asked(stores) < number:
            await asyncio.sleep(0.002)


async def test_a_jobs_commit_wakes_a_worker(idle: Stores) -> None:
    async with idle.leading():
        await idle.emit(uuid4(), uuid4())
        await idle.drained()
        begun = asyncio.get_running_loop().time()
        await enqueue(idle)
        await until_asked(idle, 1)

        assert asyncio.get_running_loop().time() - begun < 0.5


async def test_a_job_for_later_wakes_a_worker_when_it_is_due(idle: Stores) -> None:
    async with idle.leading():
        await enqueue(idle, after=timedelta(seconds=0.4))
        await until_asked(idle, 1)
        moment = now()

    assert moment >= await idle.watcher.fetchval("SELECT run_at FROM job")


async def test_what_nobody_takes_is_told_again_to_all_and_more_and_more_rarely(
    idle: Stores,
) -> None:
    async with idle.database.transaction() as uow:
        await store.enlist(uow, new_id(), "another")
    wakes = Wakes(idle.broker, now)
    await enqueue(idle)
    told, rests = [], []
    async with idle.database.reader() as reader:
        for _ in range(4):
            rests.append(await wakes.look(reader))
            told.append(asked(idle))
            await asyncio.sleep(max(0, rests[-1]))

    assert told == [1, 3, 5, 7]
    assert rests == sorted(rests)


async def test_where_nothing_is_due_nobody_is_told(idle: Stores) -> None:
    await enqueue(idle, after=timedelta(hours=1))
    async with idle.database.reader() as reader:
        rest = await Wakes(idle.broker, now).look(reader)

    assert (asked(idle), rest) == (0, 1.0)


async def test_no_event_is_missed_however_writers_and_sleep_meet(stores: Stores) -> None:
    """Writers commit at random moments, so that the relay falls asleep between them again and again."""
    late: list[float] = []
    clock = asyncio.get_running_loop().time

    async def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        for _ in range(40):
            # About as long as it takes to fall asleep; sometimes a transaction takes longer than that.
            await asyncio.sleep(chance.choice((0, 0.002, 0.01, 0.03)) * chance.random())
            topic, id_ = uuid4(), uuid4()
            async with stores.database.transaction() as uow:
                event = FeedbackEvent("UPDATED", id_, FACETS)
                uow.emit(topic, event.kind, event.to_json())
            begun = clock()
            async with asyncio.timeout(SECONDS):
                while not await stores.entries(topic):
                    await asyncio.sleep(0.005)
            late.append(clock() - begun)

    async with stores.leading():
        await stores.emit(uuid4(), uuid4())
        await stores.drained()
        await asyncio.gather(*(write(number) for number in range(WRITERS)))

    # The sweep comes once a second: what it had to find was missed.
    assert len(late) == 40 * WRITERS
    assert sum(wait > 0.7 for wait in late) == 0
