"""Schedules: what is asked for again and again, and when it is next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    delete,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    given,
    new_id,
    one_of,
    table,
)
from persistence.job import tenant_column
from persistence.workspace import managed


class Schedule(SQLModel, table=True):
    """A kind of job and its rhythm: a cron expression in a time zone, or so many seconds."""

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("num_nonnulls(cron, every_seconds) = 1", name="rhythm"),
        CheckConstraint("every_seconds > 0", name="every_seconds"),
        CheckConstraint("missed IN ('EVERY', 'ONCE', 'SKIP')", name="missed"),
        UniqueConstraint("tenant_id", "name"),
        Index("schedule_next_run_at_idx", "next_run_at", postgresql_where=text("enabled")),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID | None = Field(default=None, foreign_key="workspace.id", ondelete="CASCADE")
    tenant_id: UUID = tenant_column()
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    arguments: dict[str, Any] = Field(sa_type=JSONB)
    cron: str | None = Field(default=None, sa_type=Text)
    every_seconds: int | None = Field(default=None, sa_type=Integer)
    time_zone: str = Field(sa_type=Text)
    missed: str = Field(sa_type=Text)
    enabled: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": "true"})
    created_at: datetime = Field(sa_type=TIMESTAMP)
    last_run_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    next_run_at: datetime = Field(sa_type=TIMESTAMP)
    last_job_id: UUID | None = Field(default=None)


class ScheduleRow(Record):
    id: UUID
    workspace_id: UUID | None
    name: str
    kind: str
    arguments: str
    cron: str | None
    every_seconds: int | None
    time_zone: str
    missed: str
    enabled: bool
    created_at: datetime
    last_run_at: datetime | None
    next_run_at: datetime
    last_job_id: UUID | None


_schedule = table(Schedule).c
_COLUMNS = tuple(_schedule[name] for name in ScheduleRow.__annotations__)
_put = insert(table(Schedule)).values(
    **given("id", "name", "kind", "cron", "every_seconds", "time_zone", "missed", "next_run_at"),
    enabled=bindparam("enabled"),
    workspace_id=bindparam("workspace"),
    arguments=sql_cast(bindparam("arguments", type_=Text), JSONB),
    created_at=bindparam("now"),
)
_RHYTHM = ("cron", "every_seconds", "time_zone")
# What has the rhythm that it had is next when it was to be, unless it is resumed.
_begins_anew = or_(
    *(_schedule[name].is_distinct_from(_put.excluded[name]) for name in _RHYTHM),
    and_(_put.excluded.enabled, ~_schedule.enabled),
)
_PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["tenant_id", "name"],
        set_={
            name: _put.excluded[name]
            for name in ("kind", "arguments", "missed", "enabled", *_RHYTHM)
        }
        | {
            "next_run_at": case(
                (_begins_anew, _put.excluded.next_run_at), else_=_schedule.next_run_at
            )
        },
    ).returning(*_COLUMNS),
    ScheduleRow,
)
_MOVE = Statement(
    update(table(Schedule))
    .where(_schedule.id == bindparam("id_"))
    .values(
        next_run_at=bindparam("next_run_at_"),
        last_run_at=bindparam("last_run_at_"),
        last_job_id=bindparam("last_job_id_"),
    ),
    Record,
)
_DROP_OTHERS = Statement(
    delete(table(Schedule)).where(
        _schedule.workspace_id.is_(None), ~one_of(_schedule.name, "names")
    ),
    Record,
)
_is_due = and_(_schedule.enabled, _schedule.next_run_at <= bindparam("now"))
_DUE = Statement(
    select(_schedule.id)
    .where(_is_due)
    .order_by(_schedule.next_run_at)
    .limit(literal_column("1000")),
    ScheduleRow,
)
_TAKE = Statement(
    select(*_COLUMNS)
    .where(_schedule.id == bindparam("id"), _is_due)
    .with_for_update(skip_locked=True),
    ScheduleRow,
)
_ALL = Statement(
    select(*_COLUMNS).order_by(_schedule.workspace_id.nulls_first(), _schedule.name), ScheduleRow
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_schedule.id, "ids"), managed(_schedule.workspace_id)),
    ScheduleRow,
)
_MANAGED = Statement(
    select(*_COLUMNS)
    .where(managed(_schedule.workspace_id))
    .order_by(_schedule.workspace_id, _schedule.name),
    ScheduleRow,
)


async def by_ids(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    ids: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[ScheduleRow]:
    """Those where the viewer has one of the roles `managers`."""
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, managers=managers, ids=ids)


async def put(
    uow: UnitOfWork,
    *,
    workspace: UUID | None,
    name: str,
    kind: str,
    arguments: str,
    cron: str | None,
    every_seconds: int | None,
    time_zone: str,
    missed: str,
    enabled: bool,
    next_run_at: datetime,
) -> ScheduleRow:
    """Make a schedule, or give the one of this name another kind, rhythm or arguments; `arguments` is a JSON text.

    One that is not enabled is never due; when it is enabled again its next run is at `next_run_at`.
    """
    (row,) = await uow.fetch(
        _PUT,
        id=new_id(),
        workspace=workspace,
        name=name,
        kind=kind,
        arguments=arguments,
        cron=cron,
        every_seconds=every_seconds,
        time_zone=time_zone,
        missed=missed,
        enabled=enabled,
        next_run_at=next_run_at,
        now=uow.now,
    )
    return row


async def drop_others(uow: UnitOfWork, names: Sequence[str]) -> None:
    """Take away the instance's schedules that have none of these names."""
    await uow.execute(_DROP_OTHERS, names=names)


async def due(reader: Reader, now: datetime) -> list[UUID]:
    """The schedules that are due, the longest overdue first; at most 1,000."""
    return [row.id for row in await reader.fetch(_DUE, now=now)]


async def take(uow: UnitOfWork, schedule: UUID) -> ScheduleRow | None:
    """The schedule, if it is still due; others who want to take it pass by until this transaction ends."""
    return await uow.first(_TAKE, id=schedule, now=uow.now)


async def move(
    uow: UnitOfWork,
    schedule: UUID,
    *,
    next_run_at: datetime,
    last_run_at: datetime | None,
    last_job: UUID | None,
) -> None:
    """Record the last run and when the next one is."""
    await uow.execute(
        _MOVE,
        id_=schedule,
        next_run_at_=next_run_at,
        last_run_at_=last_run_at,
        last_job_id_=last_job,
    )


async def listed(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    *,
    of_all: bool,
    columns: Columns | None = None,
) -> list[ScheduleRow]:
    """All schedules, the instance's first, or those where the viewer has one of the roles `managers`."""
    statement = _ALL if of_all else _MANAGED
    return await reader.fetch(statement.of(columns), viewer=viewer, managers=managers)
