"""What Postgres says of itself."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

_SECONDS = 10.0
_WAIT_SECONDS = 5.0

Cause = Literal["password", "database", "full", "tls", "host", "away"]

_FACTS = """
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS version_number,
    current_user ::text AS role,
    (SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user) AS is_bound,
    pg_is_in_recovery() AS is_standby,
    pg_backend_pid() AS pid,
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int AS most_connections,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    current_setting('server_encoding') AS encoding,
    to_regclass('alembic_version') IS NOT NULL AS is_migrated
"""
_PID = "SELECT pg_backend_pid()"
_PROGRESS = """
SELECT
    coalesce((SELECT extract(epoch FROM now() - created_at) ::float8
        FROM outbox ORDER BY id LIMIT 1), 0) AS oldest_event_seconds,
    (SELECT count(*) FROM worker WHERE seen_at > now() - interval '2 minutes') AS workers
"""


class PostgresRefusedError(Exception):
    """No connection: which kind of refusal, and what Postgres or the network said."""

    def __init__(self, cause: Cause, said: str) -> None:
        super().__init__(said)
        self.cause: Cause = cause


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """`ahead`: of how much its clock is ahead of ours, give or take the time it took to ask."""

    version: str
    version_number: int
    role: str
    is_bound: bool
    is_standby: bool
    is_proxied: bool
    most_connections: int
    connections: int
    encoding: str
    migration: str | None
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Progress:
    """What waits and who works, of a database that is migrated."""

    oldest_event_seconds: float
    workers: int


async def facts(url: str, clock: Callable[[], datetime]) -> PostgresFacts:
    """What it says; PostgresRefusedError."""
    async with _connected(url) as connection:
        row = await connection.fetchrow(_FACTS)
        assert row is not None  # noqa: S101 - it has no FROM
        migration = None
        if row["is_migrated"]:
            migration = await connection.fetchval("SELECT version_num FROM alembic_version")
        before = clock()
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        ahead = theirs - (before + (clock() - before) / 2)
        return PostgresFacts(
            row["version"],
            row["version_number"],
            row["role"],
            row["is_bound"],
            row["is_standby"],
            # A pooler tells its clients numbers of its own.
            row["pid"] != connection.get_server_pid(),
            row["most_connections"],
            row["connections"],
            row["encoding"],
            migration,
            ahead,
        )


async def progress(url: str) -> Progress:
    """What waits and who works; PostgresRefusedError."""
    async with _connected(url) as connection:
        row = await connection.fetchrow(_PROGRESS)
        assert row is not None  # noqa: S101 - it has no FROM
        return Progress(row["oldest_event_seconds"], row["workers"])


async def keeps_prepared_statements(url: str) -> bool:
    """Whether a statement is still prepared when a pooler gives its client another of its connections."""
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(_connected(url))
        async with ours.transaction():
            # By name, or asyncpg would prepare it anew; by another each time, for it may stay.
            prepared = await ours.prepare("SELECT 1", name=f"doctor_{secrets.token_hex(8)}")
            used = await ours.fetchval(_PID)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                held = None
                while held != used:  # Somebody else is to have it.
                    other = await stack.enter_async_context(_connected(url))
                    await stack.enter_async_context(other.transaction())
                    held = await other.fetchval(_PID)
                return bool(await prepared.fetchval() == 1)
        except asyncpg.InvalidSQLStatementNameError:
            return False
        except (TimeoutError, PostgresRefusedError):  # There are no others to be had.
            return True


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    try:
        connection = await asyncpg.connect(url, timeout=_SECONDS, statement_cache_size=0)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise PostgresRefusedError("password", str(error)) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise PostgresRefusedError("database", str(error)) from error
    except asyncpg.TooManyConnectionsError as error:
        raise PostgresRefusedError("full", str(error)) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise PostgresRefusedError(_cause(error), str(error) or "no answer") from error
    try:
        yield connection
    finally:
        connection.terminate()


def _cause(error: Exception) -> Cause:
    if "SSL" in str(error) or "certificate" in str(error):
        return "tls"
    # What getaddrinfo raises has negative numbers.
    if isinstance(error, OSError) and (error.errno or 0) < 0:
        return "host"
    return "away"
