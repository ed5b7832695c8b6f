"""The outbox: events written with the rows they announce, and taken away once they are delivered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    StoreUnavailableError,
    UnitOfWork,
    one_of,
    table,
)

CHANNEL = "earful_outbox"
_LEADER_LOCK = 0x6F7574626F78  # "outbox" in ASCII


class OutboxEvent(SQLModel, table=True):
    """An event that has happened and has not been delivered yet."""

    __tablename__ = "outbox"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    workspace_id: UUID
    kind: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": func.now()})


class OutboxRow(Record):
    id: int
    workspace_id: UUID
    kind: str
    payload: str
    created_at: datetime


class NewestRow(Record):
    newest: int


_outbox = table(OutboxEvent).c

_OLDEST = Statement(
    select(_outbox.id, _outbox.workspace_id, _outbox.kind, _outbox.payload, _outbox.created_at)
    .order_by(_outbox.id)
    .limit(bindparam("limit", type_=BigInteger)),
    OutboxRow,
)
_DELIVERED = Statement(delete(table(OutboxEvent)).where(one_of(_outbox.id, "ids")), Record)
_NEWEST = Statement(
    select(func.coalesce(func.max(_outbox.id), literal_column("0")).label("newest")), NewestRow
)


async def oldest(reader: Reader, limit: int) -> list[OutboxRow]:
    """The oldest undelivered events of all workspaces. Events that depend on each other are in order."""
    return await reader.fetch(_OLDEST, limit=limit)


async def delivered(uow: UnitOfWork, ids: list[int]) -> None:
    """Take away events that were delivered."""
    await uow.execute(_DELIVERED, ids=ids)


async def newest(reader: Reader) -> int:
    """The highest id that waits; 0 when nothing does."""
    row = await reader.first(_NEWEST)
    return row.newest if row else 0


class LeadershipLostError(Exception):
    """The connection that holds the lock is gone: somebody else may lead now."""


class Leadership:
    """One process at a time delivers. Holds an advisory lock on a connection of its own, and listens on it.

    The connection must be direct: neither session locks nor LISTEN pass a transaction-mode proxy.
    """

    def __init__(self, connection: Any, fence: int) -> None:
        self._connection = connection
        self._written = asyncio.Event()
        self.fence = fence

    async def _listen(self) -> None:
        self._connection.add_termination_listener(lambda _: self._written.set())
        await self._connection.add_listener(CHANNEL, lambda *_: self._written.set())

    async def wait(self, seconds: float) -> None:
        """Until something is written or the time is over; LeadershipLostError when the lock is gone."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._written.wait(), seconds)
        self._written.clear()
        if self._connection.is_closed():
            raise LeadershipLostError


@asynccontextmanager
async def lead(url: str) -> AsyncIterator[Leadership | None]:
    """Lead if nobody else does: None when somebody does. StoreUnavailableError without Postgres."""
    try:
        connection = await asyncpg.connect(
            url, timeout=10, server_settings={"application_name": "earful relay"}
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailableError("Postgres cannot be reached") from error
    try:
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER_LOCK):
            # Transaction ids only grow, so a later leader has a higher fence.
            fence = int(await connection.fetchval("SELECT pg_current_xact_id()::text"))
            leadership = Leadership(connection, fence)
            await leadership._listen()  # noqa: SLF001
            yield leadership
        else:
            yield None
    finally:
        connection.terminate()
