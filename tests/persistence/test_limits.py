"""Rate limits: what all processes together may spend, whoever holds the points on lease."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.settings import Settings
from app.stores import open_redis
from persistence import bus
from persistence.database import new_id
from persistence.limits import Limit, Limiter

_SECONDS = 1_000  # a point takes to come back: while a test lasts none does


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with open_redis(settings) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _limit(points: int) -> Limit:
    return Limit(new_id().hex, points=points, seconds=points * _SECONDS)


async def _taken(redis: Redis, limit: Limit, caller: str = "ada") -> int:
    """How many points Redis counts as spent."""
    back_at = await redis.get(f"earful:limit:{limit.name}:{caller}")
    return 0 if back_at is None else round((float(back_at) - time.time()) / _SECONDS)


async def _many(limiter: Limiter, limit: Limit, times: int, *, cost: int = 1) -> list[float]:
    return await asyncio.gather(*(limiter.wait(limit, "ada", cost=cost) for _ in range(times)))


def _is(seconds: float) -> object:
    return pytest.approx(seconds, abs=5)


async def test_a_small_limit_is_taken_point_by_point_by_all_processes(redis: Redis) -> None:
    limit, limiters = _limit(10), [Limiter(redis, scale=1), Limiter(redis, scale=1)]
    counts = []
    for number in range(10):
        assert await limiters[number % 2].wait(limit, "ada") == 0
        counts.append(await _taken(redis, limit))

    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [await limiter.wait(limit, "ada") for limiter in limiters] == [_is(_SECONDS)] * 2
    assert await limiters[0].wait(limit, "bob") == 0


@pytest.mark.parametrize("at_once", [1, 40])
async def test_a_busy_caller_takes_points_in_advance(
    redis: Redis, clock: Clock, at_once: int
) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    for _ in range(40 // at_once):
        assert await _many(limiter, limit, at_once) == [0] * at_once

    assert await _taken(redis, limit) == 1 + 2 + 4 + 8 + 10 + 10 + 10


async def test_a_rare_caller_takes_none_in_advance(redis: Redis, clock: Clock) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    for _ in range(5):
        await limiter.wait(limit, "ada")
        clock.now += 0.75

    assert await _taken(redis, limit) == 5


async def test_points_on_lease_are_lost_after_a_second(redis: Redis, clock: Clock) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    await _many(limiter, limit, 2)
    clock.now += 0.99
    await limiter.wait(limit, "ada")
    in_time = await _taken(redis, limit)
    await limiter.wait(limit, "ada")
    clock.now += 1
    await limiter.wait(limit, "ada")

    assert in_time == 1 + 2
    assert await _taken(redis, limit) == 1 + 2 + 2 + 1


async def test_two_processes_spend_no_more_than_the_limit_and_no_less(
    redis: Redis, clock: Clock
) -> None:
    limit = _limit(1_000)
    answers = await asyncio.gather(
        *(_many(Limiter(redis, scale=1, clock=clock), limit, 1_000) for _ in range(2))
    )

    waits = sorted(answers[0] + answers[1])
    assert waits[:1_000] == [0] * 1_000
    assert waits[1_000:] == [_is(_SECONDS)] * 1_000
    assert await _taken(redis, limit) == 1_000


async def test_costs_are_spent_from_the_lease_and_what_is_missing_is_taken(
    redis: Redis, clock: Clock
) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    counts = []
    for cost in (3, 3, 5, 50):  # of which 0, 0, 3 and 4 are on lease
        assert await limiter.wait(limit, "ada", cost=cost) == 0
        counts.append(await _taken(redis, limit))

    assert counts == [3, 3 + 6, 9 + 6, 15 + 46]
    assert await limiter.wait(limit, "ada", cost=1_000) == _is(61 * _SECONDS)
    assert await limiter.wait(limit, "ada", cost=939) == 0
    assert await _taken(redis, limit) == 1_000


async def test_points_that_wait_for_others_are_spent_once(redis: Redis, clock: Clock) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    await _many(limiter, limit, 2, cost=3)  # 3 + 6 were taken, 3 are left
    await asyncio.gather(*(limiter.wait(limit, "ada", cost=cost) for cost in (5, 3)))
    before = await _taken(redis, limit)
    await limiter.wait(limit, "ada")  # the last one
    spent = await _taken(redis, limit)
    await limiter.wait(limit, "ada")

    assert (before, spent) == (15, 15)
    assert await _taken(redis, limit) == 15 + 10


async def test_the_last_points_are_taken_and_no_more(redis: Redis, clock: Clock) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    await limiter.wait(limit, "ada", cost=996)

    assert await _many(limiter, limit, 4) == [0] * 4
    assert await limiter.wait(limit, "ada") == _is(_SECONDS)
    assert await _taken(redis, limit) == 1_000


async def test_a_refusal_is_remembered_for_a_second_and_counted_down(
    redis: Redis, clock: Clock
) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    await limiter.wait(limit, "ada", cost=1_000)
    refused = await limiter.wait(limit, "ada")
    await redis.delete(f"earful:limit:{limit.name}:ada")
    clock.now += 0.75
    remembered = await limiter.wait(limit, "ada")
    clock.now += 0.25

    assert refused == _is(_SECONDS)
    assert remembered == pytest.approx(refused - 0.75)
    assert await limiter.wait(limit, "ada") == 0


async def test_a_look_spends_nothing_and_counts_what_is_on_lease_here(
    redis: Redis, clock: Clock
) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock)
    await limiter.wait(limit, "ada", cost=990)
    await limiter.wait(limit, "ada")
    looks = [await limiter.wait(limit, "ada", cost=cost, spend=False) for cost in (1, 9, 10)]
    elsewhere = await Limiter(redis, scale=1).wait(limit, "ada", spend=False)

    assert looks == [0, 0, _is(_SECONDS)]
    assert elsewhere == _is(_SECONDS)
    assert await _many(limiter, limit, 10) == [0] * 9 + [_is(_SECONDS)]
    assert await _taken(redis, limit) == 1_000


async def test_the_scale_multiplies_the_points(redis: Redis) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1 / 100)
    waits = [await limiter.wait(limit, "ada") for _ in range(11)]

    assert waits == [0] * 10 + [_is(100 * _SECONDS)]


async def test_only_the_latest_callers_have_leases(redis: Redis, clock: Clock) -> None:
    limit, limiter = _limit(1_000), Limiter(redis, scale=1, clock=clock, callers=2)
    for caller in ("ada", "ada", "bob", "ada", "eve", "ada", "bob"):
        await limiter.wait(limit, caller)

    counts = [await _taken(redis, limit, caller) for caller in ("ada", "bob", "eve")]
    # Ada's third is from her lease; Bob was forgotten for Eve, and takes one as if he were new.
    assert counts == [1 + 2 + 4, 1 + 1, 1]


async def test_without_redis_everybody_passes_and_nobody_queues() -> None:
    attempts = 0

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    client = bus.connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server, client:
        limiter = Limiter(client, scale=1, clock=Clock())
        assert await limiter.wait(_limit(1_000), "ada") == 0
        alone = attempts
        assert await _many(limiter, _limit(1_000), 20) == [0] * 20

    assert attempts == alone


async def test_points_that_are_given_back_may_be_spent_again(redis: Redis) -> None:
    limit, limiter = _limit(3), Limiter(redis, scale=1)
    waits = await _many(limiter, limit, 4)

    await limiter.give_back(limit, "ada")

    assert sorted(waits) == [0, 0, 0, _is(_SECONDS)]
    assert await _taken(redis, limit) == 2
    assert sorted(await _many(limiter, limit, 2)) == [0, _is(_SECONDS)]


async def test_no_more_is_given_back_than_was_spent(redis: Redis) -> None:
    limit, limiter = _limit(2), Limiter(redis, scale=1)
    await limiter.wait(limit, "ada")

    await limiter.give_back(limit, "ada", cost=5)
    await limiter.give_back(limit, "bob")

    assert [await _taken(redis, limit, who) for who in ("ada", "bob")] == [0, 0]
    assert sorted(await _many(limiter, limit, 3)) == [0, 0, _is(_SECONDS)]
