"""The relay: in order, at least once to jobs, exactly once to subscribers, by one leader at a time."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from app.resources import Api
from domain import feedback
from domain.events import FeedbackEvent
from jobs import broker as brokers
from jobs.relay import SupersededError
from persistence import outbox
from persistence.bus import BusUnavailableError, Head
from persistence.outbox import LeadershipLostError
from tests.factories import POSITIVE, Factory
from tests.jobs.relays import FACETS, Stores, topic_of


async def test_events_are_published_once_and_taken_away(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(3)]
    await stores.emit(workspace, *ids)

    delivered = await stores.deliver()
    again = await stores.deliver()

    assert (delivered, again) == (3, 0)
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert await stores.waiting() == 0
    assert stores.asked() == 1


async def test_only_what_was_added_is_scored(stores: Stores) -> None:
    workspace = uuid4()
    await stores.emit(workspace, uuid4(), type="UPDATED")
    await stores.emit(workspace, uuid4(), type="SCORED")

    await stores.deliver()

    assert len(await stores.published(workspace)) == 2
    assert stores.asked() == 0


async def test_each_message_asks_for_at_most_so_many_scores(stores: Stores) -> None:
    workspace = uuid4()
    async with stores.database.transaction() as uow:
        for _ in range(2 * brokers.SCORED_AT_ONCE + 1):
            event = FeedbackEvent("ADDED", uuid4(), FACETS)
            uow.emit(workspace, event.kind, event.to_json())

    await stores.deliver()

    assert stores.asked() == 3


async def test_each_workspace_has_its_order(stores: Stores) -> None:
    one, other = uuid4(), uuid4()
    ids = [uuid4() for _ in range(40)]
    for id_ in ids:
        await stores.emit(one, id_)
        await stores.emit(other, id_)
        await stores.emit(one, id_, type="SCORED")

    async with stores.leading():
        await stores.drained()

    assert await stores.published(one) == [
        (type_, id_) for id_ in ids for type_ in ("ADDED", "SCORED")
    ]
    assert await stores.published(other) == [("ADDED", id_) for id_ in ids]


async def test_a_commit_wakes_the_relay(stores: Stores) -> None:
    workspace, id_ = uuid4(), uuid4()
    async with stores.leading():
        await stores.emit(workspace, uuid4())
        await stores.drained()

        begun = asyncio.get_running_loop().time()
        await stores.emit(workspace, id_)
        await stores.drained()

        # Long before the sweep, which comes once a second.
        assert asyncio.get_running_loop().time() - begun < 0.5


async def test_what_a_crash_had_published_is_not_published_again(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(5)]
    await stores.emit(workspace, *ids)
    async with stores.lead() as leadership:
        rows = await leadership.claim(3)
        published = [(str(row.id), row.payload) for row in rows]
        await stores.bus.publish(topic_of(workspace), published, fence=leadership.fence)
    before = await stores.head(workspace)

    async with stores.leading():
        await stores.drained()

    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert (before.offset, await stores.head(workspace)) == (3, Head(before.epoch, 5))
    assert stores.asked() == 2


async def test_a_failure_after_publishing_publishes_nothing_twice(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(3)]
    await stores.emit(workspace, *ids)
    holder = await asyncpg.connect(stores.direct_url)
    async with holder.transaction(), stores.term() as term:
        await holder.execute("LOCK TABLE outbox IN SHARE MODE")
        delivering = asyncio.ensure_future(term.deliver())
        await stores.watcher.execute("SELECT pg_terminate_backend($1)", await stores.blocked())
        with pytest.raises(LeadershipLostError):
            await delivering
    await holder.close()
    left = await stores.waiting()

    await stores.deliver()

    assert left == 3
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]
    assert await stores.waiting() == 0


async def test_a_failure_of_redis_publishes_nothing_twice(stores: Stores) -> None:
    one, other, ids = uuid4(), uuid4(), [uuid4() for _ in range(2)]
    for id_ in ids:
        await stores.emit(one, id_)
        await stores.emit(other, id_)
    # The second topic cannot be written to.
    await stores.redis.set(f"earful:{{{topic_of(other)}}}:meta", "no hash")
    async with stores.term() as term:
        with pytest.raises(BusUnavailableError):
            await term.deliver()
        await stores.redis.delete(f"earful:{{{topic_of(other)}}}:meta")
        await stores.emit(one, ids[0], type="SCORED")

        delivered = [await term.deliver() for _ in range(3)]

    assert delivered == [4, 1, 0]
    assert await stores.published(one) == [*(("ADDED", id_) for id_ in ids), ("SCORED", ids[0])]
    assert await stores.published(other) == [("ADDED", id_) for id_ in ids]


async def test_a_superseded_relay_publishes_nothing(stores: Stores) -> None:
    workspace, first, second = uuid4(), uuid4(), uuid4()
    await stores.emit(workspace, first)
    async with stores.term() as term:
        await term.deliver()
        await stores.bus.publish(topic_of(workspace), [], fence=2**62)
        await stores.emit(workspace, second)

        with pytest.raises(SupersededError):
            await term.deliver()

    assert await stores.published(workspace) == [("ADDED", first)]
    assert await stores.waiting() == 1


async def test_who_has_lost_the_lead_takes_nothing_away(stores: Stores) -> None:
    await stores.emit(uuid4(), uuid4())
    async with stores.lead() as leadership:
        (row,) = await leadership.claim(1)
        await stores.watcher.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'earful relay' AND datname = current_database()"
        )

        with pytest.raises(LeadershipLostError):
            await leadership.delivered([row.id], {})

    assert await stores.waiting() == 1


_LEADER = (
    "SELECT DISTINCT pid FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
    " AND application_name = 'earful relay' AND datname = current_database()"
)


async def test_one_relay_leads_and_the_next_takes_over(stores: Stores) -> None:
    workspace, ids = uuid4(), [uuid4() for _ in range(30)]

    async with stores.leading(), stores.leading():
        await stores.emit(workspace, *ids[:10])
        await stores.drained()
        first = await stores.watcher.fetch(_LEADER)
        await stores.watcher.execute("SELECT pg_terminate_backend($1)", first[0]["pid"])
        await stores.emit(workspace, *ids[10:])
        await stores.drained()
        second = await stores.watcher.fetch(_LEADER)

    assert (len(first), len(second)) == (1, 1)
    assert first[0]["pid"] != second[0]["pid"]
    assert await stores.published(workspace) == [("ADDED", id_) for id_ in ids]


async def test_a_later_leader_has_a_higher_fence(stores: Stores) -> None:
    fences = []
    for _ in range(3):
        async with (
            stores.lead() as leadership,
            outbox.lead(stores.direct_url) as second,
        ):
            assert second is None
            fences.append(leadership.fence)

    assert fences == sorted(set(fences))


async def test_scored_follows_added(stores: Stores, api: Api) -> None:
    factory = Factory(stores.database, api.services)
    tenant = await factory.tenant()
    await stores.watcher.execute("TRUNCATE outbox")
    async with stores.leading():
        async with stores.database.transaction() as uow:
            stored = await feedback.receive(
                uow, tenant.source_id, "msg_1", feedback.Message("Good.")
            )
        assert stored is not None
        id_ = stored.feedback.id
        async with stores.database.transaction() as uow:
            await feedback.record_scores(uow, tenant.id, [(id_, POSITIVE)], "test-model-1")
        await stores.drained()

    assert await stores.published(tenant.id) == [("ADDED", id_), ("SCORED", id_)]


async def test_who_is_cancelled_while_redis_answers_is_cancelled(stores: Stores) -> None:
    ended = []
    for turns in range(40):
        asking = asyncio.ensure_future(stores.bus.life())
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = asking.done()
        asking.cancel()
        await asyncio.wait({asking})
        ended.append(was_done or asking.cancelled())

    assert ended == [True] * 40
