"""Answers to queries that are kept in Redis for others who ask the same, for seconds."""

from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from persistence import cancelling

LARGEST = 256 * 1024
"""Bytes of an answer that is kept."""

_AWAY = (RedisError, OSError, TimeoutError)


class Answers:
    """What is kept, by keys that say all that it depends on. While Redis is away there is nothing."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client

    async def find(self, *keys: str) -> Sequence[bytes | None]:
        """What is kept by each of these keys."""
        try:
            with cancelling.heeded():
                found: Any = await self._client.mget([_key(key) for key in keys])
        except _AWAY:
            return [None] * len(keys)
        return list(found)

    async def keep(self, key: str, value: bytes, *, seconds: int) -> None:
        """Keep this for so long, if it is not too large."""
        if len(value) > LARGEST:
            return
        try:
            with cancelling.heeded():
                await self._client.set(_key(key), value, ex=seconds)
        except _AWAY:
            return


def _key(key: str) -> str:
    return f"earful:answer:{key}"
