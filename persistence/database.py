"""How Earful talks to Postgres: readers for reads, one unit of work per change.

Statements are built from the SQLModel tables' metadata, compiled once, and run on asyncpg rows without ORM
objects. Nothing else commits or rolls back.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from uuid import UUID

import asyncpg
import uuid_utils.compat
from sqlalchemy import ARRAY, DateTime, Dialect, Executable, Table, Text, any_, bindparam, func
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel

TIMESTAMP = DateTime(timezone=True)

_DIALECT: Dialect = PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

# What Postgres says when it is restarting, shutting down or has no connection left for us.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_UNREACHABLE = (*_AWAY, OSError, TimeoutError, asyncpg.InterfaceError)


class StoreUnavailableError(Exception):
    """Postgres cannot be reached or went away in the middle; nothing was committed that was not confirmed."""


class UniqueViolationError(Exception):
    """A write collided with a unique constraint, whose name it carries."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Record(asyncpg.Record):
    """A row whose selected columns are attributes; a column that was not selected raises AttributeError."""

    if not TYPE_CHECKING:
        # Hidden from the type checker, so that a row's declared columns are all it may ask for.
        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                raise AttributeError(name) from None


R = TypeVar("R", bound=Record)


class Statement(Generic[R]):
    """SQL text compiled once, with the order of its parameters and the class of its rows."""

    __slots__ = ("_constants", "_names", "row", "text")

    def __init__(self, statement: Executable, row: type[R]) -> None:
        compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))  # type: ignore[attr-defined]  # every statement we build can
        self.text = str(compiled)
        self.row = row
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants: dict[str, Any] = compiled.params

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """The positional arguments for these named values; a missing one is a KeyError."""
        constants = self._constants
        return [
            values[name] if name in values else _constant(constants, name) for name in self._names
        ]


def _constant(constants: dict[str, Any], name: str) -> Any:
    value = constants[name]
    if value is None:
        raise KeyError(name)
    return value


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel adds it to table models


def given(*columns: str, **parameters: str) -> dict[str, ColumnElement[Any]]:
    """Values for an INSERT: columns given by parameters of their own names, or of the names said."""
    names = dict(zip(columns, columns, strict=True)) | parameters
    return {column: bindparam(parameter) for column, parameter in names.items()}


def one_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """`column = ANY($parameter)`: one statement text, however many values there are."""
    return column == any_(bindparam(parameter, type_=ARRAY(column.type)))


def new_id() -> UUID:
    """A UUIDv7: time-ordered, so that new rows land at the end of every index."""
    return uuid_utils.compat.uuid7()


def enter_workspace(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A select-list entry that opens row-level security for that row's workspace until the transaction ends.

    The statement that proves membership opens the second wall with it, so that it costs no round trip.
    """
    return func.set_config("earful.workspace_id", sql_cast(column, Text), True).label(
        "entered_workspace"
    )


@contextlib.contextmanager
def _collisions_named() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolationError(error.constraint_name or "") from error


class Reader:
    """Runs statements on one connection. Short-lived: open it, read, let it go."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        """All rows."""
        return cast(
            "list[R]",
            await self._connection.fetch(
                statement.text, *statement.arguments(values), record_class=statement.row
            ),
        )

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        """The first row, or None."""
        return cast(
            "R | None",
            await self._connection.fetchrow(
                statement.text, *statement.arguments(values), record_class=statement.row
            ),
        )


class UnitOfWork(Reader):
    """One transaction: rows and, in the same transaction, the outbox events that announce them.

    `now` is the transaction's one clock reading. Unique violations are raised as UniqueViolationError.
    """

    __slots__ = ("_events", "now")

    def __init__(self, connection: Any, now: datetime) -> None:
        super().__init__(connection)
        self.now = now
        self._events: list[tuple[UUID, str, str]] = []

    def emit(self, workspace: UUID, kind: str, payload: str) -> None:
        """Queue an outbox event, a JSON text, that becomes visible if and only if this transaction commits."""
        self._events.append((workspace, kind, payload))

    async def enter(self, workspace: UUID) -> None:
        """Open row-level security for one workspace, where no membership statement does (jobs)."""
        await self._connection.execute(
            "SELECT set_config('earful.workspace_id', $1, true)", str(workspace)
        )

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        with _collisions_named():
            return await super().fetch(statement, **values)

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        with _collisions_named():
            return await super().first(statement, **values)

    async def execute(self, statement: Statement[Any], **values: Any) -> int:
        """Run a statement for its effect; answers how many rows it touched."""
        arguments = statement.arguments(values)
        with _collisions_named():
            status: str = await self._connection.execute(statement.text, *arguments)
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0

    async def _write_outbox(self) -> None:
        if self._events:
            workspaces, kinds, payloads = zip(*self._events, strict=True)
            await self._connection.execute(
                "INSERT INTO outbox (workspace_id, kind, payload) "
                "SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[])",
                workspaces,
                kinds,
                payloads,
            )


class Database:
    """The pool of connections, and the two ways to use one: `reader()` and `transaction()`."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", *, pooled_by_proxy: bool, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._pooled_by_proxy = pooled_by_proxy
        self._clock = clock

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reader]:
        """A connection for reads, outside a transaction.

        Behind a transaction-mode proxy without prepared statements asyncpg's parse and bind may reach two
        servers, so there every read is wrapped in a transaction of its own.
        """
        async with self._acquire() as connection:
            if self._pooled_by_proxy:
                async with connection.transaction(readonly=True):
                    yield Reader(connection)
            else:
                yield Reader(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """One unit of work: committed with its outbox events when the block ends, rolled back if it raises."""
        async with self._acquire() as connection:
            await connection.execute("BEGIN")
            uow = UnitOfWork(connection, self._clock())
            try:
                yield uow
                await uow._write_outbox()  # noqa: SLF001
                await connection.execute("COMMIT")
            except BaseException:
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Any]:
        try:
            connection = await self._pool.acquire(timeout=10)
        except _UNREACHABLE as error:
            raise StoreUnavailableError("Postgres cannot be reached") from error
        try:
            yield connection
        except asyncio.CancelledError:
            # Cancelled between two messages of the protocol, a statement stays open with its locks.
            await _roll_back(connection)
            raise
        except _AWAY as error:
            raise StoreUnavailableError("Postgres went away") from error
        except asyncpg.InternalClientError as error:
            # A server that was killed can leave a connection that is neither idle nor closed.
            with contextlib.suppress(Exception):
                connection.terminate()
            raise StoreUnavailableError("The connection to Postgres broke") from error
        except (OSError, asyncpg.InterfaceError) as error:
            # asyncpg also uses InterfaceError for wrong arguments, which are our bugs.
            if _is_lost(connection):
                raise StoreUnavailableError("Postgres went away") from error
            raise
        finally:
            await asyncio.shield(self._pool.release(connection))

    async def ping(self) -> None:
        """Raise StoreUnavailableError unless Postgres answers."""
        async with self._acquire() as connection:
            await connection.fetchval("SELECT 1")

    async def is_bound_by_row_security(self) -> bool:
        """Whether our role obeys row-level security: superusers and BYPASSRLS roles do not."""
        async with self._acquire() as connection:
            return bool(
                await connection.fetchval(
                    "SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
                )
            )

    async def close(self) -> None:
        """Close every connection; those still busy after 5 s are cut."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()


def _is_lost(connection: Any) -> bool:
    """Whether it is closed. The pool takes a connection back from its user the moment it closes."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def _roll_back(connection: Any) -> None:
    # A connection that cannot roll back is closed: the pool must not hand out what is half done.
    if _is_lost(connection):
        return
    try:
        await asyncio.shield(asyncio.wait_for(connection.execute("ROLLBACK"), timeout=5))
    except (asyncio.CancelledError, Exception):  # noqa: BLE001
        with contextlib.suppress(Exception):
            connection.terminate()


async def _leave_as_it_is(_: Any) -> None:
    """No reset on release: a unit of work sets only what ends with its transaction."""


async def connect(
    url: str,
    *,
    clock: Callable[[], datetime],
    pool_size: int = 10,
    prepared_statements: bool = True,
    application: str = "earful",
) -> Database:
    """Open the pool; raises StoreUnavailableError when Postgres does not answer or refuses us."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=min(2, pool_size),
            max_size=pool_size,
            statement_cache_size=1024 if prepared_statements else 0,
            reset=_leave_as_it_is,
            timeout=10,
            command_timeout=60,
            server_settings={"application_name": application, "timezone": "UTC"}
            if prepared_statements
            else None,
        )
    except (*_UNREACHABLE, asyncpg.PostgresError) as error:
        raise StoreUnavailableError(f"Postgres cannot be reached: {error}") from error
    return Database(pool, pooled_by_proxy=not prepared_statements, clock=clock)
