"""How a source is doing: when it was heard of lately, and how often what it sent was refused."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Index,
    Integer,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    one_of,
    table,
)
from persistence.feedback.row import Feedback
from persistence.quarantine import Quarantined
from persistence.source import Source
from persistence.workspace import visible

SAMPLE = 200
MOST_COUNTED = 10_000


class SourceRefusal(SQLModel, table=True):
    """How many deliveries were refused in an hour, and why the last one was."""

    __tablename__ = "source_refusal"
    __table_args__ = (Index("source_refusal_hour_idx", "hour"),)

    source_id: UUID = Field(primary_key=True, foreign_key="source.id", ondelete="CASCADE")
    hour: datetime = Field(primary_key=True, sa_type=TIMESTAMP)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    times: int = Field(sa_type=Integer)
    message: str = Field(sa_type=Text)
    last_at: datetime = Field(sa_type=TIMESTAMP)


class HealthRow(Record):
    id: UUID
    times: Sequence[datetime]
    quarantined: int
    refused: int
    message: str | None
    refused_at: datetime | None


class _OwnerRow(Record):
    workspace_id: UUID


_source = table(Source).c
_feedback = table(Feedback).c
_quarantined = table(Quarantined).c
_refusal = table(SourceRefusal).c
_latest = (
    select(_feedback.received_at)
    .where(_feedback.source_id == _source.id, _feedback.workspace_id == _source.workspace_id)
    .order_by(_feedback.received_at.desc())
    .limit(literal_column(str(SAMPLE)))
    .scalar_subquery()
)
_waiting = (
    select(_quarantined.id)
    .where(_quarantined.source_id == _source.id, _quarantined.workspace_id == _source.workspace_id)
    .limit(literal_column(str(MOST_COUNTED)))
    .correlate(table(Source))
    .subquery("waiting")
)
_kept = select(func.count()).select_from(_waiting).scalar_subquery()
_refused = (
    select(
        func.coalesce(func.sum(_refusal.times), literal_column("0")).label("refused"),
        func.max(_refusal.last_at).label("refused_at"),
    )
    .where(
        _refusal.source_id == _source.id,
        _refusal.workspace_id == _source.workspace_id,
        _refusal.hour > bindparam("since", type_=TIMESTAMP),
    )
    .lateral("refused")
)
_last = (
    select(_refusal.message)
    .where(
        _refusal.source_id == _source.id,
        _refusal.workspace_id == _source.workspace_id,
        _refusal.hour > bindparam("since", type_=TIMESTAMP),
    )
    .order_by(_refusal.hour.desc())
    .limit(literal_column("1"))
    .scalar_subquery()
)
_HEALTH = Statement(
    select(
        _source.id,
        func.array(_latest).label("times"),
        _kept.label("quarantined"),
        _refused.c.refused,
        _last.label("message"),
        _refused.c.refused_at,
    )
    .join_from(table(Source), _refused, true())
    .where(one_of(_source.id, "ids"), visible(_source.workspace_id)),
    HealthRow,
)
_given = (
    func.unnest(
        bindparam("sources", type_=ARRAY(Uuid)),
        bindparam("counts", type_=ARRAY(Integer)),
        bindparam("messages", type_=ARRAY(Text)),
    )
    .table_valued(
        column("source_id", Uuid), column("times", Integer), column("message", Text), name="given"
    )
    .render_derived()
)
_adding = upsert(table(SourceRefusal)).from_select(
    ["source_id", "hour", "workspace_id", "times", "message", "last_at"],
    select(
        _given.c.source_id,
        func.date_trunc(literal_column("'hour'"), bindparam("now", type_=TIMESTAMP)),
        _source.workspace_id,
        _given.c.times,
        _given.c.message,
        bindparam("now", type_=TIMESTAMP),
    )
    .join_from(_given, table(Source), _source.id == _given.c.source_id)
    .where(_source.workspace_id == bindparam("workspace")),
)
_ADD: Statement[Record] = Statement(
    _adding.on_conflict_do_update(
        index_elements=["source_id", "hour"],
        set_={
            "times": _refusal.times + _adding.excluded.times,
            "message": _adding.excluded.message,
            "last_at": _adding.excluded.last_at,
        },
    ),
    Record,
)
_WITH_OLD = Statement(
    select(_refusal.workspace_id).where(_refusal.hour < bindparam("before")).distinct(), _OwnerRow
)
_FORGET: Statement[Record] = Statement(
    delete(table(SourceRefusal)).where(
        _refusal.workspace_id == bindparam("workspace"), _refusal.hour < bindparam("before")
    ),
    Record,
)


async def health(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, since: datetime
) -> list[HealthRow]:
    """The times of the latest feedback, and what was refused since then, of those that the viewer may see."""
    return await reader.fetch(_HEALTH, viewer=viewer, ids=ids, since=since)


async def add_refusals(
    uow: UnitOfWork, workspace: UUID, refusals: Sequence[tuple[UUID, int, str]]
) -> None:
    """Count refusals of an entered workspace's sources: how many of each, and why the last one was."""
    await uow.execute(
        _ADD,
        workspace=workspace,
        sources=[source for source, _, _ in refusals],
        counts=[times for _, times, _ in refusals],
        messages=[message for _, _, message in refusals],
        now=uow.now,
    )


async def with_old(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, that have counts of hours before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_OLD, before=before)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> None:
    await uow.execute(_FORGET, workspace=workspace, before=before)
