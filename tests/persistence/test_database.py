"""Connections: what is cancelled leaves nothing open, and what fails leaves nothing written."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.settings import Settings
from app.stores import open_database
from persistence import account
from persistence.database import Database, Record, Statement, new_id
from persistence.workspace import of_viewer
from tests.factories import Factory

OPEN = """SELECT application_name, query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name = $1 AND (state <> 'idle' OR xact_start IS NOT NULL)"""


async def _leave(work: Awaitable[object], after_turns: int) -> None:
    """Begin, and cancel after so many turns of the event loop."""
    task = asyncio.ensure_future(work)
    for _ in range(after_turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})


def _unheard_of(number: int) -> Statement[Record]:
    """A statement that Postgres has to parse, which is when it can be left half done."""
    return Statement(text(f"SELECT id AS id_{number} FROM feedback"), Record)


async def _read(database: Database, number: int) -> None:
    async with database.reader() as reader:
        await reader.fetch(_unheard_of(number))


async def _write(database: Database, number: int) -> None:
    async with database.transaction() as uow:
        await uow.fetch(_unheard_of(number))


async def _fail(database: Database, session: UUID | None = None) -> None:
    async with database.transaction() as uow:
        await account.revoke_session(uow, session or new_id())
        await uow._connection.execute("SELECT nothing FROM nowhere")


async def test_a_cancelled_operation_leaves_no_transaction_and_no_lock(settings: Settings) -> None:
    observer = await asyncpg.connect(settings.database_url)
    narrow = settings.model_copy(update={"database_pool_size": 1})
    async with open_database(narrow, "leaving") as database:
        for turns in range(300):
            await _leave(_read(database, turns), turns)
            await _leave(_write(database, 1_000 + turns), turns)

            assert await observer.fetch(OPEN, "leaving") == []
    await observer.close()


async def test_a_refused_use_case_rolls_back_all_of_its_writes(
    database: Database, factory: Factory
) -> None:
    person = await factory.person()

    with pytest.raises(asyncpg.UndefinedTableError):
        await _fail(database, person.session_id)

    async with database.reader() as reader:
        assert len(await account.sessions_by_ids(reader, person.id, [person.session_id])) == 1


async def test_a_snapshot_sees_one_moment_and_writes_nothing(
    database: Database, factory: Factory
) -> None:
    people = Statement(text('SELECT id FROM "user"'), Record)
    await factory.person()

    async with database.snapshot() as reader:
        before = await reader.fetch(people)
        await factory.person()
        meanwhile = await reader.fetch(people)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.fetch(Statement(text('DELETE FROM "user" RETURNING id'), Record))

    async with database.reader() as reader:
        after = await reader.fetch(people)
    assert (len(before), len(meanwhile), len(after)) == (1, 1, 2)


async def test_the_connection_of_a_failed_transaction_is_good_for_the_next(
    settings: Settings, factory: Factory
) -> None:
    person = await factory.person()
    narrow = settings.model_copy(update={"database_pool_size": 1})
    async with open_database(narrow, "narrow") as database:
        with pytest.raises(asyncpg.UndefinedTableError):
            await _fail(database)
        async with database.transaction() as uow:
            assert await of_viewer(uow, person.id) == []
