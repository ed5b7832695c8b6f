"""Topics: logs of events in Redis streams, announced by PUBLISH, read by offset.

A topic's offsets are contiguous, so that a reader can tell a loss; its epoch changes when Redis was
emptied, so that an offset of another life is not mistaken for one of this.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError

# KEYS: stream, meta. ARGV: channel, a fresh epoch, kept length, fence, how many of the last entries to
# compare with (after a crash the relay cannot know what it has already published), then key and payload
# of each event. Answers the offset of the last entry, or -1 to a relay that has been superseded.
_PUBLISH = """
local stream, meta, channel, fence, recheck = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('HSETNX', meta, 'epoch', ARGV[2])
local epoch = redis.call('HGET', meta, 'epoch')
local known = tonumber(redis.call('HGET', meta, 'fence') or '0')
if known > fence then return -1 end
if known < fence then redis.call('HSET', meta, 'fence', fence) end
local seen = {}
if recheck > 0 then
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', recheck)) do
    seen[entry[2][2]] = true
  end
end
for i = 6, #ARGV, 2 do
  if not seen[ARGV[i]] then
    local offset = redis.call('HINCRBY', meta, 'offset', 1)
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], offset .. '-0', 'key', ARGV[i], 'event', ARGV[i + 1])
    redis.call('PUBLISH', channel, epoch .. '|' .. offset .. '|' .. ARGV[i + 1])
  end
end
return tonumber(redis.call('HGET', meta, 'offset') or '0')
"""

# KEYS: meta. ARGV: a fresh epoch. Answers epoch and newest offset.
_HEAD = """
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])
return {redis.call('HGET', KEYS[1], 'epoch'), redis.call('HGET', KEYS[1], 'offset') or '0'}
"""


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
        self, topic: str, events: Sequence[tuple[str, str]], *, fence: int, recheck: int = 0
    ) -> bool:
        """Append (key, payload) events in order; False when a newer relay has published (fence).

        Among the last `recheck` entries, an event whose key is already there is left out.
        """
        arguments: list[Any] = [
            _channel(topic), secrets.token_hex(4), self._retained, fence, recheck
        ]  # fmt: skip
        for key, payload in events:
            arguments += (key, payload)
        with _reachable():
            last = await self._publish(keys=[_stream(topic), _meta(topic)], args=arguments)
        return int(last) >= 0

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
        if message is None or message["type"] == "unsubscribe":
            return None
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
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise BusUnavailableError(f"Redis cannot be reached: {error}") from error


def connect(url: str) -> "redis.asyncio.Redis":
    """A client with a pool; connects when it is first used."""
    return redis.asyncio.Redis.from_url(
        url, socket_connect_timeout=5, socket_keepalive=True, health_check_interval=15
    )
