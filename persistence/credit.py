"""Points that are counted behind the caller's back, as long as there are plenty.

What a caller spends is collected in the process and counted in Redis a moment later, all at once, so that nobody waits
for it. Only who has less than half of the points left is asked to wait until it is counted. All processes together may
so be overdrawn by what they collect in that moment; who is overdrawn waits until that has come back.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import redis.asyncio

from persistence.patience import AWAY, Patience
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


class Purse:
    """What this process knows of the points of one caller: how many were spent when they were counted last."""

    __slots__ = (
        "_counted_at",
        "_counting",
        "_credit",
        "_key",
        "_owed",
        "_spent",
        "points",
        "seconds",
    )

    def __init__(self, credit: "Credit", key: str, points: float, seconds: float) -> None:
        self._credit = credit
        self._key = key
        self.points = points
        self.seconds = seconds
        self._spent = 0.0
        self._counted_at = credit.clock()
        self._owed = 0
        self._counting: asyncio.Task[None] | None = None

    def spend(self, cost: int) -> bool:
        """Spend the points now and have them counted later, if there are plenty."""
        if self._left() < self.points / 2:
            return False
        self._owed += cost
        if self._counting is None:
            self._counting = self._credit.later(self._collect())
        return True

    async def charge(self, cost: int) -> float:
        """Seconds until the caller may go on; 0 when it may now, and then the points are spent."""
        if self.spend(cost):
            return 0.0
        left = self._left()
        if left > 0:
            # What others have spent since is not known, and now it matters.
            await self._count()
            left = self._left()
        if left <= 0:
            return max(-left * self.seconds / self.points, self.seconds / self.points)
        self._owed += cost
        await self._count()
        return 0.0

    async def account(self) -> Account:
        """What the caller has at the moment."""
        await self._count()
        return self.known()

    def known(self) -> Account:
        """The same without asking: others may have spent some since."""
        left = self._left()
        back = (self.points - left) * self.seconds / self.points
        return Account(int(self.points), max(0, int(left)), max(0.0, back))

    def _left(self) -> float:
        back = (self._credit.clock() - self._counted_at) * self.points / self.seconds
        return self.points - max(self._spent - back, 0.0) - self._owed

    async def _collect(self) -> None:
        try:
            await asyncio.sleep(COLLECTED_SECONDS)
            await self._count()
        finally:
            self._counting = None

    async def _count(self) -> None:
        owed, self._owed = self._owed, 0
        interval = self.seconds / self.points
        spent = await self._credit.count(self._key, interval, self.points, owed)
        if spent is not None:
            self._spent = spent / interval
            self._counted_at = self._credit.clock()


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
        self.clock = clock
        self._most_callers = callers
        self._patience = Patience(clock)
        self._script: Any = client.register_script(_COUNT)
        self._purses: OrderedDict[str, Purse] = OrderedDict()
        self._counting: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Count what has been collected; the client is to be closed after it."""
        if self._counting:
            await asyncio.wait(self._counting)

    def purse(self, key: str, *, points: float, seconds: float) -> Purse:
        """That of a caller, whose `points` come back every `seconds`."""
        purse = self._purses.get(key)
        if purse is None:
            purse = self._purses[key] = Purse(self, key, points, seconds)
            if len(self._purses) > self._most_callers:
                self._purses.popitem(last=False)
        else:
            self._purses.move_to_end(key)
        return purse

    def later(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin what `close` waits for."""
        task = asyncio.ensure_future(work)
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)
        return task

    async def count(self, key: str, interval: float, points: float, owed: int) -> float | None:
        """Count what was spent; after how many seconds all will have come back, None when Redis does not answer."""
        try:
            with trace.redis("count points"):
                async with self._patience.asking():
                    spent = await self._script(
                        keys=[f"earful:limit:{key}"], args=[interval, points, owed]
                    )
        except AWAY:
            return None
        return float(spent)
