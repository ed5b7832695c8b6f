"""How long Redis is waited for by what can do without it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from persistence import cancelling

SECONDS = 1.0
AWAY = (RedisError, OSError, TimeoutError)
"""What is raised where Redis does not answer."""


class Patience:
    """A second for each call. After one without an answer there is none to be waited for during the next second.

    A Redis that is stopped, or behind a network that drops everything, refuses nothing: it only does not answer.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._away_until = 0.0

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """One of `AWAY` where it does not answer in time."""
        if self._clock() < self._away_until:
            raise TimeoutError
        try:
            async with asyncio.timeout(SECONDS):
                with cancelling.heeded():
                    yield
        except AWAY:
            self._away_until = self._clock() + SECONDS
            raise
