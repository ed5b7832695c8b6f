"""Streams outlive a restart of Postgres: what reads for an event waits and tries again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from persistence.database import StoreUnavailableError

T = TypeVar("T")

# Half a minute in all: longer than a restart with recovery takes, shorter than a client's patience.
OUTAGE_PAUSES = (0.1, 0.3, 0.6, 1.0, *[2.0] * 14)


async def through_outages(read: Callable[[], Awaitable[T]]) -> T:
    """What `read` answers, tried again while the store is away, for half a minute."""
    for pause in OUTAGE_PAUSES:
        try:
            return await read()
        except StoreUnavailableError:
            await asyncio.sleep(pause)
    return await read()
