"""Prepared statements: kept while they are used, and made anew when the schema has changed."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, cast, literal_column, select, text

from app.settings import Settings
from app.stores import now
from persistence import connection as connections
from persistence import database as databases
from persistence.connection import Connection
from persistence.database import Database, Record, Statement, StoreUnavailableError

NUMBER: Statement[Record] = Statement(text("SELECT number FROM numbers"), Record)
PREPARED = "SELECT count(*) FROM pg_prepared_statements"


@pytest.fixture
async def database_(settings: Settings) -> AsyncIterator[Database]:
    """A database of one connection."""
    assert settings.database_url is not None
    opened = await databases.connect(settings.database_url, clock=now, pool_size=1)
    yield opened
    await opened.close()


@pytest.fixture
async def connection(database_: Database) -> AsyncIterator[Connection]:
    taken = database_._pool.take()
    assert taken is not None
    await taken.execute("CREATE TEMPORARY TABLE numbers AS SELECT 1 AS number")
    yield taken
    await taken.execute("ROLLBACK")
    database_._pool.release(taken)


def _numbered(number: int) -> Statement[Record]:
    return Statement(select(literal_column("1").label(f"number_{number}")), Record)


async def _read(connection: Connection) -> list[object]:
    return [row["number"] for row in await connection.fetch(NUMBER, ())]


async def test_a_statement_is_prepared_anew_when_its_answer_has_changed(
    connection: Connection,
) -> None:
    assert await _read(connection) == [1]
    await connection.execute("ALTER TABLE numbers ALTER number TYPE text")

    assert await _read(connection) == ["1"]


async def test_within_a_transaction_a_changed_answer_fails_once(connection: Connection) -> None:
    assert await _read(connection) == [1]
    await connection.execute("ALTER TABLE numbers ALTER number TYPE text")
    await connection.execute("BEGIN")
    with pytest.raises(asyncpg.InvalidCachedStatementError):
        await _read(connection)
    await connection.execute("ROLLBACK")

    await connection.execute("BEGIN")
    assert await _read(connection) == ["1"]


async def test_only_the_latest_used_stay_prepared(connection: Connection) -> None:
    first = _numbered(0)
    await connection.fetch(first, ())
    for number in range(1, connections.MOST_PREPARED + 20):
        await connection.fetch(_numbered(number), ())
        await connection.fetch(first, ())

    assert first in connection._prepared
    assert len(connection._prepared) == connections.MOST_PREPARED
    assert await connection._driver.fetchval(PREPARED) <= connections.MOST_PREPARED + 2


async def test_a_statement_is_planned_as_it_asks_to_be(connection: Connection) -> None:
    parameter = cast(bindparam("number"), Integer).label("number")
    modes = []
    for by_value in (False, True, True, False):
        statement = Statement(select(parameter), Record, planned_by_value=by_value)
        await connection.fetch(statement, (1,))
        modes.append(await connection._driver.fetchval("SHOW plan_cache_mode"))

    assert modes == ["force_generic_plan", "auto", "auto", "force_generic_plan"]


async def test_a_mode_is_not_changed_where_a_rollback_takes_it_back(
    connection: Connection,
) -> None:
    await connection.execute("BEGIN")
    await connection.fetch(Statement(text("SELECT 1"), Record, planned_by_value=True), ())
    await connection.execute("ROLLBACK")

    assert connection._plans_by_value is False
    mode = await connection._driver.fetchval("SHOW plan_cache_mode")
    assert mode == "force_generic_plan"


async def test_a_reader_reads_nothing_after_its_block(database_: Database) -> None:
    async with database_.reader() as reader:
        await reader.fetch(_numbered(1))

    with pytest.raises(AttributeError, match="_connection"):
        await reader.fetch(_numbered(1))


async def test_two_statements_at_once_on_one_reader_are_a_mistake(database_: Database) -> None:
    slow: Statement[Record] = Statement(text("SELECT 1 FROM pg_sleep(0.05)"), Record)
    with pytest.raises(asyncpg.InterfaceError, match="another statement is running"):
        async with database_.reader() as reader:
            await asyncio.gather(reader.fetch(slow), reader.fetch(_numbered(1)))

    await database_.ping()


async def test_a_connection_that_is_cut_while_it_reads_is_replaced(database_: Database) -> None:
    suicide: Statement[Record] = Statement(
        text("SELECT pg_terminate_backend(pg_backend_pid())"), Record
    )
    for open_ in (database_.reader, database_.transaction):
        with pytest.raises(StoreUnavailableError):
            async with open_() as reader:
                await reader.fetch(suicide)
        await database_.ping()


async def test_a_unit_of_work_that_asks_nothing_sends_nothing(database_: Database) -> None:
    (connection,) = database_._pool._connections
    before = connection._driver._protocol.queries_count  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        async with database_.transaction():
            raise ZeroDivisionError
    async with database_.transaction():
        pass

    assert connection._driver._protocol.queries_count == before  # type: ignore[attr-defined]
