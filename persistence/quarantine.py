"""What a source sent that is no feedback: kept as it came, to be looked at and tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    new_id,
    one_of,
    only,
    table,
)
from persistence.workspace import managed

Key = tuple[datetime, UUID]


class Quarantined(SQLModel, table=True):
    """One body, or a part of one. The same delivery of a source is kept once, as it came last."""

    __tablename__ = "quarantined"
    __table_args__ = (
        Index("quarantined_delivery_key", "source_id", "delivery", unique=True),
        Index("quarantined_newest_idx", "source_id", "received_at", "id"),
        Index("quarantined_received_at_idx", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    delivery: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    problems: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    raw: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=Integer)
    is_part: bool = Field(sa_type=Boolean)
    times: int = Field(sa_type=Integer)
    received_at: datetime = Field(sa_type=TIMESTAMP)


class QuarantinedRow(Record):
    id: UUID
    source_id: UUID
    workspace_id: UUID
    delivery: str
    reason: str
    problems: str
    raw: bytes
    size: int
    is_part: bool
    times: int
    received_at: datetime


class _IdRow(Record):
    id: UUID


class _OwnerRow(Record):
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept; `problems` is a JSON text, and `raw` the beginning of `size` bytes."""

    delivery: str
    reason: str
    problems: str
    raw: bytes
    size: int
    is_part: bool


_quarantined = table(Quarantined).c
COLUMNS = (
    _quarantined.id,
    _quarantined.source_id,
    _quarantined.workspace_id,
    _quarantined.delivery,
    _quarantined.reason,
    sql_cast(_quarantined.problems, Text).label("problems"),
    _quarantined.raw,
    _quarantined.size,
    _quarantined.is_part,
    _quarantined.times,
    _quarantined.received_at,
)
_given = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("deliveries", type_=ARRAY(Text)),
        bindparam("reasons", type_=ARRAY(Text)),
        bindparam("problems", type_=ARRAY(Text)),
        bindparam("raws", type_=ARRAY(LargeBinary)),
        bindparam("sizes", type_=ARRAY(Integer)),
        bindparam("parts", type_=ARRAY(Boolean)),
    )
    .table_valued(
        column("id", Uuid),
        column("delivery", Text),
        column("reason", Text),
        column("problems", Text),
        column("raw", LargeBinary),
        column("size", Integer),
        column("is_part", Boolean),
        name="given",
    )
    .render_derived()
)
_keeping = upsert(table(Quarantined)).from_select(
    [
        "id",
        "source_id",
        "workspace_id",
        "delivery",
        "reason",
        "problems",
        "raw",
        "size",
        "is_part",
        "times",
        "received_at",
    ],
    select(
        _given.c.id,
        bindparam("source", type_=Uuid),
        bindparam("workspace", type_=Uuid),
        _given.c.delivery,
        _given.c.reason,
        sql_cast(_given.c.problems, JSONB),
        _given.c.raw,
        _given.c.size,
        _given.c.is_part,
        literal_column("1"),
        bindparam("now", type_=TIMESTAMP),
    ),
)
_KEEP: Statement[Record] = Statement(
    _keeping.on_conflict_do_update(
        index_elements=["source_id", "delivery"],
        set_={name: _keeping.excluded[name] for name in ("reason", "problems", "raw", "size")}
        | {"times": _quarantined.times + literal_column("1")},
    ),
    Record,
)
_LOCK = Statement(
    select(*COLUMNS)
    .where(
        one_of(_quarantined.id, "ids"),
        _quarantined.source_id == bindparam("source"),
        _quarantined.workspace_id == bindparam("workspace"),
    )
    .order_by(_quarantined.id)
    .with_for_update(),
    QuarantinedRow,
)
_OLDEST = Statement(
    select(*COLUMNS)
    .where(
        _quarantined.source_id == bindparam("source"),
        _quarantined.workspace_id == bindparam("workspace"),
        tuple_(_quarantined.received_at, _quarantined.id)
        > tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid)),
    )
    .order_by(_quarantined.received_at, _quarantined.id)
    .limit(bindparam("limit"))
    .with_for_update(),
    QuarantinedRow,
)
_COUNT = Statement(
    select(func.count().label("count"))
    .select_from(table(Quarantined))
    .where(
        _quarantined.source_id == bindparam("source"),
        _quarantined.workspace_id == bindparam("workspace"),
    ),
    Record,
)
_REMOVE = Statement(
    delete(table(Quarantined))
    .where(one_of(_quarantined.id, "ids"), _quarantined.workspace_id == bindparam("workspace"))
    .returning(_quarantined.id),
    _IdRow,
)
_WITH_OLD = Statement(
    select(_quarantined.workspace_id)
    .where(_quarantined.received_at < bindparam("before"))
    .distinct(),
    _OwnerRow,
)
_FORGET: Statement[Record] = Statement(
    delete(table(Quarantined)).where(
        _quarantined.workspace_id == bindparam("workspace"),
        _quarantined.received_at < bindparam("before"),
    ),
    Record,
)


@lru_cache(maxsize=64)
def _page(limit: int, *, continued: bool, columns: Columns | None) -> Statement[QuarantinedRow]:
    parent = (
        func.unnest(bindparam("sources", type_=ARRAY(Uuid)))
        .table_valued(column("source_id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*only(columns, COLUMNS, keys=("id", "source_id", "received_at")))
        .where(_quarantined.source_id == parent.c.source_id, managed(_quarantined.workspace_id))
        .order_by(_quarantined.received_at.desc(), _quarantined.id.desc())
        .limit(literal_column(str(limit)))
        .correlate(parent)
    )
    if continued:
        page = page.where(
            tuple_(_quarantined.received_at, _quarantined.id)
            < tuple_(bindparam("time", type_=TIMESTAMP), bindparam("id", type_=Uuid))
        )
    found = page.lateral("page")
    return Statement(
        select(*found.c)
        .join_from(parent, found, true())
        .order_by(parent.c.position, found.c.received_at.desc(), found.c.id.desc()),
        QuarantinedRow,
    )


async def keep(uow: UnitOfWork, workspace: UUID, source: UUID, entries: Sequence[Kept]) -> None:
    """Keep bodies of an entered workspace's source; no two of the same delivery."""
    await uow.execute(
        _KEEP,
        ids=[new_id() for _ in entries],
        deliveries=[each.delivery for each in entries],
        reasons=[each.reason for each in entries],
        problems=[each.problems for each in entries],
        raws=[each.raw for each in entries],
        sizes=[each.size for each in entries],
        parts=[each.is_part for each in entries],
        source=source,
        workspace=workspace,
        now=uow.now,
    )


async def pages(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    sources: Sequence[UUID],
    *,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[QuarantinedRow]:
    """The newest `limit` of each source, in the sources' order, where the viewer has one of those roles."""
    return await reader.fetch(
        _page(limit, continued=after is not None, columns=columns),
        viewer=viewer,
        managers=managers,
        sources=sources,
        **({} if after is None else {"time": after[0], "id": after[1]}),
    )


async def lock(
    uow: UnitOfWork, workspace: UUID, source: UUID, ids: Sequence[UUID]
) -> list[QuarantinedRow]:
    """Those of the source that are still there; nobody else tries them again meanwhile."""
    return await uow.fetch(_LOCK, workspace=workspace, source=source, ids=ids)


async def oldest(
    uow: UnitOfWork, workspace: UUID, source: UUID, *, after: Key, limit: int
) -> list[QuarantinedRow]:
    """The first ones behind `after`, locked."""
    return await uow.fetch(
        _OLDEST,
        workspace=workspace,
        source=source,
        after_time=after[0],
        after_id=after[1],
        limit=limit,
    )


async def count(reader: Reader, workspace: UUID, source: UUID) -> int:
    (row,) = await reader.fetch(_COUNT, workspace=workspace, source=source)
    counted: int = row["count"]
    return counted


async def remove(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> int:
    return len(await uow.fetch(_REMOVE, workspace=workspace, ids=ids))


async def with_old(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, that have kept something since before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD, before=before)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> int:
    """Take away what an entered workspace has kept since before that time."""
    return await uow.execute(_FORGET, workspace=workspace, before=before)
