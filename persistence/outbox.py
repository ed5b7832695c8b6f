"""The outbox: events written with the rows they announce, and taken away once they are delivered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    SmallInteger,
    Text,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert
from sqlmodel import Field, SQLModel

from persistence.bus import Head
from persistence.connection import Connection
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
from persistence.statement import R
from persistence.workspace import Workspace

CHANNEL = "earful_outbox"
_LEADER_LOCK = 0x6F7574626F78  # "outbox" in ASCII
_ASLEEP_LOCK = 0x77616B65  # "wake" in ASCII; the trigger earful_wake() looks for it
# What the connection raises when it is gone, or as good as gone.
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.ReadOnlySQLTransactionError,
)


class OutboxEvent(SQLModel, table=True):
    """An event that has happened and has not been delivered yet."""

    __tablename__ = "outbox"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    workspace_id: UUID
    kind: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=JSONB)
    trace: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": func.now()})


class OutboxClaim(SQLModel, table=True):
    """The one row with the events that are being delivered, in their order: each may have been published."""

    __tablename__ = "outbox_claim"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    event_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))


class TopicHead(SQLModel, table=True):
    """How far a topic of the bus had come with the events that were taken away."""

    __tablename__ = "topic_head"

    topic: str = Field(sa_type=Text, primary_key=True)
    epoch: str = Field(sa_type=Text)
    offset: int = Field(sa_type=BigInteger)
    moved_at: datetime = Field(sa_type=TIMESTAMP, sa_column_kwargs={"server_default": func.now()})


class OutboxRow(Record):
    id: int
    workspace_id: UUID
    kind: str
    payload: str
    trace: str | None
    created_at: datetime


class HeadRow(Record):
    topic: str
    epoch: str
    offset: int


_outbox = table(OutboxEvent).c
_claim = table(OutboxClaim).c
_head = table(TopicHead).c

_EVENT = tuple(_outbox[name] for name in OutboxRow.__annotations__)
_HEAD = (_head.topic, _head.epoch, _head.offset)

_CLAIMED = Statement(
    select(*_EVENT)
    .where(_outbox.id.in_(select(func.unnest(_claim.event_ids))))
    .order_by(_outbox.id),
    OutboxRow,
)
_oldest = (
    select(*_EVENT)
    .order_by(_outbox.id)
    .limit(bindparam("limit", type_=BigInteger))
    .cte("oldest")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_ids = func.array_agg(aggregate_order_by(_oldest.c.id, _oldest.c.id))
_claiming = insert(table(OutboxClaim)).from_select(
    ["id", "event_ids"],
    select(literal_column("1"), _ids).having(func.count() > literal_column("0")),
)
_CLAIM = Statement(
    select(_oldest)
    .order_by(_oldest.c.id)
    .add_cte(
        _claiming.on_conflict_do_update(
            index_elements=["id"], set_={"event_ids": _claiming.excluded.event_ids}
        ).cte("claiming")
    ),
    OutboxRow,
)
_given = (
    func.unnest(
        bindparam("topics", type_=ARRAY(Text)),
        bindparam("epochs", type_=ARRAY(Text)),
        bindparam("offsets", type_=ARRAY(BigInteger)),
    )
    .table_valued(
        column("topic", Text), column("epoch", Text), column("offset", BigInteger), name="given"
    )
    .render_derived()
)
_moved = insert(table(TopicHead)).from_select(
    ["topic", "epoch", "offset"], select(_given.c.topic, _given.c.epoch, _given.c.offset)
)
_DELIVERED = Statement(
    _moved.on_conflict_do_update(
        index_elements=["topic"],
        set_={
            "epoch": _moved.excluded.epoch,
            "offset": _moved.excluded.offset,
            "moved_at": func.now(),
        },
    ).add_cte(delete(table(OutboxEvent)).where(one_of(_outbox.id, "ids")).cte("gone")),
    Record,
)
_HEADS = Statement(select(*_HEAD).where(one_of(_head.topic, "topics")), HeadRow)
_MOVED_LATELY = Statement(
    select(*_HEAD).where(_head.moved_at > func.now() - text("interval '1 hour'")), HeadRow
)
_workspace = table(Workspace).c
_of = func.left(_head.topic, literal_column("32"))
_hex = func.replace(cast(_workspace.id, Text), literal_column("'-'"), literal_column("''"))
_FORGET_HEADS = Statement(
    delete(table(TopicHead)).where(
        ~exists().where(_hex == _of), _of != bindparam("instance", type_=Text)
    ),
    Record,
)


async def forget_heads(uow: UnitOfWork, *, instance: UUID) -> None:
    """Take away the heads of topics whose workspace is gone; `instance` stands for no workspace, and stays."""
    await uow.execute(_FORGET_HEADS, instance=instance.hex)


class LeadershipLostError(Exception):
    """The connection that holds the lock is gone: somebody else may lead now."""


class Leadership:
    """One process at a time delivers: who holds an advisory lock, on a connection of its own.

    On the same connection it listens, and does all it does to the outbox, so that nobody takes away events who
    does not lead any more. It must be direct: neither session locks nor LISTEN pass a transaction-mode proxy.
    Every method raises LeadershipLostError when the connection is gone.
    """

    def __init__(self, driver: Any, fence: int) -> None:
        self._driver = driver
        self._reader = Reader(Connection(driver, prepares=True, on_outdated=lambda: None))
        self._written = asyncio.Event()
        self._is_asleep = False
        self.fence = fence

    @property
    def reader(self) -> Reader:
        """For other statements of the leader's, which whoever does not lead any more must not run."""
        return self._reader

    async def _listen(self) -> None:
        self._driver.add_termination_listener(lambda _: self._written.set())
        await self._driver.add_listener(CHANNEL, lambda *_: self._written.set())

    async def fall_asleep(self) -> bool:
        """From now on writers notify; what was written before is to be looked for once more, and then to be waited for.

        False where somebody is committing who saw us awake: look again soon.
        """
        if not self._is_asleep:
            self._is_asleep = bool(await self._ask("SELECT pg_try_advisory_lock($1)"))
        return self._is_asleep

    async def wake_up(self) -> None:
        """Writers need not notify, which makes them wait for each other: we look for ourselves."""
        if self._is_asleep:
            await self._ask("SELECT pg_advisory_unlock($1)")
            self._is_asleep = False

    async def _ask(self, question: str) -> Any:
        try:
            return await self._driver.fetchval(question, _ASLEEP_LOCK)
        except _LOST as error:
            raise LeadershipLostError(str(error)) from error

    async def wait(self, seconds: float) -> None:
        """Until something is written or the time is over."""
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._written.wait()
        self._written.clear()
        if self._driver.is_closed():
            raise LeadershipLostError

    async def claim(self, limit: int) -> list[OutboxRow]:
        """The oldest events of all workspaces; it is recorded which, and in this order, before they are answered.

        Events that depend on each other are in order. The events of the claim before must be gone.
        """
        return await self._run(_CLAIM, limit=limit)

    async def claimed(self) -> list[OutboxRow]:
        """Those of the latest claim, this leader's or another's, that were not taken away."""
        return await self._run(_CLAIMED)

    async def delivered(self, ids: Sequence[int], heads: Mapping[str, Head]) -> None:
        """Take away events that were delivered and record, at once, how far that has brought their topics."""
        await self._run(
            _DELIVERED,
            ids=ids,
            topics=list(heads),
            epochs=[head.epoch for head in heads.values()],
            offsets=[head.offset for head in heads.values()],
        )

    async def heads(self, topics: Sequence[str]) -> dict[str, Head]:
        """How far these topics had come, where that is known."""
        return _by_topic(await self._run(_HEADS, topics=topics))

    async def moved_lately(self) -> dict[str, Head]:
        """How far the topics had come that have moved within the last hour."""
        return _by_topic(await self._run(_MOVED_LATELY))

    async def _run(self, statement: Statement[R], **values: Any) -> list[R]:
        try:
            return await self._reader.fetch(statement, **values)
        except _LOST as error:
            raise LeadershipLostError(str(error)) from error


def _by_topic(rows: Sequence[HeadRow]) -> dict[str, Head]:
    return {row.topic: Head(row.epoch, row.offset) for row in rows}


@asynccontextmanager
async def lead(url: str) -> AsyncIterator[Leadership | None]:
    """Lead if nobody else does: None when somebody does. StoreUnavailableError without Postgres."""
    try:
        connection = await asyncpg.connect(
            url,
            timeout=10,
            command_timeout=30,
            server_settings={"application_name": "earful relay"},
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailableError("Postgres cannot be reached") from error
    try:
        yield await _elected(connection)
    finally:
        connection.terminate()


async def _elected(driver: Any) -> Leadership | None:
    try:
        if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER_LOCK):
            return None
        # Transaction ids only grow, so a later leader has a higher fence.
        leadership = Leadership(
            driver, int(await driver.fetchval("SELECT pg_current_xact_id()::text"))
        )
        await leadership._listen()  # noqa: SLF001
    except _LOST as error:
        raise LeadershipLostError(str(error)) from error
    return leadership
