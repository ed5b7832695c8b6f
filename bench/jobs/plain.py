"""Plain Dramatiq, as its manual has it: asynchronous actors, eight threads, Redis; started by `python -m dramatiq`."""

import asyncio
import os

import asyncpg
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from bench.jobs.tasks import UPDATE

QUEUE = "plain"
_POOL_SIZE = 10

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]  # Dramatiq's own
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
_pools: list["asyncpg.Pool[asyncpg.Record]"] = []
_opening = asyncio.Lock()


async def _pool() -> "asyncpg.Pool[asyncpg.Record]":
    async with _opening:
        if not _pools:
            url = os.environ["DATABASE_URL"]
            _pools.append(await asyncpg.create_pool(url, min_size=_POOL_SIZE, max_size=_POOL_SIZE))
    return _pools[0]


@dramatiq.actor(queue_name=QUEUE)
async def nothing(_: int) -> None:
    """What the queue itself costs."""


@dramatiq.actor(queue_name=QUEUE)
async def row(id_: int) -> None:
    pool = await _pool()
    await pool.execute(UPDATE % "$1", id_)
