"""A Redis that has lost its last entries: whoever watches is told, live or when they come back."""

from typing import Any

from app.settings import Settings
from app.stores import open_redis
from domain import events
from tests.factories import Tenant
from tests.graph.watching import World


async def kept(settings: Settings, tenant: Tenant) -> dict[str, Any]:
    """All that Redis has of the workspace's topic, as its disk or a replica may keep it."""
    topic = events.topic(tenant.id, events.FEEDBACK_TOPIC)
    async with open_redis(settings) as redis:
        return {
            key: await redis.dump(key)
            for key in (f"earful:{{{topic}}}:stream", f"earful:{{{topic}}}:meta")
        }


async def lose(settings: Settings, kept: dict[str, Any]) -> None:
    """Let Redis have what was kept, and nothing of what came later."""
    async with open_redis(settings) as redis:
        for key, value in kept.items():
            await redis.restore(key, 0, value, replace=True)


async def test_who_watches_is_told_of_a_lost_tail(world: World, settings: Settings) -> None:
    await world.subscribe()
    await world.submit("kept")
    first = await world.socket.data()
    tail = await kept(settings, world.tenant)
    await world.submit("lost")
    second = await world.socket.data()
    await lose(settings, tail)

    await world.submit("after")
    told = await world.socket.data()
    await world.submit("live")

    assert [each["feedback"]["body"] for each in (first, second)] == ["kept", "lost"]
    assert told["__typename"] == "StreamGap"
    assert await world.next() == ("ADDED", "live")


async def test_a_cursor_of_a_lost_event_meets_a_gap(world: World, settings: Settings) -> None:
    await world.subscribe()
    await world.submit("kept")
    await world.socket.data()
    tail = await kept(settings, world.tenant)
    await world.submit("lost")
    lost = await world.socket.data()
    await lose(settings, tail)
    await world.submit("0")
    gap = await world.socket.data()
    # More than would have taken the cursor's place.
    await world.submit("1")
    await world.submit("2")
    others = [await world.socket.data() for _ in range(2)]
    await world.socket.say(id="0", type="complete")

    await world.subscribe(after=lost["cursor"])
    told = await world.socket.data()
    await world.subscribe(after=gap["cursor"])
    replayed = [await world.next() for _ in range(2)]

    assert (gap["__typename"], told["__typename"]) == ("StreamGap", "StreamGap")
    assert told["cursor"] == others[-1]["cursor"]
    assert replayed == [("ADDED", "1"), ("ADDED", "2")]
