"""Registered documents: how many there may be, how large, and how long they are kept."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from app.settings import Settings
from app.stores import open_redis
from persistence.bus import connect
from persistence.persisted import LARGEST, PersistedQueries


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    async with open_redis(settings) as opened:
        await opened.delete("earful:{documents}:texts", "earful:{documents}:used")
        yield opened


async def test_what_is_kept_is_found_by_every_process(client: "redis.asyncio.Redis") -> None:
    one, other = PersistedQueries(client, most=10), PersistedQueries(client, most=10)

    await one.keep("a", "{ añb }")

    assert [await other.find(each) for each in ("a", "b")] == ["{ añb }", None]


async def test_those_that_were_asked_for_last_are_kept(client: "redis.asyncio.Redis") -> None:
    clock = iter(range(100))
    documents = PersistedQueries(client, most=2, clock=lambda: float(next(clock)))
    await documents.keep("a", "A")
    await documents.keep("b", "B")
    assert await documents.find("a") == "A"

    await documents.keep("c", "C")

    assert [await documents.find(each) for each in ("a", "b", "c")] == ["A", None, "C"]
    assert await client.hlen("earful:{documents}:texts") == 2


async def test_one_that_nobody_asks_for_is_forgotten(client: "redis.asyncio.Redis") -> None:
    now = [1_000.0]
    documents = PersistedQueries(client, most=10, lifetime=60, clock=lambda: now[0])
    await documents.keep("a", "A")
    now[0] += 50
    assert await documents.find("a") == "A"
    now[0] += 50
    assert await documents.find("a") == "A"
    now[0] += 61

    assert await documents.find("a") is None
    await documents.keep("b", "B")
    assert await client.hkeys("earful:{documents}:texts") == [b"b"]
    assert 0 < await client.ttl("earful:{documents}:texts") <= 60


async def test_too_long_a_document_is_not_kept(client: "redis.asyncio.Redis") -> None:
    documents = PersistedQueries(client, most=10)
    await documents.keep("a", "x" * LARGEST)
    await documents.keep("b", "x" * (LARGEST + 1))

    assert [await documents.find(each) is None for each in ("a", "b")] == [False, True]


async def test_while_redis_is_away_there_are_none() -> None:
    documents = PersistedQueries(connect("redis://127.0.0.1:1"), most=10)
    await documents.keep("a", "A")

    assert await documents.find("a") is None
