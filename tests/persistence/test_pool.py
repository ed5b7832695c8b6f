"""The pool: served in turn, nothing lost to a cancellation, nothing half done handed out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import asyncpg
import pytest
from sqlalchemy import text

from app.settings import Settings
from persistence.connection import Connection
from persistence.pool import Pool
from persistence.statement import Record, Statement

ONE: Statement[Record] = Statement(text("SELECT 1 AS one"), Record)
PID: Statement[Record] = Statement(text("SELECT pg_backend_pid() AS pid"), Record)


class Opener:
    """Opens connections, or fails to while it is told to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened = 0
        self.fails = False

    async def __call__(self, on_outdated: Callable[[], None]) -> Connection:
        if self.fails:
            await asyncio.sleep(0)
            raise ConnectionRefusedError
        self.opened += 1
        driver = await asyncpg.connect(self.url)
        return Connection(driver, prepares=True, on_outdated=on_outdated)


@pytest.fixture
def opener(settings: Settings) -> Opener:
    assert settings.database_url is not None
    return Opener(settings.database_url)


@asynccontextmanager
async def pool_of(
    opener: Opener, most: int, *, wait: float = 10, idle: float = 300
) -> AsyncIterator[Pool]:
    pool = Pool(opener, least=1, most=most, wait_seconds=wait, idle_seconds=idle)
    try:
        yield pool
    finally:
        await pool.close(1)


async def _pid(connection: Connection) -> int:
    (row,) = await connection.fetch(PID, ())
    return int(row["pid"])


async def _answers(connection: Connection) -> bool:
    return [row["one"] for row in await connection.fetch(ONE, ())] == [1]


async def _turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _waiters(pool: Pool, number: int) -> list["asyncio.Task[Connection]"]:
    tasks = [asyncio.create_task(pool.acquire()) for _ in range(number)]
    await _turns()
    assert not any(task.done() for task in tasks)
    return tasks


async def _is_whole(pool: Pool, most: int) -> bool:
    """Whether all of its places can be had at once, each with a connection that works."""
    async with asyncio.timeout(5):
        connections = [await pool.acquire() for _ in range(most)]
        for connection in connections:
            await connection.fetch(ONE, ())
        for connection in connections:
            pool.release(connection)
    return len(set(connections)) == most


async def test_the_connection_used_last_is_taken_first(opener: Opener) -> None:
    async with pool_of(opener, 2) as pool:
        first, second = await pool.acquire(), await pool.acquire()
        pool.release(first)
        pool.release(second)

        assert (pool.take(), pool.take(), pool.take()) == (second, first, None)
        pool.release(first)
        pool.release(second)


async def test_who_finds_all_connections_taken_is_served_in_turn(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        only = await pool.acquire()
        tasks = await _waiters(pool, 3)

        for task in tasks:
            pool.release(only)
            assert pool.take() is None  # nobody overtakes
            assert await task is only
        pool.release(only)

        assert opener.opened == 1


async def test_waiting_has_an_end(opener: Opener) -> None:
    async with pool_of(opener, 1, wait=0.02) as pool:
        await pool.fill()
        only = await pool.acquire()
        with pytest.raises(TimeoutError):
            await pool.acquire()
        pool.release(only)

        assert await _is_whole(pool, 1)


async def test_who_stops_waiting_is_passed_over(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        only = await pool.acquire()
        leaving, staying = await _waiters(pool, 2)
        leaving.cancel()
        pool.release(only)

        assert await staying is only
        assert leaving.cancelled()
        pool.release(only)


async def test_a_connection_served_to_who_is_cancelled_goes_to_the_next(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        only = await pool.acquire()
        leaving, staying = await _waiters(pool, 2)
        pool.release(only)
        leaving.cancel()

        assert await staying is only
        assert leaving.cancelled()
        pool.release(only)


async def test_a_place_served_to_who_is_cancelled_goes_to_the_next(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        only = await pool.acquire()
        leaving, staying = await _waiters(pool, 2)
        only.terminate()
        pool.release(only)
        leaving.cancel()

        fresh = await staying
        assert await _answers(fresh)
        pool.release(fresh)


async def test_a_place_is_free_again_after_opening_was_cancelled(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        for turns in range(40):
            task = asyncio.create_task(pool.acquire())
            await _turns(turns)
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                pool.release(task.result())

        assert await _is_whole(pool, 1)


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_lost_in_a_storm_of_cancellations(opener: Opener, seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - dice

    async def use(pool: Pool) -> None:
        connection = pool.take() or await pool.acquire()
        try:
            await _turns(dice.randrange(4))
            if dice.random() < 0.2:
                connection.terminate()
        finally:
            pool.release(connection)

    async with pool_of(opener, 3) as pool:
        tasks = [asyncio.create_task(use(pool)) for _ in range(200)]
        while waiting := [task for task in tasks if not task.done()]:
            dice.choice(waiting).cancel()
            await _turns(dice.randrange(20))

        assert await _is_whole(pool, 3)


async def test_a_failure_to_open_is_told_to_each_and_keeps_no_place(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        opener.fails = True
        tasks = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        opener.fails = False

        assert [type(answer) for answer in answers] == [ConnectionRefusedError] * 3
        assert await _is_whole(pool, 1)


async def test_a_connection_that_broke_while_idle_is_replaced(
    opener: Opener, settings: Settings
) -> None:
    admin = await asyncpg.connect(settings.database_url)
    async with pool_of(opener, 2) as pool:
        connection = await pool.acquire()
        pid = await _pid(connection)
        pool.release(connection)
        await admin.execute("SELECT pg_terminate_backend($1)", pid)
        while not connection.is_closed:
            await asyncio.sleep(0.001)

        assert pool.take() is None
        fresh = await pool.acquire()
        assert await _pid(fresh) != pid
        pool.release(fresh)
        assert await _is_whole(pool, 2)
    await admin.close()


async def test_an_open_transaction_is_not_handed_on(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        connection = await pool.acquire()
        await connection.execute("BEGIN")
        pool.release(connection)

        assert connection.is_closed
        assert await _is_whole(pool, 1)


async def test_a_running_statement_is_not_handed_on(opener: Opener) -> None:
    async with pool_of(opener, 1) as pool:
        connection = await pool.acquire()
        running = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await _turns()
        with pytest.raises(asyncpg.InterfaceError, match="another statement is running"):
            await connection.fetch(ONE, ())
        pool.release(connection)

        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await running
        assert await _is_whole(pool, 1)


async def test_a_connection_given_back_twice_counts_once(opener: Opener) -> None:
    async with pool_of(opener, 2) as pool:
        connection = await pool.acquire()
        connection.terminate()
        pool.release(connection)
        pool.release(connection)

        assert await _is_whole(pool, 2)
        assert pool._places == 2


async def test_what_nobody_needs_is_closed_down_to_the_least(opener: Opener) -> None:
    async with pool_of(opener, 3, idle=0.02) as pool:
        connections = [await pool.acquire() for _ in range(3)]
        for connection in connections:
            pool.release(connection)
        async with asyncio.timeout(5):
            while sum(connection.is_closed for connection in connections) < 2:
                await asyncio.sleep(0.01)

        assert pool.take() is connections[2]
        pool.release(connections[2])
        assert await _is_whole(pool, 3)


async def test_closing_waits_for_who_is_busy(opener: Opener) -> None:
    pool = Pool(opener, least=1, most=2)
    busy, idle = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    closing = asyncio.create_task(pool.close(5))
    while not idle.is_closed:
        await asyncio.sleep(0.001)

    assert await _answers(busy)
    assert not closing.done()
    pool.release(busy)
    await closing
    assert busy.is_closed


async def test_closing_cuts_who_stays_busy_and_refuses_who_waits(opener: Opener) -> None:
    pool = Pool(opener, least=1, most=1)
    busy = await pool.acquire()
    (waiting,) = await _waiters(pool, 1)
    await pool.close(0.01)
    pool.release(busy)

    assert busy.is_closed
    for refused in (waiting, pool.acquire()):
        with pytest.raises(asyncpg.InterfaceError, match="the pool is closed"):
            await refused


async def test_closing_does_not_let_a_connection_open_behind_it(opener: Opener) -> None:
    pool = Pool(opener, least=1, most=1)
    opening = asyncio.create_task(pool.acquire())
    await _turns()
    await asyncio.gather(pool.close(5), return_exceptions=True)

    with pytest.raises(asyncpg.InterfaceError, match="the pool is closed"):
        await opening
    assert opener.opened == 1
