"""Topics: logs of events in Redis streams, announced by PUBLISH, read by offset.

A topic's offsets are contiguous, so that a reader can tell a loss; its epoch changes when Redis has lost
entries, so that an offset of another life is not mistaken for one of this.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError

from persistence import cancelling
from telemetry import trace

# KEYS: stream, meta. ARGV: channel, a fresh epoch, kept length, fence, how many of the last entries to
# compare with (after a crash the relay cannot know what it has already published), the epoch and offset that
# the topic has reached at least (no epoch: nothing is known), how far a new epoch leaps, then key and payload
# of each event. Answers epoch and offset of the last entry, or nil to a relay that has been superseded.
#
# Behind what it has reached, or of another epoch than that one or its successor, the topic has lost entries.
# Then its kept ones go and a new epoch begins, beyond any offset of the old one: who mistakes the first entry
# of the new epoch for one of the old finds a hole before it. All of that is one transaction, in Redis's log
# and for its replicas too: a call is lost as a whole.
_PUBLISH = """
local stream, meta, channel, fence, recheck = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local reached, least = ARGV[6], tonumber(ARGV[7])
local held = redis.call('HMGET', meta, 'epoch', 'offset', 'fence', 'successor_of')
local epoch, offset, known = held[1], tonumber(held[2] or '0'), tonumber(held[3] or '0')
if known > fence then return nil end
local function text(number) return string.format('%.0f', number) end
local seen = {}
if recheck > 0 then
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', recheck)) do
    seen[entry[2][2]] = true
  end
end
local has_lost = reached ~= '' and held[4] ~= reached and (epoch ~= reached or offset < least)
if has_lost then
  epoch, offset = ARGV[2], math.max(offset, least) + tonumber(ARGV[8])
  redis.call('UNLINK', stream)
  redis.call('HSET', meta, 'epoch', epoch, 'offset', text(offset), 'fence', fence, 'successor_of', reached)
elseif not epoch or known < fence then
  epoch = epoch or ARGV[2]
  redis.call('HSET', meta, 'epoch', epoch, 'fence', fence)
end
local begun = offset
for i = 9, #ARGV, 2 do
  if not seen[ARGV[i]] then
    offset = offset + 1
    local name = text(offset)
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], name .. '-0', 'key', ARGV[i], 'event', ARGV[i + 1])
    redis.call('PUBLISH', channel, epoch .. '|' .. name .. '|' .. ARGV[i + 1])
  end
end
if offset > begun then
  redis.call('HSET', meta, 'offset', text(offset))
elseif has_lost then
  redis.call('PUBLISH', channel, epoch .. '|' .. text(offset) .. '|')
end
return {epoch, offset}
"""

# KEYS: meta. ARGV: a fresh epoch. Answers epoch and newest offset.
_HEAD = """
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])
return {redis.call('HGET', KEYS[1], 'epoch'), redis.call('HGET', KEYS[1], 'offset') or '0'}
"""

# More than one call publishes, and so more than readers may have seen beyond what was recorded.
_LEAP = 10_000


class BusUnavailableError(Exception):
    """Redis cannot be reached."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a topic stands: its epoch and the offset of its newest event (0 before the first)."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a topic."""

    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class News:
    """An entry of a followed topic and its epoch; without an entry, the confirmation that it is followed."""

    topic: str
    epoch: str = ""
    entry: Entry | None = None


class Bus:
    """Publishes to topics and reads them back. A topic is a name such as `<workspace hex>:feedback`."""

    def __init__(self, client: "redis.asyncio.Redis", *, retained: int) -> None:
        self._client = client
        self._retained = retained
        self._publish: Any = client.register_script(_PUBLISH)
        self._head: Any = client.register_script(_HEAD)

    async def publish(
        self,
        topic: str,
        events: Sequence[tuple[str, str]],
        *,
        fence: int,
        recheck: int = 0,
        reached: Head | None = None,
    ) -> Head | None:
        """Append (key, payload) events in order; None when a newer relay has published (fence).

        Among the last `recheck` entries, an event whose key is already there is left out. A topic that does not
        stand where it is known to have `reached` has lost entries: it goes on in another epoch, and says so to
        its followers even if there are no events.
        """
        arguments: list[Any] = [
            _channel(topic),
            secrets.token_hex(4),
            # The whole of the last call stays, to be compared with.
            max(self._retained, len(events)),
            fence,
            recheck,
            "" if reached is None else reached.epoch,
            0 if reached is None else reached.offset,
            _LEAP,
        ]
        for key, payload in events:
            arguments += (key, payload)
        with trace.redis("publish events"), _reachable():
            stands = await self._publish(keys=[_stream(topic), _meta(topic)], args=arguments)
        return None if stands is None else Head(stands[0].decode(), int(stands[1]))

    async def life(self) -> str:
        """Another text when Redis has been started anew or has failed over: it may have lost its last entries."""
        with _reachable():
            known = await self._client.info("server", "replication")
        return f"{known['run_id']} {known['master_replid']}"

    async def head(self, topic: str) -> Head:
        """Where the topic stands now."""
        with _reachable():
            epoch, offset = await self._head(keys=[_meta(topic)], args=[secrets.token_hex(4)])
        return Head(epoch.decode(), int(offset))

    async def read(self, topic: str, after: int, limit: int) -> list[Entry]:
        """Up to `limit` kept events with offsets above `after`, in order."""
        with _reachable():
            rows = await self._client.xrange(_stream(topic), f"{after + 1}-0", "+", count=limit)
        return [
            Entry(int(name.partition(b"-")[0]), fields[b"event"])
            for name, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", rows)
        ]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator["Listener"]:
        """A connection on which topics are followed as they happen."""
        pubsub = self._client.pubsub(ignore_subscribe_messages=False)
        try:
            yield Listener(pubsub)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def ping(self) -> None:
        """Raise BusUnavailableError unless Redis answers."""
        with _reachable():
            await cast("Any", self._client.ping())


class Listener:
    """Follows topics: `follow` them, then take what `next` brings."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub

    async def follow(self, topic: str) -> None:
        with _reachable():
            await self._pubsub.subscribe(_channel(topic))

    async def unfollow(self, topic: str) -> None:
        with _reachable():
            await self._pubsub.unsubscribe(_channel(topic))

    async def next(self, timeout: float) -> "News | None":  # noqa: ASYNC109 - redis takes it
        """What comes next; None after the timeout."""
        with _reachable():
            message = await self._pubsub.get_message(timeout=timeout)
        if message is None:
            return None
        if message["type"] == "unsubscribe":
            return News("")
        topic = message["channel"].decode().removeprefix(_CHANNELS)
        if message["type"] == "subscribe":
            return News(topic)
        epoch, offset, payload = message["data"].split(b"|", 2)
        return News(topic, epoch.decode(), Entry(int(offset), payload))


_CHANNELS = "earful:topic:"


def _channel(topic: str) -> str:
    return f"{_CHANNELS}{topic}"


def _stream(topic: str) -> str:
    return f"earful:{{{topic}}}:stream"


def _meta(topic: str) -> str:
    return f"earful:{{{topic}}}:meta"


@contextmanager
def _reachable() -> Iterator[None]:
    """Turns what redis-py raises into BusUnavailableError."""
    try:
        with cancelling.heeded():
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise BusUnavailableError(f"Redis cannot be reached: {error}") from error


def connect(url: str) -> "redis.asyncio.Redis":
    """A client with a pool; connects when it is first used."""
    return redis.asyncio.Redis.from_url(
        url, socket_connect_timeout=5, socket_keepalive=True, health_check_interval=15
    )
