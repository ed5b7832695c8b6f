"""A Redis that has lost its last entries, or all: subscribers are told, whatever else died at the same time."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import redis.asyncio
from redis.exceptions import RedisError

from app.embedded import valkey
from domain.events import FeedbackEvent
from persistence import bus as buses
from persistence.bus import Bus, Head
from tests.jobs.relays import FACETS, SECONDS, Stores, topic_of

Kept = dict[Any, Any]


async def kept(stores: Stores) -> Kept:
    """All that Redis has, as its disk or a replica may keep it."""
    return {key: await stores.redis.dump(key) for key in await stores.redis.keys()}


async def lose(stores: Stores, kept: Kept) -> None:
    """Let Redis have what was kept, and nothing of what came later."""
    await stores.redis.flushdb()
    for key, value in kept.items():
        await stores.redis.restore(key, 0, value)


async def publish_and_crash(stores: Stores) -> None:
    """A leader that dies between publishing and taking away."""
    async with stores.lead() as leadership:
        rows = await leadership.claim(500)
        topics = {topic_of(row.workspace_id) for row in rows}
        known = await leadership.heads(list(topics))
        for topic in topics:
            events = [(str(r.id), r.payload) for r in rows if topic_of(r.workspace_id) == topic]
            await stores.bus.publish(
                topic, events, fence=leadership.fence, reached=known.get(topic)
            )


async def test_a_delivery_records_how_far_it_has_brought_its_topics(stores: Stores) -> None:
    one, other = uuid4(), uuid4()
    await stores.emit(one, uuid4(), uuid4())
    await stores.emit(other, uuid4())
    await stores.deliver()
    first = await stores.recorded(one), await stores.recorded(other)

    await stores.emit(one, uuid4())
    await stores.deliver()

    heads = await stores.head(one), await stores.head(other)
    assert [head.offset for head in heads] == [3, 1]
    assert first == (Head(heads[0].epoch, 2), heads[1])
    assert (await stores.recorded(one), await stores.recorded(other)) == heads


async def test_a_lost_tail_begins_an_epoch_beyond_all_offsets_that_were_seen(
    stores: Stores,
) -> None:
    workspace, last = uuid4(), uuid4()
    async with stores.term() as term:
        await stores.emit(workspace, uuid4())
        await term.deliver()
        tail = await kept(stores)
        await stores.emit(workspace, uuid4(), uuid4())
        await term.deliver()
        before = await stores.head(workspace)
        await lose(stores, tail)
        await stores.emit(workspace, last)

        await term.deliver()

    after = await stores.head(workspace)
    assert after.epoch != before.epoch
    assert after.offset > before.offset + 500
    # Nothing of the old epoch is replayed in the new one.
    assert await stores.entries(workspace) == [(after.offset, last)]
    assert await stores.recorded(workspace) == after


async def test_a_leader_that_never_published_to_a_topic_knows_its_loss(stores: Stores) -> None:
    workspace, last = uuid4(), uuid4()
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    tail = await kept(stores)
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    before = await stores.head(workspace)
    await lose(stores, tail)
    await stores.emit(workspace, last)

    await stores.deliver()

    after = await stores.head(workspace)
    assert after.epoch != before.epoch
    assert await stores.entries(workspace) == [(after.offset, last)]


async def test_an_emptied_redis_reuses_no_offset(stores: Stores) -> None:
    workspace, last = uuid4(), uuid4()
    await stores.emit(workspace, uuid4(), uuid4())
    await stores.deliver()
    before = await stores.head(workspace)
    await stores.redis.flushdb()
    asked = await stores.head(workspace)
    await stores.emit(workspace, last)

    await stores.deliver()

    after = await stores.head(workspace)
    assert len({before.epoch, asked.epoch, after.epoch}) == 3
    assert after.offset > before.offset + 500
    assert await stores.entries(workspace) == [(after.offset, last)]


async def test_an_epoch_that_has_ended_does_not_come_back(stores: Stores) -> None:
    workspace = uuid4()
    await stores.emit(workspace, uuid4(), uuid4())
    await stores.deliver()
    first, of_first = await stores.head(workspace), await kept(stores)
    await stores.redis.flushdb()
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    second = await stores.head(workspace)
    await lose(stores, of_first)
    await stores.emit(workspace, uuid4())

    await stores.deliver()

    third = await stores.head(workspace)
    assert len({first.epoch, second.epoch, third.epoch}) == 3
    assert third.offset > second.offset > first.offset


async def test_what_a_leader_recorded_after_redis_had_lost_it_is_missed(stores: Stores) -> None:
    workspace = uuid4()
    holder = await asyncpg.connect(stores.direct_url)
    async with stores.term() as term:
        await stores.emit(workspace, uuid4())
        await term.deliver()
        tail = await kept(stores)
        await stores.emit(workspace, uuid4())
        async with holder.transaction():
            await holder.execute("LOCK TABLE outbox IN SHARE MODE")
            delivering = asyncio.ensure_future(term.deliver())
            await stores.blocked()
            await lose(stores, tail)
        await delivering
        before = await stores.head(workspace)

        await term.look_for_losses()
    await holder.close()

    after = await stores.head(workspace)
    assert before.offset == 1
    assert after.epoch != before.epoch
    assert await stores.entries(workspace) == []
    assert await stores.recorded(workspace) == after


# Redis and the leader at the same time


async def test_what_was_published_and_lost_before_it_was_recorded_gets_the_same_offsets(
    stores: Stores,
) -> None:
    workspace, first, early, late = uuid4(), uuid4(), uuid4(), uuid4()
    await stores.emit(workspace, first)
    await stores.deliver()
    tail = await kept(stores)
    slow = await asyncpg.connect(stores.direct_url)
    async with slow.transaction():
        # Its id is the lower one, and it is seen later.
        await slow.execute(
            "INSERT INTO outbox (workspace_id, kind, payload) VALUES ($1, 'feedback.added', $2)",
            workspace,
            FeedbackEvent("ADDED", late, FACETS).to_json(),
        )
        await stores.emit(workspace, early)
        await publish_and_crash(stores)
        seen, before = await stores.entries(workspace), await stores.head(workspace)
    await slow.close()
    await lose(stores, tail)

    async with stores.leading():
        await stores.drained()

    assert seen == [(1, first), (2, early)]
    assert await stores.entries(workspace) == [*seen, (3, late)]
    assert await stores.head(workspace) == Head(before.epoch, 3)


async def test_an_epoch_that_was_begun_and_not_recorded_goes_on(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(2)]
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    await stores.redis.flushdb()
    await stores.emit(workspace, *ids)
    await publish_and_crash(stores)
    begun, entries = await stores.head(workspace), await stores.entries(workspace)

    await stores.deliver()

    assert [id_ for _, id_ in entries] == ids
    assert await stores.entries(workspace) == entries
    assert await stores.head(workspace) == await stores.recorded(workspace) == begun


async def test_a_begun_epoch_that_was_lost_before_it_was_recorded_has_a_successor(
    stores: Stores,
) -> None:
    workspace, id_ = uuid4(), uuid4()
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    await stores.redis.flushdb()
    await stores.emit(workspace, id_)
    await publish_and_crash(stores)
    begun = await stores.head(workspace)
    await stores.redis.flushdb()

    await stores.deliver()

    after = await stores.head(workspace)
    assert after.epoch != begun.epoch
    assert await stores.entries(workspace) == [(after.offset, id_)]


async def test_what_survived_of_an_ended_epoch_is_not_published_again(stores: Stores) -> None:
    workspace, survived, fresh = uuid4(), uuid4(), uuid4()
    await stores.emit(workspace, uuid4(), uuid4())
    await stores.deliver()
    await stores.emit(workspace, survived)
    await publish_and_crash(stores)
    meta = f"earful:{{{topic_of(workspace)}}}:meta"
    await stores.redis.hset(meta, "offset", 1)
    await stores.emit(workspace, fresh)

    async with stores.leading():
        await stores.drained()

    after = await stores.head(workspace)
    assert await stores.entries(workspace) == [(after.offset, fresh)]


async def test_a_topic_of_which_nothing_is_recorded_is_taken_as_it_is(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(2)]
    await stores.emit(workspace, ids[0])
    await stores.deliver()
    before = await stores.head(workspace)
    await stores.watcher.execute("TRUNCATE topic_head")
    await stores.emit(workspace, ids[1])

    await stores.deliver()

    assert await stores.entries(workspace) == [(1, ids[0]), (2, ids[1])]
    assert await stores.head(workspace) == Head(before.epoch, 2)


async def test_a_stream_that_keeps_less_than_a_batch_repeats_nothing(stores: Stores) -> None:
    workspace = uuid4()
    small = replace(stores, bus=Bus(stores.redis, retained=1))
    async with small.database.transaction() as uow:
        for _ in range(250):
            event = FeedbackEvent("ADDED", uuid4(), FACETS)
            uow.emit(workspace, event.kind, event.to_json())
    await publish_and_crash(small)
    before = await small.entries(workspace)

    await small.deliver()

    assert len(before) == 250
    assert await small.entries(workspace) == before


# Telling it


async def test_followers_are_told_of_a_loss_though_nothing_happens(stores: Stores) -> None:
    workspace = uuid4()
    topic = topic_of(workspace)
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    tail = await kept(stores)
    await stores.emit(workspace, uuid4())
    await stores.deliver()
    before = await stores.head(workspace)
    await lose(stores, tail)
    async with stores.bus.listen() as listener:
        await listener.follow(topic)
        confirmed = await listener.next(timeout=SECONDS)

        async with stores.term() as term:
            await term.look_for_losses()
        told = await listener.next(timeout=SECONDS)

    assert confirmed is not None
    assert told is not None
    assert (told.topic, told.entry is not None and told.entry.payload) == (topic, b"")
    after = await stores.head(workspace)
    assert told.epoch == after.epoch != before.epoch
    assert await stores.recorded(workspace) == after


async def test_a_redis_that_has_lost_nothing_is_looked_at_once(stores: Stores) -> None:
    workspace = uuid4()
    await stores.emit(workspace, uuid4())
    async with stores.term() as term:
        await term.deliver()
        before = await stores.head(workspace)

        await term.look_for_losses()
        await stores.redis.flushdb()
        await term.look_for_losses()

    # It is the same process, so it is not asked about every topic again.
    assert await stores.redis.keys() == []
    assert await stores.recorded(workspace) == before


# A real one


@asynccontextmanager
async def running(directory: Path, port: int) -> AsyncIterator["redis.asyncio.Redis"]:
    """Valkey with an append-only file, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(str(valkey._binary()), "--port", str(port), "--dir", str(directory), "--save", ""),
        *("--appendonly", "yes", "--bind", "127.0.0.1"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    client = buses.connect(f"redis://127.0.0.1:{port}/0")
    try:
        async with asyncio.timeout(SECONDS):
            while not await answers(client):
                await asyncio.sleep(0.02)
        yield client
    finally:
        await client.aclose()
        process.kill()
        await process.wait()


async def answers(client: "redis.asyncio.Redis") -> bool:
    try:
        return bool(await client.ping())
    except RedisError:
        return False


@pytest.mark.parametrize("lost", [1, 100, 300])
async def test_a_power_loss_that_tears_the_append_only_file_is_told(
    stores: Stores, lost: int
) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(4)]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name), port) as client:
            there = replace(stores, bus=Bus(client, retained=1_000), redis=client)
            await there.emit(workspace, ids[0])
            await there.deliver()
            # A call of several events is lost as a whole, wherever the file is torn.
            await there.emit(workspace, *ids[1:3])
            await there.deliver()
            before = await there.head(workspace)
        (log,) = Path(name).glob("appendonlydir/*.incr.aof")
        os.truncate(log, log.stat().st_size - lost)
        async with running(Path(name), port) as client:
            there = replace(stores, bus=Bus(client, retained=1_000), redis=client)
            torn = await there.entries(workspace), await there.head(workspace)
            await there.emit(workspace, ids[3])
            await there.deliver()
            after = await there.head(workspace)
            entries = await there.entries(workspace)

    assert torn == ([(1, ids[0])], Head(before.epoch, 1))
    assert after.epoch != before.epoch
    assert entries == [(after.offset, ids[3])]
