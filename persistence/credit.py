"""Points that are counted behind the caller's back, as long as there are plenty.

What a caller spends is collected in the process and counted in Redis a moment later, all at once, so that nobody waits
for it. Only who has less than half of the points left is asked to wait until it is counted. All processes together may
so be overdrawn by what they collect in that moment; who is overdrawn waits until that has come back.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis.asyncio
from redis.exceptions import RedisError

from persistence import cancelling
from telemetry import trace

COLLECTED_SECONDS = 0.05

# KEYS: the key. ARGV: seconds a point takes to come back, points that may be spent at once, points spent.
# Answers how many seconds it takes until all have come back, as text.
_COUNT = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spent = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') - now, 0) + interval * cost
spent = math.min(spent, 2 * interval * burst)
if spent > 0 then
  redis.call('SET', KEYS[1], string.format('%.6f', now + spent), 'PX', math.ceil(spent * 1000) + 1)
end
return tostring(spent)
"""


class Account(NamedTuple):
    """What a caller has: points at the most, those left, and after how many seconds there are all again."""

    points: int
    left: int
    seconds: float


@dataclass(slots=True)
class _Caller:
    """What this process knows of one caller of one limit: how many points were spent when it was counted last."""

    spent: float = 0.0
    counted_at: float = 0.0
    owed: int = 0
    counting: "asyncio.Task[None] | None" = None


class Credit:
    """Counts points per limit and caller. While Redis is away everything passes: availability before thrift."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        *,
        clock: Callable[[], float] = time.monotonic,
        callers: int = 10_000,
    ) -> None:
        """`callers`: how many are remembered, the latest ones."""
        self._clock = clock
        self._most_callers = callers
        self._script: Any = client.register_script(_COUNT)
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        self._counting: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Count what has been collected; the client is to be closed after it."""
        if self._counting:
            await asyncio.wait(self._counting)

    async def charge(self, key: str, cost: int, *, points: float, seconds: float) -> float:
        """Seconds until the caller may go on; 0 when it may now, and then the points are spent.

        `points` come back every `seconds`.
        """
        caller = self._known(key)
        left = self._left(caller, points, seconds)
        if left >= points / 2:
            caller.owed += cost
            if caller.counting is None:
                work = self._collect(key, caller, points, seconds)
                task = caller.counting = asyncio.ensure_future(work)
                self._counting.add(task)
                task.add_done_callback(self._counting.discard)
            return 0.0
        if left > 0:
            # What others have spent since is not known, and now it matters.
            await self._count(key, caller, points, seconds)
            left = self._left(caller, points, seconds)
        if left <= 0:
            return max(-left * seconds / points, seconds / points)
        caller.owed += cost
        await self._count(key, caller, points, seconds)
        return 0.0

    async def account(self, key: str, *, points: float, seconds: float) -> Account:
        """What the caller has at the moment."""
        caller = self._known(key)
        await self._count(key, caller, points, seconds)
        return self._account(caller, points, seconds)

    def known(self, key: str, *, points: float, seconds: float) -> Account:
        """The same without asking: others may have spent some since."""
        return self._account(self._known(key), points, seconds)

    def _account(self, caller: _Caller, points: float, seconds: float) -> Account:
        left = self._left(caller, points, seconds)
        return Account(int(points), max(0, int(left)), max(0.0, (points - left) * seconds / points))

    def _known(self, key: str) -> _Caller:
        caller = self._callers.get(key)
        if caller is None:
            caller = self._callers[key] = _Caller(counted_at=self._clock())
            if len(self._callers) > self._most_callers:
                self._callers.popitem(last=False)
        else:
            self._callers.move_to_end(key)
        return caller

    def _left(self, caller: _Caller, points: float, seconds: float) -> float:
        back = (self._clock() - caller.counted_at) * points / seconds
        return points - max(caller.spent - back, 0.0) - caller.owed

    async def _collect(self, key: str, caller: _Caller, points: float, seconds: float) -> None:
        try:
            await asyncio.sleep(COLLECTED_SECONDS)
            await self._count(key, caller, points, seconds)
        finally:
            caller.counting = None

    async def _count(self, key: str, caller: _Caller, points: float, seconds: float) -> None:
        owed, caller.owed = caller.owed, 0
        interval = seconds / points
        try:
            with trace.redis("count points"), cancelling.heeded():
                spent = await self._script(
                    keys=[f"earful:limit:{key}"], args=[interval, points, owed]
                )
        except (RedisError, OSError, TimeoutError):
            return
        caller.spent = float(spent) / interval
        caller.counted_at = self._clock()
