"""A workspace's tags and which feedback bears them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Double,
    Index,
    Select,
    SmallInteger,
    Text,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence import spelling
from persistence.database import (
    TIMESTAMP,
    Columns,
    Nested,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    array_of,
    given,
    new_id,
    one_of,
    table,
)
from persistence.spelling import Outline
from persistence.workspace import visible


class Tag(SQLModel, table=True):
    """A word people sort feedback by; names are unique in a workspace without regard to case."""

    __tablename__ = "tag"
    __table_args__ = (Index("tag_name_key", "workspace_id", text("lower(name)"), unique=True),)

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    color: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)


class FeedbackTag(SQLModel, table=True):
    """This feedback bears this tag. What is counted of it is copied here by triggers, and kept as it is there."""

    __tablename__ = "feedback_tag"
    __table_args__ = (Index("feedback_tag_tag_id_idx", "tag_id", "feedback_id"),)

    feedback_id: UUID = Field(primary_key=True, foreign_key="feedback.id", ondelete="CASCADE")
    tag_id: UUID = Field(primary_key=True, foreign_key="tag.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    source_id: UUID
    occurred_at: datetime = Field(sa_type=TIMESTAMP)
    sentiment_label: str | None = Field(default=None, sa_type=Text)
    sentiment_score: float | None = Field(default=None, sa_type=Double)
    rating: int | None = Field(default=None, sa_type=SmallInteger)


class TagRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    color: str


class BorneRow(TagRow):
    feedback: list[UUID]


class LinkRow(Record):
    feedback_id: UUID
    tag_id: UUID


_tag = table(Tag).c
_link = table(FeedbackTag).c

_COLUMNS = (_tag.id, _tag.workspace_id, _tag.name, _tag.color)
_OF_WORKSPACES = Statement(
    select(*_COLUMNS)
    .where(one_of(_tag.workspace_id, "workspaces"), visible(_tag.workspace_id))
    .order_by(_tag.name, _tag.id),
    TagRow,
    keys=("id", "workspace_id"),
)
_BY_IDS = Statement(
    select(*_COLUMNS).where(one_of(_tag.id, "ids"), visible(_tag.workspace_id)), TagRow
)
_IN_WORKSPACE = Statement(
    select(*_COLUMNS).where(one_of(_tag.id, "ids"), _tag.workspace_id == bindparam("workspace")),
    TagRow,
)


_BEARERS: ColumnElement[Any] = func.array_agg(_link.feedback_id)


def _borne_by(linked: ColumnElement[bool], bearers: ColumnElement[Any]) -> Select[Any]:
    """Each tag comes once, however many feedback bear it."""
    links = (
        select(_link.tag_id, bearers.label("feedback"))
        .where(linked, visible(_link.workspace_id))
        .group_by(_link.tag_id)
        .subquery("links")
    )
    return (
        select(*_COLUMNS, links.c.feedback)
        .join_from(links, table(Tag), _tag.id == links.c.tag_id)
        .order_by(_tag.name, _tag.id)
    )


_BORNE_KEYS = ("id", "feedback")
_BORNE = Statement(
    _borne_by(one_of(_link.feedback_id, "feedback"), _BEARERS), BorneRow, keys=_BORNE_KEYS
)
_LINKS = Statement(
    select(_link.feedback_id, _link.tag_id).where(
        one_of(_link.feedback_id, "feedback"), _link.workspace_id == bindparam("workspace")
    ),
    LinkRow,
)
_ADD = Statement(
    insert(table(Tag))
    .values(given("id", "name", "color", workspace_id="workspace", created_at="now"))
    .returning(*_COLUMNS),
    TagRow,
)
_UNLINK = Statement(
    delete(table(FeedbackTag))
    .where(
        _link.feedback_id == bindparam("feedback"),
        _link.workspace_id == bindparam("workspace"),
        ~one_of(_link.tag_id, "keep"),
    )
    .returning(_link.feedback_id, _link.tag_id),
    LinkRow,
)
_LINK = Statement(
    upsert(table(FeedbackTag))
    .from_select(
        ["feedback_id", "tag_id", "workspace_id"],
        select(
            bindparam("feedback", type_=_link.feedback_id.type), _tag.id, _tag.workspace_id
        ).where(one_of(_tag.id, "tags"), _tag.workspace_id == bindparam("workspace")),
    )
    .on_conflict_do_nothing()
    .returning(_link.feedback_id, _link.tag_id),
    LinkRow,
)


async def of_workspaces(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[TagRow]:
    """The tags of all these workspaces, by name."""
    return await reader.fetch(_OF_WORKSPACES.of(columns), viewer=viewer, workspaces=workspaces)


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[TagRow]:
    return await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)


async def in_workspace(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> list[TagRow]:
    """Those of the tags that are of a workspace which the caller has already entered."""
    return await reader.fetch(_IN_WORKSPACE, workspace=workspace, ids=ids)


async def borne(
    reader: Reader, viewer: UUID, feedback: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, list[TagRow]]:
    """The tags of each of these feedback that bears any, by name."""
    return by_bearer(await reader.fetch(_BORNE.of(columns), viewer=viewer, feedback=feedback))


_KNOWN = frozenset(column.key for column in _COLUMNS)


def is_writable(outline: Outline) -> bool:
    """Whether tags can be written by it."""
    return spelling.written(outline, _KNOWN) is not None


def nested(feedback: Select[Any], columns: Columns) -> Nested[BorneRow]:
    """The tags of the feedback whose ids another statement selects, as a value of that."""
    borne = _borne_by(_link.feedback_id == any_(array_of(feedback)), _BEARERS)
    return Nested(borne, BorneRow, columns, keys=_BORNE_KEYS)


def nested_written(feedback: Select[Any], outline: Outline) -> ColumnElement[Any]:
    """The same as pairs: the bytes of the feedback's ids, and the tag as JSON."""
    bearers = func.string_agg(func.uuid_send(_link.feedback_id), literal_column("''::bytea"))
    borne = _borne_by(_link.feedback_id == any_(array_of(feedback)), bearers)
    return spelling.nested(borne, outline, borne.selected_columns["feedback"])


def by_bearer(rows: Sequence[BorneRow]) -> dict[UUID, list[TagRow]]:
    """The tags of each feedback that bears any, in the order of the tags."""
    found: dict[UUID, list[TagRow]] = {}
    for row in rows:
        for bearer in row.feedback:
            found.setdefault(bearer, []).append(row)
    return found


def written_by_bearer(pairs: Iterable[tuple[bytes, str]]) -> dict[bytes, list[str]]:
    """The same of `nested_written` tags."""
    found: dict[bytes, list[str]] = {}
    for bearers, written in pairs:
        for bearer in spelling.cut(bearers, spelling.ID_BYTES):
            found.setdefault(bearer, []).append(written)
    return found


async def add(uow: UnitOfWork, *, workspace: UUID, name: str, color: str) -> TagRow:
    """Insert a tag; UniqueViolationError("tag_name_key") when the name is taken."""
    (row,) = await uow.fetch(
        _ADD, id=new_id(), workspace=workspace, name=name, color=color, now=uow.now
    )
    return row


async def links(reader: Reader, workspace: UUID, feedback: Sequence[UUID]) -> list[LinkRow]:
    """Which tags these feedback of a workspace bear, for jobs."""
    return await reader.fetch(_LINKS, workspace=workspace, feedback=feedback)


async def set_links(
    uow: UnitOfWork, *, workspace: UUID, feedback: UUID, tags: Sequence[UUID]
) -> tuple[list[UUID], list[UUID]]:
    """Make these the feedback's only tags; answers which it has no longer, and which it has since now."""
    removed = await uow.fetch(_UNLINK, feedback=feedback, workspace=workspace, keep=tags)
    added = await uow.fetch(_LINK, feedback=feedback, workspace=workspace, tags=tags)
    return [link.tag_id for link in removed], [link.tag_id for link in added]
