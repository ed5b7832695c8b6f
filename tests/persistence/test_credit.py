"""Points that are counted afterwards, in a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio

from app.settings import Settings
from app.stores import open_redis
from persistence import bus
from persistence.credit import COLLECTED_SECONDS, Credit
from persistence.limits import Limit, Limiter

LIMIT = Limit("points", points=100, seconds=60)


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator["redis.asyncio.Redis"]:
    """Redis without any points spent."""
    async with open_redis(settings) as opened:
        for key in await opened.keys("earful:limit:points:*"):
            await opened.delete(key)
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def new(client: "redis.asyncio.Redis", clock: Clock) -> AsyncIterator[Callable[..., Limiter]]:
    """Makes limiters, each as another process would have it."""
    made: list[Limiter] = []

    def limiter(scale: float = 1) -> Limiter:
        made.append(Limiter(client, scale=scale, clock=clock))
        return made[-1]

    yield limiter
    for each in made:
        await each.close()


async def spent(client: "redis.asyncio.Redis") -> bool:
    return bool(await client.keys("earful:limit:points:*"))


async def counted(client: "redis.asyncio.Redis") -> None:
    """Until what was collected has been counted."""
    async with asyncio.timeout(5):
        while not await spent(client):
            await asyncio.sleep(0.01)


async def test_who_has_plenty_is_counted_afterwards_all_at_once(
    client: "redis.asyncio.Redis", new: Callable[..., Limiter], clock: Clock
) -> None:
    limiter = new()

    answers = [await limiter.purse(LIMIT, "ada").charge(10) for _ in range(4)]
    at_once = await spent(client)
    await counted(client)
    account = await new().purse(LIMIT, "ada").account()

    assert (answers, at_once) == ([0.0] * 4, False)
    assert (account.points, account.left) == (100, 60)
    assert account.seconds == pytest.approx(24, abs=0.5)


async def test_with_less_than_half_left_each_is_counted_before_the_answer(
    client: "redis.asyncio.Redis", new: Callable[..., Limiter], clock: Clock
) -> None:
    one, other = (new() for _ in range(2))
    await one.purse(LIMIT, "ada").charge(60)
    await counted(client)

    answers = [await one.purse(LIMIT, "ada").charge(15) for _ in range(2)]
    # The other has not heard of any; as soon as it has, it refuses.
    unaware = await other.purse(LIMIT, "ada").charge(15)
    await one.purse(LIMIT, "ada").account()
    async with asyncio.timeout(5):
        while not (refused := await other.purse(LIMIT, "ada").charge(15)):
            await asyncio.sleep(COLLECTED_SECONDS)

    assert (answers, unaware) == ([0.0, 0.0], 0.0)
    assert refused > 0


async def test_who_is_overdrawn_waits_until_it_has_come_back(
    client: "redis.asyncio.Redis", new: Callable[..., Limiter], clock: Clock
) -> None:
    limiter = new()
    await limiter.purse(LIMIT, "ada").charge(150)
    await counted(client)

    wait = await limiter.purse(LIMIT, "ada").charge(1)
    clock.now += wait + 0.1
    # As Redis would have it by then.
    await client.delete("earful:limit:points:ada")

    assert wait == pytest.approx(30, abs=0.5)
    assert await limiter.purse(LIMIT, "ada").charge(1) == 0.0


async def test_nobody_owes_for_longer_than_twice_the_time(
    client: "redis.asyncio.Redis", new: Callable[..., Limiter], clock: Clock
) -> None:
    limiter = new()

    await limiter.purse(LIMIT, "ada").charge(1_000_000)
    await counted(client)

    assert await limiter.purse(LIMIT, "ada").charge(1) == pytest.approx(60, abs=0.5)


async def test_callers_are_counted_apart_and_the_scale_multiplies(
    client: "redis.asyncio.Redis", new: Callable[..., Limiter], clock: Clock
) -> None:
    limiter = new(2)
    await limiter.purse(LIMIT, "ada").charge(150)

    accounts = [await limiter.purse(LIMIT, who).account() for who in ("ada", "bob")]

    assert [(each.points, each.left) for each in accounts] == [(200, 50), (200, 200)]


async def test_without_redis_everybody_passes() -> None:
    away = bus.connect("redis://127.0.0.1:1/0")
    credit = Credit(away)
    ada, bob = (credit.purse(who, points=100, seconds=60) for who in ("ada", "bob"))

    answers = [await ada.charge(60) for _ in range(3)]
    account = await bob.account()
    await credit.close()
    await away.aclose()

    assert answers[0] == 0.0
    assert (account.left, account.points) == (100, 100)
