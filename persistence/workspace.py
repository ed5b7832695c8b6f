"""Workspaces and who belongs to them. The membership statements here are what every tenant read goes through."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Select,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.account import USER_COLUMNS, User, UserRow
from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    array_of,
    enter_workspace,
    given,
    new_id,
    one_of,
    table,
)


class Workspace(SQLModel, table=True):
    """A tenant."""

    __tablename__ = "workspace"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    slug: str = Field(sa_type=Text, unique=True)
    inbox_email: str | None = Field(default=None, sa_type=Text)
    file_bytes: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = Field(sa_type=TIMESTAMP)


class Member(SQLModel, table=True):
    """The place of a user, or of an API key, in a workspace. Of a key the role says its scopes."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("workspace_id", "principal_id"),
        CheckConstraint(
            "CASE WHEN api_key_id IS NULL THEN role IN ('VIEWER', 'ANALYST', 'ADMIN', 'OWNER')"
            " ELSE user_id IS NULL AND starts_with(role, 'KEY ') END",
            name="role",
        ),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    user_id: UUID | None = Field(
        default=None, foreign_key="user.id", ondelete="CASCADE", index=True
    )
    role: str = Field(sa_type=Text)
    joined_at: datetime = Field(sa_type=TIMESTAMP)
    api_key_id: UUID | None = Field(
        default=None, foreign_key="api_key.id", ondelete="CASCADE", index=True
    )
    principal_id: UUID = Field(
        sa_column=Column(
            Uuid,
            Computed("coalesce(user_id, api_key_id)", persisted=True),
            nullable=False,
            index=True,
        )
    )


class WorkspaceRow(Record):
    """A workspace with the role that whoever asks has in it."""

    id: UUID
    name: str
    slug: str
    inbox_email: str | None
    created_at: datetime
    viewer_role: str


class InboxRow(Record):
    """A workspace's name and the addresses of those who read what visitors write."""

    name: str
    addresses: list[str]


class MemberRow(Record):
    id: UUID
    workspace_id: UUID
    user_id: UUID
    role: str
    joined_at: datetime


class RoleRow(Record):
    """What a user or an API key is in a workspace."""

    principal_id: UUID
    workspace_id: UUID
    role: str


class EnteredRow(Record):
    """A workspace that was entered by one of its members' ids."""

    workspace_id: UUID


_workspace = table(Workspace).c
_member = table(Member).c

_COLUMNS = (
    _workspace.id,
    _workspace.name,
    _workspace.slug,
    _workspace.inbox_email,
    _workspace.created_at,
    _member.role.label("viewer_role"),
)
_MEMBER_COLUMNS = (
    _member.id,
    _member.workspace_id,
    _member.user_id,
    _member.role,
    _member.joined_at,
)
_is_person = _member.user_id.is_not(None)


def visible(workspace_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The tenant predicate: the row's workspace is one that `:viewer` belongs to."""
    mine = select(_member.workspace_id).where(_member.principal_id == bindparam("viewer"))
    return workspace_id.in_(mine)


def managed(workspace_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same of those workspaces where `:viewer` has one of `:managers`, a list of roles."""
    mine = select(_member.workspace_id).where(
        _member.principal_id == bindparam("viewer"), one_of(_member.role, "managers")
    )
    return workspace_id.in_(mine)


def _of_viewer() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join_from(table(Member), table(Workspace), _workspace.id == _member.workspace_id)
        .where(_member.principal_id == bindparam("viewer"))
    )


_OF_VIEWER = Statement(_of_viewer().order_by(_workspace.created_at, _workspace.id), WorkspaceRow)
_BY_SLUG = Statement(_of_viewer().where(_workspace.slug == bindparam("slug")), WorkspaceRow)
_BY_IDS = Statement(_of_viewer().where(one_of(_workspace.id, "ids")), WorkspaceRow)
_ENTER = Statement(
    _of_viewer()
    .where(_workspace.id == bindparam("workspace"))
    .add_columns(enter_workspace(_workspace.id)),
    WorkspaceRow,
)
_ENTER_BY_SLUG = Statement(
    select(_workspace.id, enter_workspace(_workspace.id)).where(
        _workspace.slug == bindparam("slug")
    ),
    Record,
)
_owners = array_of(
    select(table(User).c.email)
    .join_from(table(Member), table(User), table(User).c.id == _member.user_id)
    .where(
        _member.workspace_id == bindparam("workspace"), _member.role == literal_column("'OWNER'")
    )
    .order_by(_member.joined_at)
)
_INBOX = Statement(
    select(
        _workspace.name,
        case(
            (_workspace.inbox_email.is_not(None), array([_workspace.inbox_email])),
            else_=_owners,
        ).label("addresses"),
    ).where(_workspace.id == bindparam("workspace")),
    InboxRow,
)
_SET = Statement(
    update(table(Workspace))
    .where(_workspace.id == bindparam("workspace"))
    .values(
        name=func.coalesce(bindparam("name_", type_=Text), _workspace.name),
        inbox_email=case(
            (bindparam("sets_inbox", type_=Boolean), bindparam("inbox_email_", type_=Text)),
            else_=_workspace.inbox_email,
        ),
    ),
    Record,
)
_ADD = Statement(
    insert(table(Workspace)).values(given("id", "name", "slug", created_at="now")),
    Record,
)
_ADD_MEMBER = Statement(
    insert(table(Member))
    .values(given("id", "role", workspace_id="workspace", user_id="user", joined_at="now"))
    .returning(*_MEMBER_COLUMNS),
    MemberRow,
)
_MEMBERS = Statement(
    select(*_MEMBER_COLUMNS)
    .where(one_of(_member.workspace_id, "workspaces"), _is_person, visible(_member.workspace_id))
    .order_by(_member.joined_at, _member.id),
    MemberRow,
    keys=("id", "workspace_id"),
)
_MEMBERS_BY_IDS = Statement(
    select(*_MEMBER_COLUMNS).where(
        one_of(_member.id, "ids"), _is_person, visible(_member.workspace_id)
    ),
    MemberRow,
)
_ROLES = Statement(
    select(_member.principal_id, _member.workspace_id, _member.role).where(
        one_of(_member.principal_id, "viewers"), one_of(_member.workspace_id, "workspaces")
    ),
    RoleRow,
)
_ENTER_BY_MEMBER = Statement(
    select(_member.workspace_id, enter_workspace(_member.workspace_id)).where(
        _member.id == bindparam("id"), _is_person, visible(_member.workspace_id)
    ),
    EnteredRow,
)
# Weaker than FOR UPDATE: rows that refer to the workspace may be written meanwhile.
_LOCK = Statement(
    select(_workspace.id)
    .where(_workspace.id == bindparam("workspace"))
    .with_for_update(key_share=True),
    Record,
)
_CONCERNED = Statement(
    select(*_MEMBER_COLUMNS).where(
        _member.workspace_id == bindparam("workspace"),
        (_member.id == bindparam("id"))
        | (_member.user_id == bindparam("viewer"))
        | (_member.role == literal_column("'OWNER'")),
    ),
    MemberRow,
)
_SET_ROLE = Statement(
    update(table(Member))
    .where(_member.id == bindparam("id"), _member.workspace_id == bindparam("workspace"))
    .values(role=bindparam("role"))
    .returning(*_MEMBER_COLUMNS),
    MemberRow,
)
_REMOVE_MEMBER = Statement(
    delete(table(Member)).where(
        _member.id == bindparam("id"), _member.workspace_id == bindparam("workspace")
    ),
    Record,
)
_fellow = table(Member).alias("fellow").c
_FELLOWS = Statement(
    select(*USER_COLUMNS).where(
        one_of(table(User).c.id, "ids"),
        table(User)
        .c.id.in_(
            select(_fellow.user_id).where(
                _fellow.user_id.is_not(None), visible(_fellow.workspace_id)
            )
        )
        .self_group()
        | (table(User).c.id == bindparam("viewer")),
    ),
    UserRow,
)


async def of_viewer(
    reader: Reader, viewer: UUID, *, columns: Columns | None = None
) -> list[WorkspaceRow]:
    """The workspaces that the user belongs to, the oldest first."""
    return await reader.fetch(_OF_VIEWER.of(columns), viewer=viewer)


async def by_slug(
    reader: Reader, viewer: UUID, slug: str, *, columns: Columns | None = None
) -> WorkspaceRow | None:
    return await reader.first(_BY_SLUG.of(columns), viewer=viewer, slug=slug)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[WorkspaceRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def roles(
    reader: Reader, viewers: Collection[UUID], workspaces: Collection[UUID]
) -> list[RoleRow]:
    """What each of them is in those of the workspaces that they belong to."""
    return await reader.fetch(_ROLES, viewers=viewers, workspaces=workspaces)


async def enter(uow: UnitOfWork, viewer: UUID, workspace: UUID) -> WorkspaceRow | None:
    """The workspace if the user belongs to it; then this transaction may write its rows."""
    return await uow.first(_ENTER, viewer=viewer, workspace=workspace)


async def enter_by_slug(uow: UnitOfWork, slug: str) -> UUID | None:
    """Enter a workspace as nobody: for what is public."""
    row = await uow.first(_ENTER_BY_SLUG, slug=slug)
    return None if row is None else UUID(str(row["id"]))


async def inbox(reader: Reader, workspace: UUID) -> InboxRow | None:
    """Who reads what the workspace's visitors write: its own address or, without one, its owners'."""
    return await reader.first(_INBOX, workspace=workspace)


async def change(
    uow: UnitOfWork, workspace: UUID, *, name: str | None, sets_inbox: bool, inbox: str | None
) -> None:
    """Give it another name, unless it is None, and another inbox, if that is to be set."""
    await uow.execute(
        _SET, workspace=workspace, name_=name, sets_inbox=sets_inbox, inbox_email_=inbox
    )


async def add(uow: UnitOfWork, *, name: str, slug: str) -> UUID:
    """Insert a workspace and enter it; UniqueViolationError("workspace_slug_key") when the slug is taken."""
    workspace = new_id()
    await uow.enter(workspace)
    await uow.execute(_ADD, id=workspace, name=name, slug=slug, now=uow.now)
    return workspace


async def add_member(uow: UnitOfWork, *, workspace: UUID, user: UUID, role: str) -> MemberRow:
    """Give the user a place; UniqueViolationError when they have one."""
    (row,) = await uow.fetch(
        _ADD_MEMBER, id=new_id(), workspace=workspace, user=user, role=role, now=uow.now
    )
    return row


async def members(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[MemberRow]:
    """The members of all these workspaces, the longest-standing first."""
    return await reader.fetch(_MEMBERS.of(columns), viewer=viewer, workspaces=workspaces)


async def members_by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[MemberRow]:
    return await reader.fetch(_MEMBERS_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def lock(uow: UnitOfWork, workspace: UUID) -> None:
    """Let nobody else change the members of the workspace, which was entered, nor add what is counted, meanwhile."""
    await uow.execute(_LOCK, workspace=workspace)


async def lock_members(uow: UnitOfWork, viewer: UUID, member: UUID) -> list[MemberRow]:
    """Enter the member's workspace if the viewer belongs to it, and let nobody else change its members meanwhile.

    Answers the member, the viewer's own membership and all owners; nothing to strangers.
    """
    entered = await uow.first(_ENTER_BY_MEMBER, viewer=viewer, id=member)
    if entered is None:
        return []
    await lock(uow, entered.workspace_id)
    return await uow.fetch(_CONCERNED, workspace=entered.workspace_id, id=member, viewer=viewer)


async def set_role(uow: UnitOfWork, workspace: UUID, member: UUID, role: str) -> MemberRow | None:
    return await uow.first(_SET_ROLE, workspace=workspace, id=member, role=role)


async def remove_member(uow: UnitOfWork, workspace: UUID, member: UUID) -> None:
    await uow.execute(_REMOVE_MEMBER, workspace=workspace, id=member)


async def fellows(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, UserRow]:
    """Those of the users who are the viewer or share a workspace with the viewer."""
    rows = await reader.fetch(_FELLOWS.of(columns), viewer=viewer, ids=ids)
    return {row.id: row for row in rows}
