"""Rate limits in Redis, by the generic cell rate algorithm, with points on lease for callers in a hurry.

One key for each limit and caller says when all spent points will have come back; one round trip decides. That trip
costs as much as the rest of a short request, so for a busy caller a process takes points in advance and spends them
by itself: as many as the caller spent here in the last second, at most one in a hundred of the limit's. Points count
when they are taken, so that all processes together never spend more than the limit allows. They hold for a second;
what is left then is lost. Who comes rarely takes point by point, and so does everybody under a limit of less than 200.

A refusal is remembered for at most a second of the wait that it tells of: Redis would only repeat it.
"""

import asyncio
import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from persistence.credit import Credit, Purse
from persistence.patience import AWAY, Patience
from telemetry import trace

LEASE_SECONDS = 1.0
_LEASED_SHARE = 1 / 100

# KEYS: the key. ARGV: seconds a point takes to come back, points that may be spent at once, points asked for at
# least and at most, 1 to spend them or 0 to look. Answers the points taken and the seconds to wait, as text.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local interval, burst, least = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spent = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') - now, 0)
local wait = spent + interval * (least - burst)
if wait > 0 then return {0, tostring(wait)} end
local taken = math.max(math.min(math.floor(burst - spent / interval), tonumber(ARGV[4])), least)
if ARGV[5] == '1' then
  spent = spent + interval * taken
  redis.call('SET', KEYS[1], string.format('%.6f', now + spent), 'PX', math.ceil(spent * 1000) + 1)
end
return {taken, '0'}
"""


# The same key and interval, and the points that come back at once.
_GIVE_BACK = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local spent = tonumber(redis.call('GET', KEYS[1]) or '0') - now - tonumber(ARGV[1]) * tonumber(ARGV[2])
if spent <= 0 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], string.format('%.6f', now + spent), 'PX', math.ceil(spent * 1000) + 1)
return 1
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`points` come back every `seconds`; as many may be spent at once."""

    name: str
    points: int
    seconds: float


@dataclass(slots=True)
class _Lease:
    """What this process holds of one caller's points, and what it knows of them."""

    left: int = 0
    spent: int = 0
    taken_at: float = -math.inf
    refused: int = 0  # how many points were too many
    refused_at: float = -math.inf
    refused_until: float = -math.inf
    unanswered_at: float = -math.inf
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def valid(self, now: float) -> int:
        """How many points are left to spend."""
        return self.left if now < self.taken_at + LEASE_SECONDS else 0

    def answer(self, cost: int, now: float) -> float | None:
        """Spend the points or say how long to wait, if that is known without Redis."""
        if self.valid(now) >= cost:
            self.left -= cost
            self.spent += cost
            return 0.0
        is_refused = cost == self.refused and now < self.refused_until
        if is_refused and now < self.refused_at + LEASE_SECONDS:
            return self.refused_until - now
        return None

    def demand(self, now: float) -> int:
        """How many points the next second will ask for, if it is like the time of this lease."""
        # Not more than twice as many, so that a lease that was used up at once says little.
        return int(self.spent * LEASE_SECONDS / max(now - self.taken_at, LEASE_SECONDS / 2))


class Limiter:
    """Counts points per limit and caller. When Redis is away everything passes: availability before thrift."""

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        *,
        scale: float,
        clock: Callable[[], float] = time.monotonic,
        callers: int = 10_000,
    ) -> None:
        """`scale` multiplies every limit; `callers`: how many may hold leases, the latest ones."""
        self._scale = scale
        self._callers = callers
        self._clock = clock
        self._script: Any = client.register_script(_TAKE)
        self._give_back: Any = client.register_script(_GIVE_BACK)
        self._patience = Patience(clock)
        self._credit = Credit(client, clock=clock, callers=callers)
        self._leases: OrderedDict[tuple[str, str], _Lease] = OrderedDict()

    async def wait(self, limit: Limit, caller: str, *, cost: int = 1, spend: bool = True) -> float:
        """Seconds until the caller may go on; 0 when it may now, and then the points are spent."""
        most = int(limit.points * self._scale * _LEASED_SHARE)
        if most <= 1:
            answer = await self._take(limit, caller, cost, cost, spend=spend)
            return 0.0 if answer is None else answer[1]
        key = (limit.name, caller)
        lease = self._leases.get(key)
        if not spend:
            missing = cost - (0 if lease is None else lease.valid(self._clock()))
            if missing <= 0:
                return 0.0
            answer = await self._take(limit, caller, missing, missing, spend=False)
            return 0.0 if answer is None else answer[1]
        if lease is None:
            lease = self._leases[key] = _Lease()
            if len(self._leases) > self._callers:
                self._leases.popitem(last=False)
        else:
            self._leases.move_to_end(key)
        came = self._clock()
        known = lease.answer(cost, came)
        if known is not None:
            return known
        async with lease.renewing:
            return await self._renew(limit, caller, lease, cost, most, came)

    async def give_back(self, limit: Limit, caller: str, *, cost: int = 1) -> None:
        """Undo a `wait` that has spent so many points, which were not meant."""
        interval = limit.seconds / (limit.points * self._scale)
        with contextlib.suppress(*AWAY):
            async with self._patience.asking():
                await self._give_back(
                    keys=[f"earful:limit:{limit.name}:{caller}"], args=[interval, cost]
                )

    async def close(self) -> None:
        """Count what is still to be counted; the client is to be closed after it."""
        await self._credit.close()

    def purse(self, limit: Limit, caller: str) -> Purse:
        """For what comes often and costs little: it is counted afterwards. Not for a limit that is waited for."""
        return self._credit.purse(
            f"{limit.name}:{caller}", points=limit.points * self._scale, seconds=limit.seconds
        )

    async def _renew(
        self, limit: Limit, caller: str, lease: _Lease, cost: int, most: int, came: float
    ) -> float:
        now = self._clock()
        if (known := lease.answer(cost, now)) is not None:
            return known
        if came <= lease.unanswered_at:
            return 0.0  # no answer came while this one waited for its turn
        # Set aside, lest somebody else spends them while Redis is asked.
        left, lease.left = lease.valid(now), 0
        least = cost - left
        answer = await self._take(limit, caller, least, max(least, min(lease.demand(now), most)))
        if answer is None:
            lease.left, lease.unanswered_at = left, self._clock()
            return 0.0
        taken, wait = answer
        if taken:
            lease.left, lease.spent, lease.taken_at = left + taken - cost, cost, now
            lease.refused = 0
            return 0.0
        lease.left = left
        if left == 0:
            lease.refused, lease.refused_at, lease.refused_until = cost, now, now + wait
        return wait

    async def _take(
        self, limit: Limit, caller: str, least: int, most: int, *, spend: bool = True
    ) -> tuple[int, float] | None:
        """Points taken and seconds to wait; None when Redis does not answer."""
        points = limit.points * self._scale
        try:
            with trace.redis("take points"):
                async with self._patience.asking():
                    taken, wait = await self._script(
                        keys=[f"earful:limit:{limit.name}:{caller}"],
                        args=[limit.seconds / points, points, least, most, int(spend)],
                    )
        except AWAY:
            return None
        return int(taken), float(wait)
