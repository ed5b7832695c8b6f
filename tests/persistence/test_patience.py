"""A Redis that takes questions and answers none: nobody waits for it for long, and everybody passes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from persistence import bus, patience
from persistence.limits import Limit, Limiter
from persistence.patience import Patience
from persistence.persisted import PersistedQueries

LIMIT = Limit("patience", points=1, seconds=1_000)


class Clock:
    """A clock that stands still until it is told."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Silent:
    """A server that reads."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.read()
        writer.close()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.1)


@pytest.fixture
def silent() -> Silent:
    return Silent()


@pytest.fixture
async def redis(silent: Silent) -> AsyncIterator[Redis]:
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = bus.connect(f"redis://127.0.0.1:{port}/0")
    yield client
    await client.aclose()
    server.close()


async def test_who_waits_for_a_limit_passes(redis: Redis) -> None:
    limiter = Limiter(redis, scale=1)

    async with asyncio.timeout(30):
        waits = [await limiter.wait(LIMIT, "ada") for _ in range(3)]
        charged = await limiter.purse(LIMIT, "ada").charge(100)

    assert (waits, charged) == ([0.0] * 3, 0.0)


async def test_after_no_answer_none_is_waited_for(redis: Redis, silent: Silent) -> None:
    clock = Clock()
    limiter = Limiter(redis, scale=1, clock=clock)

    async with asyncio.timeout(30):
        for _ in range(5):
            await limiter.wait(LIMIT, "ada")
        before = silent.connections
        clock.now += patience.SECONDS
        await limiter.wait(LIMIT, "ada")

    assert (before, silent.connections) == (1, 2)


async def test_a_document_is_not_found(redis: Redis) -> None:
    queries = PersistedQueries(redis, most=10)

    async with asyncio.timeout(30):
        await queries.keep("0" * 64, "{ __typename }")
        found = await queries.find("0" * 64)

    assert found is None


async def test_what_is_answered_is_waited_for() -> None:
    waiting = Patience(Clock())

    async with waiting.asking():
        pass
    with pytest.raises(OSError, match="away"):
        async with waiting.asking():
            raise OSError("away")
    with pytest.raises(TimeoutError):
        async with waiting.asking():
            pass
