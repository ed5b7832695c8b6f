"""Files: rows that say what is in the bucket, and the room that a workspace's files take there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlmodel import Field, SQLModel

from persistence.account import User
from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    one_of,
    table,
)
from persistence.workspace import Member, Workspace, visible


class File(SQLModel, table=True):
    """An object in the bucket, or one that is to come. What belongs to no feedback ends at `expires_at`."""

    __tablename__ = "file"
    __table_args__ = (
        CheckConstraint("purpose IN ('IMPORT', 'ATTACHMENT', 'AVATAR', 'EXPORT')", name="purpose"),
        CheckConstraint("status IN ('PENDING', 'READY', 'REJECTED')", name="status"),
        CheckConstraint("(status = 'REJECTED') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        Index("file_expires_at_idx", "expires_at", postgresql_where=text("feedback_id IS NULL")),
        Index(
            "file_feedback_id_idx", "feedback_id", postgresql_where=text("feedback_id IS NOT NULL")
        ),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    content_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    purpose: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    key: str = Field(sa_type=Text, unique=True)
    upload: str | None = Field(default=None, sa_type=Text)
    feedback_id: UUID | None = Field(default=None, foreign_key="feedback.id", ondelete="SET NULL")
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    completed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)


class FileRow(Record):
    """`upload` is S3's id of an upload in parts; `key` is where the object lies."""

    id: UUID
    workspace_id: UUID
    name: str
    content_type: str
    size: int
    sha256: bytes | None
    purpose: str
    status: str
    reason: str | None
    key: str
    upload: str | None
    feedback_id: UUID | None
    created_by: UUID | None
    created_at: datetime


class EnteredRow(FileRow):
    """A file with the role that the asking user has in its workspace."""

    role: str


class Draft(TypedDict):
    """The columns of a new file."""

    id: UUID
    name: str
    content_type: str
    size: int
    sha256: bytes | None
    purpose: str
    key: str
    upload: str | None
    created_by: UUID | None
    expires_at: datetime


class RoomRow(Record):
    """How many bytes a workspace's files take."""

    file_bytes: int


class ExpiredRow(Record):
    id: UUID
    workspace_id: UUID


class RemovedRow(Record):
    """What is left in the bucket of a file whose row is gone."""

    key: str
    upload: str | None
    size: int
    status: str


class KeyRow(Record):
    key: str


_file = table(File).c
_member = table(Member).c
_workspace = table(Workspace).c
_user = table(User).c

_COLUMNS = (
    _file.id,
    _file.workspace_id,
    _file.name,
    _file.content_type,
    _file.size,
    _file.sha256,
    _file.purpose,
    _file.status,
    _file.reason,
    _file.key,
    _file.upload,
    _file.feedback_id,
    _file.created_by,
    _file.created_at,
)
_DRAFTED = tuple(Draft.__annotations__)
_of_workspace = _file.workspace_id == bindparam("workspace")

# The room is taken, and the row inserted, or neither: who asks at the same time waits for the workspace's row.
_room = (
    update(table(Workspace))
    .where(
        _workspace.id == bindparam("workspace"),
        _workspace.file_bytes + bindparam("size", type_=BigInteger)
        <= bindparam("quota", type_=BigInteger),
    )
    .values(file_bytes=_workspace.file_bytes + bindparam("size", type_=BigInteger))
    .returning(_workspace.id)
    .cte("room")
)
_ADD = Statement(
    insert(table(File))
    .from_select(
        [*_DRAFTED, "status", "created_at", "workspace_id"],
        select(
            *(bindparam(name, type_=_file[name].type) for name in _DRAFTED),
            literal_column("'PENDING'"),
            bindparam("now", type_=TIMESTAMP),
            _room.c.id,
        ),
    )
    .returning(*_COLUMNS),
    FileRow,
)
_FREE = Statement(
    update(table(Workspace))
    .where(_workspace.id == bindparam("workspace"))
    .values(file_bytes=_workspace.file_bytes - bindparam("bytes", type_=BigInteger)),
    Record,
)
_TAKEN = Statement(
    select(_workspace.file_bytes).where(_workspace.id == bindparam("workspace")), RoomRow
)
_ENTER = Statement(
    select(*_COLUMNS, _member.role, enter_workspace(_file.workspace_id))
    .join_from(table(File), table(Member), _member.workspace_id == _file.workspace_id)
    .where(_file.id == bindparam("id"), _member.principal_id == bindparam("viewer")),
    EnteredRow,
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_file.id, "ids"), visible(_file.workspace_id)), FileRow
)
_IN_WORKSPACE = Statement(select(*_COLUMNS).where(one_of(_file.id, "ids"), _of_workspace), FileRow)
_LOCK = Statement(
    select(*_COLUMNS)
    .where(one_of(_file.id, "ids"), _of_workspace)
    .order_by(_file.id)
    .with_for_update(),
    FileRow,
)
_SETTLE = Statement(
    update(table(File))
    .where(_file.id == bindparam("id_"), _of_workspace, _file.status == literal_column("'PENDING'"))
    .values(
        status=bindparam("status_"),
        reason=bindparam("reason_"),
        completed_at=bindparam("now"),
        expires_at=bindparam("expires"),
    )
    .returning(*_COLUMNS),
    FileRow,
)
_EXPIRE = Statement(
    update(table(File))
    .where(_file.id == bindparam("id_"), _of_workspace)
    .values(expires_at=bindparam("expires")),
    Record,
)
_ATTACH = Statement(
    update(table(File))
    .where(one_of(_file.id, "ids"), _of_workspace)
    .values(feedback_id=bindparam("feedback")),
    Record,
)
_ATTACHED = Statement(
    select(*_COLUMNS)
    .where(one_of(_file.feedback_id, "feedback"), visible(_file.workspace_id))
    .order_by(_file.created_at, _file.id),
    FileRow,
    keys=("id", "feedback_id"),
)
_COUNT_ATTACHED = Statement(
    select(func.count().label("count")).where(
        _file.feedback_id == bindparam("feedback"), _of_workspace
    ),
    Record,
)
_EXPIRED = Statement(
    select(_file.id, _file.workspace_id)
    .where(_file.feedback_id.is_(None), _file.expires_at < bindparam("before"))
    .order_by(_file.expires_at)
    .limit(bindparam("limit")),
    ExpiredRow,
)
_REMOVE = Statement(
    delete(table(File))
    .where(
        one_of(_file.id, "ids"),
        _of_workspace,
        _file.feedback_id.is_(None),
        _file.expires_at < bindparam("before"),
    )
    .returning(_file.key, _file.upload, _file.size, _file.status),
    RemovedRow,
)
_KNOWN = Statement(
    union_all(
        select(_file.key.label("key")).where(one_of(_file.key, "keys")),
        select(_user.avatar_key.label("key")).where(one_of(_user.avatar_key, "keys")),
    ),
    KeyRow,
)


async def add(uow: UnitOfWork, *, workspace: UUID, quota: int, **draft: Any) -> FileRow | None:
    """Insert a file whose bytes are to come, and take room for it; None, and nothing was done, if there is not enough.

    `draft` is a Draft.
    """
    return await uow.first(_ADD, workspace=workspace, quota=quota, now=uow.now, **draft)


async def taken(reader: Reader, workspace: UUID) -> int:
    """How many bytes the workspace's files take, those that are to come included."""
    row = await reader.first(_TAKEN, workspace=workspace)
    return 0 if row is None else row.file_bytes


async def enter(uow: UnitOfWork, viewer: UUID, file: UUID) -> EnteredRow | None:
    """The file if the user belongs to its workspace; then this transaction may write its rows."""
    return await uow.first(_ENTER, viewer=viewer, id=file)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[FileRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def in_workspace(reader: Reader, workspace: UUID, file: UUID) -> FileRow | None:
    """A file, for jobs."""
    return await reader.first(_IN_WORKSPACE, workspace=workspace, ids=[file])


async def lock(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FileRow]:
    """Those of the files that are of a workspace that was entered, as they are now."""
    return await uow.fetch(_LOCK, workspace=workspace, ids=ids)


async def settle(
    uow: UnitOfWork,
    workspace: UUID,
    file: UUID,
    *,
    status: str,
    reason: str | None,
    expires_at: datetime,
) -> FileRow | None:
    """End a file's waiting; None when it does not wait. What a rejected one took is free again."""
    row = await uow.first(
        _SETTLE,
        workspace=workspace,
        id_=file,
        status_=status,
        reason_=reason,
        now=uow.now,
        expires=expires_at,
    )
    if row is not None and status == "REJECTED":
        await uow.execute(_FREE, workspace=workspace, bytes=row.size)
    return row


async def expire(uow: UnitOfWork, workspace: UUID, file: UUID, at: datetime) -> None:
    """Let a file that belongs to no feedback end then."""
    await uow.execute(_EXPIRE, workspace=workspace, id_=file, expires=at)


async def attach(uow: UnitOfWork, workspace: UUID, feedback: UUID, ids: Sequence[UUID]) -> None:
    await uow.execute(_ATTACH, workspace=workspace, feedback=feedback, ids=ids)


async def count_attached(reader: Reader, workspace: UUID, feedback: UUID) -> int:
    (row,) = await reader.fetch(_COUNT_ATTACHED, workspace=workspace, feedback=feedback)
    return int(row["count"])


async def attached(
    reader: Reader, viewer: UUID, feedback: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, Sequence[FileRow]]:
    """The files of each of these feedback that has any, the oldest first."""
    found: dict[UUID, list[FileRow]] = {}
    for row in await reader.fetch(_ATTACHED.of(columns), viewer=viewer, feedback=feedback):
        assert row.feedback_id is not None  # noqa: S101 - they are found by it
        found.setdefault(row.feedback_id, []).append(row)
    return found


async def expired(reader: Reader, before: datetime, *, limit: int) -> list[ExpiredRow]:
    """Files of all workspaces that nothing needs any more, the longest of them first."""
    return await reader.fetch(_EXPIRED, before=before, limit=limit)


async def remove(
    uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], before: datetime
) -> list[RemovedRow]:
    """Delete those of the rows that have still expired, and free what they took."""
    rows = await uow.fetch(_REMOVE, workspace=workspace, ids=ids, before=before)
    freed = sum(row.size for row in rows if row.status != "REJECTED")
    await uow.execute(_FREE, workspace=workspace, bytes=freed)
    return rows


async def known(reader: Reader, keys: Sequence[str]) -> set[str]:
    """Those of the objects that a file or a user has."""
    return {row.key for row in await reader.fetch(_KNOWN, keys=keys)}
