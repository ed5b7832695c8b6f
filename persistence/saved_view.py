"""Views of a workspace's feedback that people have saved: for themselves, or for all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Index,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

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
from persistence.workspace import Member


class SavedView(SQLModel, table=True):
    """A filter and an order under a name. One that is private to nobody is for all."""

    __tablename__ = "saved_view"
    __table_args__ = (
        Index("saved_view_workspace_id_idx", "workspace_id"),
        Index("saved_view_private_to_idx", "private_to"),
        Index("saved_view_created_by_idx", "created_by"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    filter: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    order_by: str = Field(sa_type=Text)
    private_to: UUID | None = Field(default=None, foreign_key="member.id", ondelete="CASCADE")
    created_by: UUID | None = Field(default=None, foreign_key="member.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    updated_at: datetime = Field(sa_type=TIMESTAMP)


class SavedViewRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    filter: str  # JSON text as Postgres wrote it
    order_by: str
    private_to: UUID | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class PlaceRow(Record):
    """The viewer's membership, in a workspace that was entered with it."""

    id: UUID
    workspace_id: UUID
    role: str


class NumberRow(Record):
    number: int


_view = table(SavedView).c
_member = table(Member).c
_COLUMNS = tuple(
    sql_cast(_view.filter, Text).label("filter") if name == "filter" else _view[name]
    for name in SavedViewRow.__annotations__
)
_is_theirs = or_(_view.private_to.is_(None), _view.private_to == _member.id)
_mine = (
    select(*_COLUMNS)
    .join_from(table(Member), table(SavedView), _member.workspace_id == _view.workspace_id)
    .where(_member.principal_id == bindparam("viewer"), _is_theirs)
)
_OF_WORKSPACES = Statement(
    _mine.where(one_of(_view.workspace_id, "workspaces")).order_by(
        func.lower(_view.name), _view.id
    ),
    SavedViewRow,
    keys=("id", "workspace_id"),
)
_BY_IDS = Statement(_mine.where(one_of(_view.id, "ids")), SavedViewRow)
_PLACE = Statement(
    select(
        _member.id, _member.workspace_id, _member.role, enter_workspace(_member.workspace_id)
    ).where(_member.user_id == bindparam("viewer"), _member.workspace_id == bindparam("workspace")),
    PlaceRow,
)
_PLACE_BY_VIEW = Statement(
    select(_member.id, _member.workspace_id, _member.role, enter_workspace(_member.workspace_id))
    .join_from(table(Member), table(SavedView), _member.workspace_id == _view.workspace_id)
    .where(_view.id == bindparam("id"), _member.user_id == bindparam("viewer"), _is_theirs),
    PlaceRow,
)
_in_workspace = _view.workspace_id == bindparam("workspace")
_LOCK = Statement(
    select(*_COLUMNS).where(_view.id == bindparam("id_"), _in_workspace).with_for_update(),
    SavedViewRow,
)
_NUMBER = Statement(
    select(func.count().label("number")).where(
        _in_workspace,
        _view.private_to.is_not_distinct_from(bindparam("private_to_", type_=Uuid)),
    ),
    NumberRow,
)
_filter = sql_cast(bindparam("filter", type_=Text), JSONB)
_ADD = Statement(
    insert(table(SavedView))
    .values(
        given(
            "id",
            "name",
            "order_by",
            "private_to",
            "created_by",
            workspace_id="workspace",
            created_at="now",
            updated_at="now",
        )
        | {"filter": _filter}
    )
    .returning(*_COLUMNS),
    SavedViewRow,
)
_CHANGE = Statement(
    update(table(SavedView))
    .where(_view.id == bindparam("id_"), _in_workspace)
    .values(
        name=bindparam("name_"),
        order_by=bindparam("order_by_"),
        private_to=bindparam("private_to_", type_=Uuid),
        filter=_filter,
        updated_at=bindparam("now"),
    )
    .returning(*_COLUMNS),
    SavedViewRow,
)
_REMOVE = Statement(
    delete(table(SavedView)).where(_view.id == bindparam("id_"), _in_workspace), Record
)


async def of_workspaces(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[SavedViewRow]:
    """Those of all these workspaces that are for the viewer, by name."""
    return await reader.fetch(_OF_WORKSPACES.of(columns), viewer=viewer, workspaces=workspaces)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[SavedViewRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def place(uow: UnitOfWork, viewer: UUID, workspace: UUID) -> PlaceRow | None:
    """The viewer's place in the workspace; then this transaction may write its rows."""
    return await uow.first(_PLACE, viewer=viewer, workspace=workspace)


async def place_by_view(uow: UnitOfWork, viewer: UUID, id_: UUID) -> PlaceRow | None:
    """The same in the workspace of a view that is for the viewer."""
    return await uow.first(_PLACE_BY_VIEW, viewer=viewer, id=id_)


async def lock(uow: UnitOfWork, workspace: UUID, id_: UUID) -> SavedViewRow | None:
    """The view as it is now; nobody else changes it until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id_=id_)


async def number(reader: Reader, workspace: UUID, private_to: UUID | None) -> int:
    """How many this member has for themselves, or the workspace for all."""
    (row,) = await reader.fetch(_NUMBER, workspace=workspace, private_to_=private_to)
    return row.number


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    name: str,
    filter: str,
    order_by: str,
    private_to: UUID | None,
    created_by: UUID,
) -> SavedViewRow:
    """A new one; `filter` is a JSON text."""
    (row,) = await uow.fetch(
        _ADD,
        id=new_id(),
        workspace=workspace,
        name=name,
        filter=filter,
        order_by=order_by,
        private_to=private_to,
        created_by=created_by,
        now=uow.now,
    )
    return row


async def change(
    uow: UnitOfWork,
    workspace: UUID,
    id_: UUID,
    *,
    name: str,
    filter: str,
    order_by: str,
    private_to: UUID | None,
) -> SavedViewRow:
    """Set all of it."""
    (row,) = await uow.fetch(
        _CHANGE,
        workspace=workspace,
        id_=id_,
        name_=name,
        filter=filter,
        order_by_=order_by,
        private_to_=private_to,
        now=uow.now,
    )
    return row


async def remove(uow: UnitOfWork, workspace: UUID, id_: UUID) -> None:
    await uow.execute(_REMOVE, workspace=workspace, id_=id_)
