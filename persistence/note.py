"""Notes that people write on feedback, for each other."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    new_id,
    one_of,
    only,
    table,
)
from persistence.feedback import NAME_OF_ACTOR
from persistence.workspace import Member, visible


class FeedbackNote(SQLModel, table=True):
    """What somebody has written on a feedback, under the name that they had then."""

    __tablename__ = "feedback_note"
    __table_args__ = (Index("feedback_note_feedback_id_idx", "feedback_id", "created_at", "id"),)

    id: UUID = Field(primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    body: str = Field(sa_type=Text)
    actor_kind: str = Field(sa_type=Text)
    actor_id: UUID | None = Field(default=None)
    actor_name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    edited_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class NoteRow(Record):
    id: UUID
    feedback_id: UUID
    workspace_id: UUID
    body: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    created_at: datetime
    edited_at: datetime | None


class EnteredRow(Record):
    workspace_id: UUID
    role: str


class NumberRow(Record):
    number: int


_note = table(FeedbackNote).c
_member = table(Member).c
_COLUMNS = tuple(_note[name] for name in NoteRow.__annotations__)
_PAGE_KEYS = ("id", "feedback_id")
_in_workspace = _note.workspace_id == bindparam("workspace")
_this = (_note.id == bindparam("id_"), _in_workspace)
_time = tuple_(_note.created_at, _note.id)
_before = tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_note.id, "ids"), visible(_note.workspace_id)), NoteRow
)
_ENTER = Statement(
    select(_note.workspace_id, _member.role, enter_workspace(_note.workspace_id))
    .join_from(table(FeedbackNote), table(Member), _member.workspace_id == _note.workspace_id)
    .where(_note.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)
_LOCK = Statement(select(*_COLUMNS).where(*_this).with_for_update(), NoteRow)
_NUMBER = Statement(
    select(func.count().label("number")).where(
        _note.feedback_id == bindparam("feedback"), _in_workspace
    ),
    NumberRow,
)
_ADD = Statement(
    text(f"""
    INSERT INTO feedback_note (id, feedback_id, workspace_id, body, actor_kind, actor_id,
        actor_name, created_at)
    VALUES (:id, :feedback, :workspace ::uuid, :body, 'USER', :actor ::uuid, {NAME_OF_ACTOR},
        :now ::timestamptz)
    RETURNING {", ".join(NoteRow.__annotations__)}"""),  # noqa: S608 - of constants
    NoteRow,
)
_EDIT = Statement(
    update(table(FeedbackNote))
    .where(*_this)
    .values(body=bindparam("body_"), edited_at=bindparam("now"))
    .returning(*_COLUMNS),
    NoteRow,
)
_REMOVE = Statement(delete(table(FeedbackNote)).where(*_this), Record)


@lru_cache(maxsize=256)
def _page(limit: int, *, continued: bool, columns: Columns | None) -> Statement[NoteRow]:
    of = (
        func.unnest(bindparam("feedback", type_=ARRAY(Uuid)))
        .table_valued("id", name="of")
        .render_derived()
    )
    passing = (
        select(*only(columns, _COLUMNS, keys=(*_PAGE_KEYS, "created_at")))
        .where(_note.feedback_id == of.c.id, visible(_note.workspace_id))
        .order_by(_note.created_at.desc(), _note.id.desc())
        .limit(literal_column(str(limit)))
        .correlate(of)
    )
    if continued:
        passing = passing.where(_time < _before)
    rows = passing.lateral("page")
    return Statement(
        select(*rows.c)
        .join_from(of, rows, true())
        .order_by(rows.c.created_at.desc(), rows.c.id.desc()),
        NoteRow,
        keys=_PAGE_KEYS,
    )


async def pages(
    reader: Reader,
    viewer: UUID,
    feedback: Sequence[UUID],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    columns: Columns | None = None,
) -> list[NoteRow]:
    """The newest `limit` notes that are older than `after`, of each of the feedback."""
    keyset: dict[str, Any] = {}
    if after is not None:
        keyset = {"after_time": after[0], "after_id": after[1]}
    page = _page(limit, continued=after is not None, columns=columns)
    return await reader.fetch(page, viewer=viewer, feedback=feedback, **keyset)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[NoteRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def enter(uow: UnitOfWork, viewer: UUID, id_: UUID) -> tuple[UUID, str] | None:
    """Its workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=id_)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, id_: UUID) -> NoteRow | None:
    """The note as it is now; nobody else changes it until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id_=id_)


async def number(reader: Reader, workspace: UUID, feedback: UUID) -> int:
    """How many there are on a feedback."""
    (row,) = await reader.fetch(_NUMBER, workspace=workspace, feedback=feedback)
    return row.number


async def add(
    uow: UnitOfWork, *, workspace: UUID, feedback: UUID, body: str, actor: UUID
) -> NoteRow:
    """A new one."""
    (row,) = await uow.fetch(
        _ADD,
        id=new_id(),
        workspace=workspace,
        feedback=feedback,
        body=body,
        actor=actor,
        now=uow.now,
    )
    return row


async def edit(uow: UnitOfWork, workspace: UUID, id_: UUID, body: str) -> NoteRow:
    (row,) = await uow.fetch(_EDIT, workspace=workspace, id_=id_, body_=body, now=uow.now)
    return row


async def remove(uow: UnitOfWork, workspace: UUID, id_: UUID) -> None:
    await uow.execute(_REMOVE, workspace=workspace, id_=id_)
