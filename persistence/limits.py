"""Rate limits in Redis, by the generic cell rate algorithm: one key and one round trip a decision."""

from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

# KEYS: the key. ARGV: seconds a point takes to come back, points that may be spent at once, points
# asked for, 1 to spend them or 0 to look. Answers the seconds to wait, as text; "0" when allowed.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = due + interval * cost
local wait = after - now - interval * burst
if wait > 0 then return tostring(wait) end
if ARGV[4] == '1' then
  redis.call('SET', KEYS[1], string.format('%.6f', after), 'PX', math.ceil((after - now) * 1000) + 1)
end
return '0'
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`points` come back every `seconds`; as many may be spent at once."""

    name: str
    points: int
    seconds: float


class Limiter:
    """Counts points per limit and caller. When Redis is away everything passes: availability before thrift."""

    def __init__(self, client: "redis.asyncio.Redis", *, scale: float) -> None:
        self._scale = scale
        self._take: Any = client.register_script(_TAKE)

    async def wait(self, limit: Limit, caller: str, *, cost: int = 1, spend: bool = True) -> float:
        """Seconds until the caller may go on; 0 when it may now, and then the points are spent."""
        points = limit.points * self._scale
        try:
            answer = await self._take(
                keys=[f"earful:limit:{limit.name}:{caller}"],
                args=[limit.seconds / points, points, cost, int(spend)],
            )
        except (RedisError, OSError, TimeoutError):
            return 0.0
        return float(answer)
