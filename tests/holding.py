"""A lock in Postgres that a test holds until those who want it wait for it: races that always happen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from app.settings import Settings

SECONDS = 20
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@asynccontextmanager
async def held(
    settings: Settings, *statements: str
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """What the statements lock is locked until the block ends; calling what is given waits until so many wait."""
    holder = await asyncpg.connect(settings.database_url)

    async def waited_for(count: int) -> None:
        async with asyncio.timeout(SECONDS):
            while await holder.fetchval(_WAITING) < count:
                # Within a transaction the view shows what it showed first.
                await holder.execute("SELECT pg_stat_clear_snapshot()")
                await asyncio.sleep(0.01)

    try:
        async with holder.transaction():
            for statement in statements:
                await holder.execute(statement)
            yield waited_for
    finally:
        await holder.close()
