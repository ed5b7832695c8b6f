"""The second wall: row-level security alone keeps tenants apart, whatever a use case mistakes."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.resources import Api
from persistence.database import Database, Record, Statement
from persistence.tables import METADATA
from tests.factories import Factory, Tenant
from tests.graph.isolation import World, everything, victim_and_stranger

# By triggers of what has the wall, and for all at once.
WRITTEN_BY_ALL = {"outbox", "stats_hour", "stats_delta", "model_hour"}
TENANT_TABLES = {
    table.name: "workspace_id"
    for table in METADATA.sorted_tables
    if "workspace_id" in table.columns and table.name not in WRITTEN_BY_ALL
} | {"workspace": "id"}

KEPT = {"audit_entry", "erasure_receipt"}
"""Added to, and changed by nobody."""


@pytest.fixture(scope="module")
async def database(api: Api, empty: Callable[[], Awaitable[object]]) -> Database:
    """The database, emptied once: what is tried here changes nothing."""
    await empty()
    return api.services.database


@pytest.fixture(scope="module")
async def world(api: Api, database: Database) -> World:
    return await victim_and_stranger(Factory(database, api.services))


def insert(table: str) -> str:
    """A row of nothing but its workspace: the wall is asked before the constraints."""
    return f"INSERT INTO {table} ({TENANT_TABLES[table]}) VALUES (:workspace)"


async def run(database: Database, entered: Tenant | None, sql: str, **values: Any) -> int:
    """How many rows the statement touches, in a transaction that has entered this workspace."""
    async with database.transaction() as uow:
        if entered is not None:
            await uow.enter(entered.id)
        return await uow.execute(Statement(text(sql), Record), **values)


class _UndoneError(Exception):
    """Rolls back."""


async def rehearse(database: Database, entered: Tenant, sql: str) -> int:
    """How many rows the statement would touch."""
    touched = 0
    with suppress(_UndoneError):
        async with database.transaction() as uow:
            await uow.enter(entered.id)
            touched = await uow.execute(Statement(text(sql), Record), workspace=entered.id)
            raise _UndoneError
    return touched


async def test_every_tenant_table_has_the_wall(factory: Factory) -> None:
    walled = await factory.rows(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'"
    )

    assert {name for (name,) in walled} == TENANT_TABLES.keys()


async def test_earful_connects_as_a_role_that_the_wall_binds(factory: Factory) -> None:
    rows = await factory.rows(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )

    assert rows == [(False, False)]


@pytest.mark.parametrize("table", TENANT_TABLES)
@pytest.mark.parametrize("entered", [True, False])
async def test_the_wall_refuses_to_insert_a_row_of_another_workspace(
    world: World, factory: Factory, database: Database, table: str, entered: bool
) -> None:
    before = await everything(factory)
    within = {True: world.stranger, False: None}[entered]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(database, within, insert(table), workspace=world.tenant.id)

    assert await everything(factory) == before


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_wall_lets_a_row_of_the_entered_workspace_pass(
    world: World, database: Database, table: str
) -> None:
    with pytest.raises(asyncpg.NotNullViolationError):
        await run(database, world.tenant, insert(table), workspace=world.tenant.id)


@pytest.mark.parametrize("table", TENANT_TABLES)
@pytest.mark.parametrize("entered", [True, False])
async def test_the_wall_hides_the_rows_of_another_workspace_from_changes(
    world: World, factory: Factory, database: Database, table: str, entered: bool
) -> None:
    column, before = TENANT_TABLES[table], await everything(factory)
    within = {True: world.stranger, False: None}[entered]
    statements = [
        f"UPDATE {table} SET {column} = {column} WHERE {column} = :workspace",
        f"DELETE FROM {table} WHERE {column} = :workspace",
    ]

    touched = [await run(database, within, sql, workspace=world.tenant.id) for sql in statements]
    locked = await run(
        database,
        within,
        f"SELECT 1 FROM {table} WHERE {column} = :workspace FOR UPDATE",
        workspace=world.tenant.id,
    )

    assert (touched, locked) == ([0, 0], 0)
    assert await everything(factory) == before


@pytest.mark.parametrize("table", TENANT_TABLES.keys() - KEPT)
async def test_the_wall_lets_the_rows_of_the_entered_workspace_change(
    world: World, database: Database, table: str
) -> None:
    column = TENANT_TABLES[table]

    touched = await rehearse(
        database,
        world.tenant,
        f"UPDATE {table} SET {column} = {column} WHERE {column} = :workspace",
    )

    assert touched == {"source": 2, "job": 3, "member": 2}.get(table, 1)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_wall_refuses_to_move_a_row_into_another_workspace(
    world: World, factory: Factory, database: Database, table: str
) -> None:
    column, before = TENANT_TABLES[table], await everything(factory)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(
            database,
            world.stranger,
            f"UPDATE {table} SET {column} = :victim WHERE {column} = :own",
            victim=world.tenant.id,
            own=world.stranger.id,
        )

    assert await everything(factory) == before


async def test_a_workspace_is_entered_until_the_transaction_ends(
    world: World, factory: Factory, database: Database
) -> None:
    sql = "SELECT current_setting('earful.workspace_id', true)"

    await run(database, world.tenant, "SELECT 1")
    left = [await factory.rows(sql) for _ in range(4)]

    assert {value or "" for ((value,),) in left} == {""}
