"""What waits for Redis ends when it is cancelled, whenever that comes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis.asyncio import Redis

from app.settings import Settings
from app.stores import open_redis
from persistence.bus import Bus
from persistence.database import new_id
from persistence.limits import Limit, Limiter

_LIMIT = Limit(new_id().hex, points=10, seconds=1)

WORK: dict[str, Callable[[Redis], Coroutine[Any, Any, object]]] = {
    "wait": lambda redis: Limiter(redis, scale=1).wait(_LIMIT, "ada"),
    "give back": lambda redis: Limiter(redis, scale=1).give_back(_LIMIT, "ada"),
    "account": lambda redis: Limiter(redis, scale=1).purse(_LIMIT, "eve").account(),
    "head": lambda redis: Bus(redis, retained=1).head(_LIMIT.name),
}


async def _left(work: Coroutine[Any, Any, object], after_turns: int) -> tuple[bool, bool]:
    """Cancel after so many turns of the event loop: whether it still ran, and whether it was cancelled."""
    task = asyncio.ensure_future(work)
    for _ in range(after_turns):
        await asyncio.sleep(0)
    ran = task.cancel()
    await asyncio.wait({task})
    return ran, task.cancelled()


@pytest.mark.parametrize("name", WORK)
async def test_no_cancellation_is_swallowed(settings: Settings, name: str) -> None:
    async with open_redis(settings) as redis:
        await WORK[name](redis)

        left = [await _left(WORK[name](redis), turns) for turns in range(40)]

    assert left == [(ran, ran) for ran, _ in left]
    assert left[1] == (True, True)
