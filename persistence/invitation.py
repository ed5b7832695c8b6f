"""Invitations into workspaces, and the hashes of the tokens that were mailed with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.account import User
from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    new_id,
    table,
)
from persistence.managed import Managed
from persistence.workspace import Member, Workspace


class Invitation(SQLModel, table=True):
    """A place in a workspace for whoever has this address, until it expires. One that was taken is no more."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index(
            "invitation_workspace_id_email_key", "workspace_id", text("lower(email)"), unique=True
        ),
        CheckConstraint("role IN ('VIEWER', 'ANALYST', 'ADMIN', 'OWNER')", name="role"),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    email: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    invited_by: UUID | None = Field(
        default=None, foreign_key="user.id", ondelete="SET NULL", index=True
    )
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP, index=True)


class InvitationToken(SQLModel, table=True):
    """The hash of a token in a letter. A letter that had to be sent twice has two."""

    __tablename__ = "invitation_token"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    workspace_id: UUID
    invitation_id: UUID = Field(foreign_key="invitation.id", ondelete="CASCADE", index=True)


class InvitationRow(Record):
    id: UUID
    workspace_id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class LetterRow(InvitationRow):
    """What is said in the letter; the inviter's address while they are a member."""

    workspace_name: str
    inviter_email: str | None


class ManagedRow(InvitationRow):
    """An invitation, and what the viewer is in its workspace."""

    viewer_role: str


class RoleRow(Record):
    role: str


class OwnerRow(Record):
    workspace_id: UUID


_invitation = table(Invitation).c
_token = table(InvitationToken).c
_member = table(Member).c
_user = table(User).c
_workspace = table(Workspace).c

_COLUMNS = (
    _invitation.id,
    _invitation.workspace_id,
    _invitation.email,
    _invitation.role,
    _invitation.invited_by,
    _invitation.created_at,
    _invitation.expires_at,
)
_in_workspace = _invitation.workspace_id == bindparam("workspace")
_is_this = (_invitation.id == bindparam("id")) & _in_workspace

_managed = Managed(_invitation, _COLUMNS, InvitationRow, _invitation.created_at, _invitation.id)
_ENTER = Statement(
    select(
        *_COLUMNS,
        _member.role.label("viewer_role"),
        enter_workspace(_invitation.workspace_id),
    )
    .join_from(table(Invitation), table(Member), _member.workspace_id == _invitation.workspace_id)
    .where(_invitation.id == bindparam("id"), _member.principal_id == bindparam("viewer")),
    ManagedRow,
)
_OF_ADDRESS = Statement(
    select(*_COLUMNS).where(
        _in_workspace, func.lower(_invitation.email) == func.lower(bindparam("email"))
    ),
    InvitationRow,
)
_PUT = Statement(
    upsert(table(Invitation))
    .values(
        given(
            "id",
            "email",
            "role",
            "invited_by",
            "expires_at",
            workspace_id="workspace",
            created_at="now",
        )
    )
    .on_conflict_do_update(
        index_elements=[_invitation.workspace_id, func.lower(_invitation.email)],
        set_={
            "role": bindparam("role"),
            "invited_by": bindparam("invited_by"),
            "expires_at": bindparam("expires_at"),
        },
    )
    .returning(*_COLUMNS),
    InvitationRow,
)
_IS_MEMBER = Statement(
    select(_member.role)
    .join_from(table(Member), table(User), _user.id == _member.user_id)
    .where(
        _member.workspace_id == bindparam("workspace"),
        func.lower(_user.email) == func.lower(bindparam("email")),
    ),
    RoleRow,
)
_COUNT = Statement(
    select(func.count().label("id")).select_from(table(Invitation)).where(_in_workspace), Record
)
_DELETE = Statement(delete(table(Invitation)).where(_is_this), Record)
_VOID = Statement(
    delete(table(InvitationToken)).where(
        _token.invitation_id == bindparam("id"), _token.workspace_id == bindparam("workspace")
    ),
    Record,
)
_LETTER = Statement(
    select(
        *_COLUMNS,
        _workspace.name.label("workspace_name"),
        select(_user.email)
        .join_from(table(User), table(Member), _member.user_id == _user.id)
        .where(_user.id == _invitation.invited_by, _member.workspace_id == _invitation.workspace_id)
        .scalar_subquery()
        .label("inviter_email"),
    )
    .join_from(table(Invitation), table(Workspace), _workspace.id == _invitation.workspace_id)
    .where(_is_this),
    LetterRow,
)
_ADD_TOKEN = Statement(
    insert(table(InvitationToken)).values(
        given("hash", workspace_id="workspace", invitation_id="invitation")
    ),
    Record,
)
_of_token = (
    select(*_COLUMNS)
    .join_from(table(InvitationToken), table(Invitation), _invitation.id == _token.invitation_id)
    .where(_token.hash == bindparam("hash"), _invitation.expires_at > bindparam("now"))
)
_FIND = Statement(_of_token, InvitationRow)
_ENTER_BY_TOKEN = Statement(
    _of_token.add_columns(enter_workspace(_invitation.workspace_id)), InvitationRow
)
_INVITER_ROLE = Statement(
    select(_member.role).where(
        _member.workspace_id == bindparam("workspace"), _member.user_id == bindparam("user")
    ),
    RoleRow,
)
_WITH_EXPIRED = Statement(
    select(_invitation.workspace_id).where(_invitation.expires_at < bindparam("before")).distinct(),
    OwnerRow,
)
_FORGET = Statement(
    delete(table(Invitation)).where(_in_workspace, _invitation.expires_at < bindparam("before")),
    Record,
)


of_workspaces = _managed.of_workspaces
by_ids = _managed.by_ids


async def enter(reader: Reader, viewer: UUID, invitation: UUID) -> ManagedRow | None:
    """The invitation if the viewer belongs to its workspace, which a transaction has entered then."""
    return await reader.first(_ENTER, viewer=viewer, id=invitation)


async def of_address(reader: Reader, workspace: UUID, email: str) -> InvitationRow | None:
    """The workspace's invitation of this address, in any case."""
    return await reader.first(_OF_ADDRESS, workspace=workspace, email=email)


async def put(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    email: str,
    role: str,
    invited_by: UUID,
    expires_at: datetime,
) -> InvitationRow:
    """Add an invitation, or renew the one of this address; what was mailed before is void."""
    row = await uow.first(
        _PUT,
        id=new_id(),
        workspace=workspace,
        email=email,
        role=role,
        invited_by=invited_by,
        now=uow.now,
        expires_at=expires_at,
    )
    assert row is not None  # noqa: S101 - it is inserted or updated
    await uow.execute(_VOID, workspace=workspace, id=row.id)
    return row


async def is_member(reader: Reader, workspace: UUID, email: str) -> bool:
    """Whether somebody with this address belongs to the workspace."""
    return await reader.first(_IS_MEMBER, workspace=workspace, email=email) is not None


async def count(reader: Reader, workspace: UUID) -> int:
    """How many invitations there are, those included that have expired."""
    (row,) = await reader.fetch(_COUNT, workspace=workspace)
    return int(row["id"])


async def remove(uow: UnitOfWork, workspace: UUID, invitation: UUID) -> bool:
    """Whether there was such an invitation; there is no more."""
    return await uow.execute(_DELETE, workspace=workspace, id=invitation) == 1


async def letter(reader: Reader, workspace: UUID, invitation: UUID) -> LetterRow | None:
    """What its letter says; None when there is no such invitation any more."""
    return await reader.first(_LETTER, workspace=workspace, id=invitation)


async def add_token(
    uow: UnitOfWork, *, token_hash: bytes, workspace: UUID, invitation: UUID
) -> None:
    await uow.execute(_ADD_TOKEN, hash=token_hash, workspace=workspace, invitation=invitation)


async def find(reader: Reader, token_hash: bytes, now: datetime) -> InvitationRow | None:
    """The invitation that such a token was mailed with, of any workspace, while it is open."""
    return await reader.first(_FIND, hash=token_hash, now=now)


async def enter_by_token(uow: UnitOfWork, token_hash: bytes) -> InvitationRow | None:
    """The same, with its workspace entered. Another may just have used it."""
    return await uow.first(_ENTER_BY_TOKEN, hash=token_hash, now=uow.now)


async def role_of(reader: Reader, workspace: UUID, user: UUID | None) -> str | None:
    """What a user is in the workspace now."""
    row = await reader.first(_INVITER_ROLE, workspace=workspace, user=user)
    return None if row is None else row.role


async def with_expired(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces, of all tenants, with invitations that expired before that time."""
    return [row.workspace_id for row in await reader.fetch(_WITH_EXPIRED, before=before)]


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> None:
    """Forget the workspace's invitations that expired before that time; it must have been entered."""
    await uow.execute(_FORGET, workspace=workspace, before=before)
