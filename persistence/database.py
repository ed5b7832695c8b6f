"""How Earful talks to Postgres: readers for reads, one unit of work per change.

Statements are built from the SQLModel tables' metadata, compiled once, and run on asyncpg rows without ORM
objects. Nothing else commits or rolls back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import literal_column, select, text

from persistence.connection import Connection
from persistence.joint import Arguments, Joint
from persistence.metering import Meter, long_of
from persistence.pool import Pool, Usage
from persistence.statement import (
    TIMESTAMP,
    Columns,
    Nested,
    R,
    Record,
    Statement,
    array_of,
    enter_workspace,
    given,
    new_id,
    one_of,
    only,
    table,
)
from telemetry import trace as traces

__all__ = [
    "TIMESTAMP",
    "Columns",
    "Database",
    "Nested",
    "Reader",
    "Record",
    "Statement",
    "StoreUnavailableError",
    "UniqueViolationError",
    "UnitOfWork",
    "array_of",
    "connect",
    "enter_workspace",
    "given",
    "new_id",
    "one_of",
    "only",
    "table",
]

# What Postgres says when it is restarting, shutting down or has no connection left for us.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_UNREACHABLE = (*_AWAY, OSError, TimeoutError, asyncpg.InterfaceError)
# After these the protocol may be in the middle of a statement.
_HALF_DONE = (asyncio.CancelledError, OSError, asyncpg.InterfaceError)

_PING: Statement[Record] = Statement(select(literal_column("1").label("answer")), Record)
_ROLE: Statement[Record] = Statement(
    text(
        "SELECT NOT (rolsuper OR rolbypassrls) AS bound FROM pg_roles WHERE rolname = current_user"
    ),
    Record,
)


class StoreUnavailableError(Exception):
    """Postgres cannot be reached or went away in the middle; nothing was committed that was not confirmed."""


class UniqueViolationError(Exception):
    """A write collided with a unique constraint, whose name it carries."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Reader:
    """Runs statements on one connection. Short-lived: open it, read, let it go."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        """All rows."""
        return await self._connection.fetch(statement, statement.arguments(values))

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        """The first row, or None."""
        rows = await self._connection.fetch(statement, statement.arguments(values))
        return rows[0] if rows else None


class JointReader(Reader):
    """Runs statements together with those that others ask for at the same moment: joint.py says which."""

    __slots__ = ("_joint", "_meter")

    def __init__(self, joint: Joint, meter: Meter) -> None:
        self._joint = joint
        self._meter = meter

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """It held nothing."""

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        arguments = statement.arguments(values)
        long = long_of(statement)
        if not long:
            return await self._joint.fetch(self._meter, statement, arguments)
        async with self._meter:
            rows = await self._joint.fetch(self._meter, statement, arguments)
            return self._meter.took(rows, long)

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        rows = await self.fetch(statement, **values)
        return rows[0] if rows else None


class UnitOfWork(Reader):
    """One transaction: rows and, in the same transaction, the outbox events that announce them.

    It begins with its first statement. `now` is the transaction's one clock reading. Unique violations are raised as
    UniqueViolationError.
    """

    __slots__ = ("_begin_text", "_begun", "_events", "_last", "_over", "now")

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        begin: str = "BEGIN",
        last: "Callable[[UnitOfWork], Awaitable[None]] | None" = None,
    ) -> None:
        super().__init__(connection)
        self._last = last
        self.now = now
        self._begin_text = begin
        self._begun = False
        self._over = False
        self._events: list[tuple[UUID, str, str, str | None]] = []

    def emit(self, workspace: UUID, kind: str, payload: str, *, trace: str | None = None) -> None:
        """Queue an outbox event, a JSON text, that becomes visible if and only if this transaction commits.

        It belongs to the trace of what is done here, where it is not said to which.
        """
        self._require_open()
        self._events.append((workspace, kind, payload, trace or traces.carried()))

    async def enter(self, workspace: UUID) -> None:
        """Open row-level security for one workspace, where no membership statement does (jobs)."""
        await self._begin(f"SET LOCAL earful.workspace_id = '{UUID(bytes=workspace.bytes)}'")

    async def operate(self) -> None:
        """Open the tables of work (jobs, schedules) for the rows of all tenants: for what keeps work going, only."""
        await self._begin("SET LOCAL earful.operation = 'on'")

    async def fetch(self, statement: Statement[R], **values: Any) -> list[R]:
        await self._begin()
        try:
            return await self._connection.fetch(statement, statement.arguments(values))
        except asyncpg.UniqueViolationError as error:
            raise UniqueViolationError(error.constraint_name or "") from error

    async def first(self, statement: Statement[R], **values: Any) -> R | None:
        rows = await self.fetch(statement, **values)
        return rows[0] if rows else None

    async def execute(self, statement: Statement[Any], **values: Any) -> int:
        """Run a statement for its effect; answers how many rows it touched."""
        await self._begin()
        arguments = statement.arguments(values)
        try:
            status = await self._connection.execute(statement.text, *arguments)
        except asyncpg.UniqueViolationError as error:
            raise UniqueViolationError(error.constraint_name or "") from error
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0

    async def sole(self, statement: Statement[R], **values: Any) -> R | None:
        """Run the statement that is the whole unit of work: a transaction by itself, in one round trip.

        It does all or nothing, events included, and answers a row if it did; then the work is committed and over,
        and whatever else is asked of it is a RuntimeError. None (for collisions too): nothing was done, and the unit
        of work is as new.
        """
        rows = await self.sole_rows(statement, **values)
        return rows[0] if rows else None

    async def sole_rows(self, statement: Statement[R], **values: Any) -> list[R]:
        """The same with a row for each thing that it did; without one nothing was done."""
        self._require_open()
        if self._begun or self._events:
            raise RuntimeError("A statement that is to be the whole unit of work comes first.")
        shared = not self._connection.prepares or self._last is not None
        if shared:
            # See Database.reader(): there it takes a transaction to keep one statement together. And so it does to
            # have anything follow it.
            await self._begin()
        try:
            rows = await self._connection.fetch(statement, statement.arguments(values))
        except asyncpg.UniqueViolationError:
            if shared:
                await self._connection.execute("ROLLBACK")
                self._begun = False
            return []
        self._over = bool(rows)
        return rows

    def _require_open(self) -> None:
        if self._over:
            raise RuntimeError("This unit of work is over: its sole statement has done its work.")

    async def _begin(self, setting: str | None = None) -> None:
        """Begin, if that was not done, and with a setting, in the same message."""
        self._require_open()
        texts = [] if self._begun else [self._begin_text]
        texts += [] if setting is None else [setting]
        if texts:
            self._begun = True
            await self._connection.execute("; ".join(texts))

    async def _commit(self) -> None:
        if self._events:
            await self._begin()
            workspaces, kinds, payloads, places = zip(*self._events, strict=True)
            await self._connection.execute(
                "INSERT INTO outbox (workspace_id, kind, payload, trace) "
                "SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[])",
                workspaces,
                kinds,
                payloads,
                places,
            )
        if self._begun and self._last is not None:
            self._over = False
            await self._last(self)
        if self._begun:
            await self._connection.execute("COMMIT")


class _Block:
    """A connection for the length of a block, and the driver's errors in our words."""

    __slots__ = ("_connection", "_pool", "_reader")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._reader: Reader | None = None

    async def _open(self) -> Connection:
        connection = self._pool.take()
        if connection is None:
            try:
                connection = await self._pool.acquire()
            except _UNREACHABLE as error:
                raise StoreUnavailableError("Postgres cannot be reached") from error
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._reader is not None:
            # Whoever kept the reader can do nothing with it any more.
            del self._reader._connection  # noqa: SLF001
        self._pool.release(self._connection)

    async def _fail(self, error: BaseException, *, begun: bool = False) -> None:
        """Close after an error; raise what the caller is to see in its place, if anything."""
        connection = self._connection
        lost = connection.is_closed
        try:
            # Cancelled between two messages of the protocol, a statement stays open with its locks.
            if begun or isinstance(error, _HALF_DONE):
                await _roll_back(connection)
            if isinstance(error, _AWAY):
                raise StoreUnavailableError("Postgres went away") from error
            if isinstance(error, asyncpg.InternalClientError):
                # A server that was killed can leave a connection that is neither idle nor closed.
                connection.terminate()
                raise StoreUnavailableError("The connection to Postgres broke") from error
            # asyncpg also uses InterfaceError for wrong arguments, which are our bugs.
            if lost and isinstance(error, (OSError, asyncpg.InterfaceError)):
                raise StoreUnavailableError("Postgres went away") from error
        finally:
            self._close()


class _Reading(_Block):
    __slots__ = ()

    async def __aenter__(self) -> Reader:
        self._reader = reader = Reader(await self._open())
        return reader

    async def fetch(self, statement: Statement[R], arguments: Arguments) -> list[R]:
        """The rows of a statement that is the whole block."""
        connection = await self._open()
        try:
            rows = await connection.fetch(statement, arguments)
        except BaseException as error:
            await self._fail(error)
            raise
        self._pool.release(connection)
        return rows

    async def __aexit__(
        self, _: object, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._close()
        else:
            await self._fail(error)


Last = Callable[[UnitOfWork], Awaitable[None]]
"""What a unit of work does last, before it is committed."""


class _Changing(_Block):
    __slots__ = ("_begin", "_clock", "_last", "_uow")

    def __init__(
        self, pool: Pool, clock: Callable[[], datetime], begin: str, last: Last | None = None
    ) -> None:
        super().__init__(pool)
        self._clock = clock
        self._begin = begin
        self._last = last

    async def __aenter__(self) -> UnitOfWork:
        connection = await self._open()
        self._reader = self._uow = UnitOfWork(connection, self._clock(), self._begin, self._last)
        return self._uow

    async def __aexit__(
        self, _: object, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        uow = self._uow
        if error is None:
            try:
                await uow._commit()  # noqa: SLF001
            except BaseException as failure:
                await self._fail(failure, begun=True)
                raise
            self._close()
        else:
            await self._fail(error, begun=uow._begun)  # noqa: SLF001


class Database:
    """The pool of connections, and the ways to use one: `reader()`, `snapshot()` and `transaction()`."""

    def __init__(self, pool: Pool, *, pooled_by_proxy: bool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._pooled_by_proxy = pooled_by_proxy
        self._clock = clock
        self._last: Last | None = None
        self._joint = None if pooled_by_proxy else Joint(self._fetch)

    @property
    def usage(self) -> Usage:
        """How much of the pool is used."""
        return self._pool.usage

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        """A connection for reads, outside a transaction.

        Behind a transaction-mode proxy without prepared statements asyncpg's parse and bind may reach two
        servers, so there the block is a transaction.
        """
        if self._pooled_by_proxy:
            return _Changing(self._pool, self._clock, "BEGIN READ ONLY")
        return _Reading(self._pool)

    def joint_reader(self, operation: Meter) -> AbstractAsyncContextManager[Reader]:
        """For reads of one field of an operation, while those of other fields may be asked for.

        The operation is told by its meter. It holds no connection: a statement has one of its own, or shares one with
        those. Behind a proxy as above each runs by itself, and is not metered.
        """
        if self._joint is None:
            return self.reader()
        return JointReader(self._joint, operation)

    def keep_apart(self) -> None:
        """Run each statement by itself from now on."""
        self._joint = None

    async def _fetch(self, statement: Statement[R], arguments: Arguments) -> list[R]:
        return await _Reading(self._pool).fetch(statement, arguments)

    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        """A connection for reads that all see the same moment: that of the first of them.

        For jobs. While it is open Postgres keeps every row that there was then, so it is not to wait for others.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        return _Changing(self._pool, self._clock, begin)

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One unit of work: committed with its outbox events when the block ends, rolled back if it raises."""
        return _Changing(self._pool, self._clock, "BEGIN", self._last)

    def before_commit(self, last: Last) -> "Database":
        """The same database, where each unit of work ends with this."""
        other = Database(self._pool, pooled_by_proxy=self._pooled_by_proxy, clock=self._clock)
        other._last = last
        return other

    async def ping(self) -> None:
        """Raise StoreUnavailableError unless Postgres answers."""
        async with self.reader() as reader:
            await reader.fetch(_PING)

    async def is_bound_by_row_security(self) -> bool:
        """Whether our role obeys row-level security: superusers and BYPASSRLS roles do not."""
        async with self.reader() as reader:
            (row,) = await reader.fetch(_ROLE)
        return bool(row["bound"])

    async def close(self) -> None:
        """Close every connection; those still busy after 5 s are cut."""
        await self._pool.close(5)


async def _roll_back(connection: Connection) -> None:
    # A connection that cannot roll back is closed: the pool must not hand out what is half done.
    if connection.is_closed:
        return
    try:
        await asyncio.shield(asyncio.wait_for(connection.execute("ROLLBACK"), timeout=5))
    except (asyncio.CancelledError, Exception):  # noqa: BLE001
        with contextlib.suppress(Exception):
            connection.terminate()


async def connect(
    url: str,
    *,
    clock: Callable[[], datetime],
    pool_size: int = 10,
    prepared_statements: bool = True,
    application: str = "earful",
    eager: bool = True,
) -> Database:
    """Open the pool; raises StoreUnavailableError when Postgres does not answer or refuses us.

    Unless `eager` it connects when it is first used.
    """

    async def open_(on_outdated: Callable[[], None]) -> Connection:
        driver = await asyncpg.connect(
            url,
            statement_cache_size=64 if prepared_statements else 0,
            timeout=10,
            command_timeout=60,
            server_settings={"application_name": application, "timezone": "UTC"}
            if prepared_statements
            else None,
        )
        connection = Connection(driver, prepares=prepared_statements, on_outdated=on_outdated)
        try:
            await connection.plan(by_value=False)
        except BaseException:
            connection.terminate()
            raise
        return connection

    pool = Pool(open_, least=min(2, pool_size), most=pool_size)
    try:
        if eager:
            await pool.fill()
    except (*_UNREACHABLE, asyncpg.PostgresError) as error:
        await pool.close(0)
        raise StoreUnavailableError(f"Postgres cannot be reached: {error}") from error
    return Database(pool, pooled_by_proxy=not prepared_statements, clock=clock)
