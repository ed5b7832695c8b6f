"""Runs migrations on DATABASE_URL's server, one process at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, event, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from persistence import tables

# Two processes that migrate at once wait for each other on this advisory lock ("earful" in ASCII).
_LOCK = 0x65617266756C


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.METADATA,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    event.listen(connection, "begin", _wait_for_no_lock_long)
    with context.begin_transaction():
        context.run_migrations()


def _wait_for_no_lock_long(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")


async def _migrate(url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        # On a connection of its own, for each migration's transaction would give the lock back.
        async with engine.begin() as guard, engine.connect() as connection:
            await guard.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_migrate(context.config.get_main_option("sqlalchemy.url", "")))
