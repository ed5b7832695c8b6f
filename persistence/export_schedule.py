"""Exports that are sent by mail again and again: kept, changed and taken away; who may get one."""

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
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Column, Field, SQLModel

from persistence.account import User
from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    new_id,
    one_of,
    table,
)
from persistence.schedule import Schedule
from persistence.workspace import Member, managed


class ExportSchedule(SQLModel, table=True):
    """What is exported of each day, week or month, when by the clock of a time zone, and to whom it is sent."""

    __tablename__ = "export_schedule"
    __table_args__ = (
        CheckConstraint("period IN ('DAY', 'WEEK', 'MONTH')", name="period"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        Index("export_schedule_workspace_id_idx", "workspace_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    format: str = Field(sa_type=Text)
    filter: dict[str, Any] = Field(sa_type=JSONB)
    period: str = Field(sa_type=Text)
    hour: int = Field(sa_type=Integer)
    time_zone: str = Field(sa_type=Text)
    user_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    enabled: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": "true"})
    updated_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)


class ExportScheduleRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    format: str
    filter: str  # JSON text as Postgres wrote it
    period: str
    hour: int
    time_zone: str
    user_ids: list[UUID]
    enabled: bool
    updated_by: UUID | None
    created_at: datetime
    updated_at: datetime


class EnteredRow(Record):
    workspace_id: UUID
    role: str


class NumberRow(Record):
    number: int


class PersonRow(Record):
    """Somebody in the workspace."""

    id: UUID
    email: str
    name: str
    role: str


_export = table(ExportSchedule).c
_schedule = table(Schedule).c
_member = table(Member).c
_user = table(User).c
_COLUMNS = tuple(
    sql_cast(_export.filter, Text).label("filter") if name == "filter" else _export[name]
    for name in ExportScheduleRow.__annotations__
)
_SETTINGS = ("name", "format", "period", "hour", "time_zone", "user_ids", "enabled", "updated_by")
_in_workspace = _export.workspace_id == bindparam("workspace")
_filter = sql_cast(bindparam("filter", type_=Text), JSONB)
_OF_WORKSPACES = Statement(
    select(*_COLUMNS)
    .where(one_of(_export.workspace_id, "workspaces"), managed(_export.workspace_id))
    .order_by(_export.created_at, _export.id),
    ExportScheduleRow,
    keys=("id", "workspace_id"),
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_export.id, "ids"), managed(_export.workspace_id)),
    ExportScheduleRow,
)
_FIND = Statement(
    select(*_COLUMNS).where(_export.id == bindparam("id"), _in_workspace), ExportScheduleRow
)
_LOCK = Statement(
    select(*_COLUMNS)
    .where(_export.id == bindparam("id"), _in_workspace)
    .with_for_update(key_share=True),
    ExportScheduleRow,
)
_ENTER = Statement(
    select(_export.workspace_id, _member.role, enter_workspace(_export.workspace_id))
    .join_from(table(ExportSchedule), table(Member), _member.workspace_id == _export.workspace_id)
    .where(_export.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)
_NUMBER = Statement(select(func.count().label("number")).where(_in_workspace), NumberRow)
_ADD = Statement(
    insert(table(ExportSchedule))
    .values(
        **given("id", *_SETTINGS, workspace_id="workspace", created_at="now", updated_at="now"),
        filter=_filter,
    )
    .returning(*_COLUMNS),
    ExportScheduleRow,
)
_CHANGE = Statement(
    update(table(ExportSchedule))
    .where(_export.id == bindparam("id_"), _in_workspace)
    .values(
        {name: bindparam(f"{name}_", type_=_export[name].type) for name in _SETTINGS}
        | {"filter": _filter, "updated_at": bindparam("now")}
    )
    .returning(*_COLUMNS),
    ExportScheduleRow,
)
_REMOVE = Statement(
    delete(table(ExportSchedule)).where(_export.id == bindparam("id"), _in_workspace), Record
)
_UNSCHEDULE = Statement(
    delete(table(Schedule)).where(
        _schedule.name == bindparam("name"), _schedule.workspace_id == bindparam("workspace")
    ),
    Record,
)
_people = (
    select(_user.id, _user.email, _user.name, _member.role)
    .join_from(table(Member), table(User), _user.id == _member.user_id)
    .where(_member.workspace_id == bindparam("workspace"))
    .order_by(_user.email)
)
_PEOPLE = Statement(_people.where(one_of(_user.id, "users")), PersonRow)
_OF_MEMBERS = Statement(_people.where(one_of(_member.id, "members")), PersonRow)


async def of_workspaces(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    workspaces: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[ExportScheduleRow]:
    """Those of these workspaces where the viewer has one of the roles `managers`, the oldest first."""
    return await reader.fetch(
        _OF_WORKSPACES.of(columns), viewer=viewer, managers=managers, workspaces=workspaces
    )


async def by_ids(
    reader: Reader,
    viewer: UUID,
    managers: Sequence[str],
    ids: Sequence[UUID],
    *,
    columns: Columns | None = None,
) -> list[ExportScheduleRow]:
    """Those where the viewer has one of the roles `managers`."""
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, managers=managers, ids=ids)


async def find(reader: Reader, workspace: UUID, id_: UUID) -> ExportScheduleRow | None:
    return await reader.first(_FIND, workspace=workspace, id=id_)


async def enter(uow: UnitOfWork, viewer: UUID, id_: UUID) -> tuple[UUID, str] | None:
    """Its workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=id_)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, id_: UUID) -> ExportScheduleRow | None:
    """The same as `find`; nobody else changes it until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=id_)


async def number(reader: Reader, workspace: UUID) -> int:
    """How many the workspace has."""
    (row,) = await reader.fetch(_NUMBER, workspace=workspace)
    return row.number


async def add(
    uow: UnitOfWork, *, workspace: UUID, filter: str, **settings: Any
) -> ExportScheduleRow:
    """A new one; `filter` is a JSON text."""
    (row,) = await uow.fetch(
        _ADD, id=new_id(), workspace=workspace, filter=filter, now=uow.now, **settings
    )
    return row


async def change(
    uow: UnitOfWork, id_: UUID, *, workspace: UUID, filter: str, **settings: Any
) -> ExportScheduleRow:
    """Set all of it."""
    (row,) = await uow.fetch(
        _CHANGE,
        id_=id_,
        workspace=workspace,
        filter=filter,
        now=uow.now,
        **{f"{name}_": value for name, value in settings.items()},
    )
    return row


async def remove(uow: UnitOfWork, workspace: UUID, id_: UUID, *, schedule: str) -> None:
    """Take it away, and the schedule of this name that asks for it."""
    await uow.execute(_REMOVE, workspace=workspace, id=id_)
    await uow.execute(_UNSCHEDULE, workspace=workspace, name=schedule)


async def people(reader: Reader, workspace: UUID, users: Sequence[UUID]) -> list[PersonRow]:
    """Those of the users who belong to the workspace, by address."""
    return await reader.fetch(_PEOPLE, workspace=workspace, users=users)


async def people_of_members(
    reader: Reader, workspace: UUID, members: Sequence[UUID]
) -> list[PersonRow]:
    """Who they are, of those memberships that are of this workspace."""
    return await reader.fetch(_OF_MEMBERS, workspace=workspace, members=members)
