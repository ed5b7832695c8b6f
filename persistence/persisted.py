"""Documents that clients have registered by their hashes, in Redis: so many of them, and as long as they are asked for.

Two keys, of one slot: the texts, and when each was asked for last. What is forgotten is registered again by whoever
asks for it next, so that nothing is lost with them.
"""

import time
from collections.abc import Callable
from typing import Any

import redis.asyncio

from persistence.patience import AWAY, Patience

LARGEST = 32_768
"""Characters of a document that is kept."""
LIFETIME_SECONDS = 7 * 24 * 3600

_TEXTS, _USED = "earful:{documents}:texts", "earful:{documents}:used"

# KEYS: texts and uses. ARGV: hash, now, lifetime. Answers the text, or nothing.
_FIND = """
local used = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not used or tonumber(used) < ARGV[2] - ARGV[3] then return false end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('HGET', KEYS[1], ARGV[1])
"""

# The same, and the text and how many there may be.
_KEEP = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2] - ARGV[3], 'LIMIT', 0, 100)
local excess = redis.call('ZCARD', KEYS[2]) - #gone - tonumber(ARGV[5])
if excess > 0 then gone = redis.call('ZRANGE', KEYS[2], 0, #gone + excess - 1) end
for _, hash in ipairs(gone) do
  redis.call('HDEL', KEYS[1], hash)
  redis.call('ZREM', KEYS[2], hash)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
"""


class PersistedQueries:
    """The registered documents. While Redis is away there are none."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        *,
        most: int,
        lifetime: int = LIFETIME_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`most` are kept, those that were asked for last, each for so many seconds after that."""
        self.most = most
        self._lifetime = lifetime
        self._clock = clock
        self._patience = Patience(time.monotonic)
        self._find: Any = client.register_script(_FIND)
        self._keep: Any = client.register_script(_KEEP)

    async def find(self, sha256: str) -> str | None:
        """The document with this hash."""
        try:
            async with self._patience.asking():
                text: bytes | None = await self._find(
                    keys=[_TEXTS, _USED], args=[sha256, self._clock(), self._lifetime]
                )
        except AWAY:
            return None
        return None if text is None else text.decode()

    async def keep(self, sha256: str, text: str) -> None:
        """Register a document, if it is not too long."""
        if len(text) > LARGEST:
            return
        try:
            async with self._patience.asking():
                await self._keep(
                    keys=[_TEXTS, _USED],
                    args=[sha256, self._clock(), self._lifetime, text, self.most],
                )
        except AWAY:
            return
