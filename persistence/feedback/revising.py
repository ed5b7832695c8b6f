"""What a source says anew of a feedback, and what was there before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Index,
    SmallInteger,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    null,
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
    new_id,
    one_of,
    table,
)
from persistence.feedback.intake import Draft
from persistence.feedback.original import forget_originals, keep_originals
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.workspace import visible

MOST_REVISIONS = 20


class FeedbackRevision(SQLModel, table=True):
    """A feedback as it was before its source changed it."""

    __tablename__ = "feedback_revision"
    __table_args__ = (Index("feedback_revision_feedback_id_idx", "feedback_id", "id"),)

    id: UUID = Field(primary_key=True)
    feedback_id: UUID = Field(foreign_key="feedback.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    author_name: str | None = Field(default=None, sa_type=Text)
    author_email: str | None = Field(default=None, sa_type=Text)
    body: str = Field(sa_type=Text)
    rating: int | None = Field(default=None, sa_type=SmallInteger)
    metadata_: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", JSONB))
    replaced_at: datetime = Field(sa_type=TIMESTAMP)


class RevisionRow(Record):
    id: UUID
    feedback_id: UUID
    workspace_id: UUID
    author_name: str | None
    author_email: str | None
    body: str
    rating: int | None
    metadata: str | None
    replaced_at: datetime


_feedback = table(Feedback).c
_revision = table(FeedbackRevision).c
_COPIED = ("author_name", "author_email", "body", "rating", "metadata")
_SENTIMENT = (
    "sentiment_label",
    "sentiment_score",
    "sentiment_confidence",
    "sentiment_model",
    "sentiment_spans",
    "unscored_reason",
    "language",
    "scored_at",
)
_LOCK_BY_EXTERNAL_ID = Statement(
    select(*COLUMNS)
    .where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.external_id == bindparam("external_id"),
    )
    .with_for_update(),
    FeedbackRow,
)
_of_this = (_feedback.id == bindparam("feedback"), _feedback.workspace_id == bindparam("workspace"))
_KEEP: Statement[Record] = Statement(
    insert(table(FeedbackRevision)).from_select(
        ["id", "feedback_id", "workspace_id", *_COPIED, "replaced_at"],
        select(
            bindparam("revision", type_=_revision.id.type),
            _feedback.id,
            _feedback.workspace_id,
            *(_feedback[name] for name in _COPIED),
            bindparam("now", type_=TIMESTAMP),
        ).where(*_of_this),
    ),
    Record,
)
_body = bindparam("body", type_=Text)
_REVISE = Statement(
    update(table(Feedback))
    .where(*_of_this)
    .values(
        {
            "author_name": bindparam("author_name", type_=Text),
            "author_email": bindparam("author_email", type_=Text),
            "author_external_id": bindparam("author_external_id", type_=Text),
            "body": _body,
            "rating": bindparam("rating", type_=SmallInteger),
            "metadata": sql_cast(bindparam("metadata", type_=Text), JSONB),
        }
        # Another text has to be scored again.
        | {
            name: case((_feedback.body == _body, _feedback[name]), else_=null())
            for name in _SENTIMENT
        }
    )
    .returning(*COLUMNS),
    FeedbackRow,
)
_newest = (
    select(_revision.id)
    .where(
        _revision.feedback_id == bindparam("feedback"),
        _revision.workspace_id == bindparam("workspace"),
    )
    .order_by(_revision.id.desc())
    .limit(literal_column(str(MOST_REVISIONS)))
)
_TRIM: Statement[Record] = Statement(
    delete(table(FeedbackRevision)).where(
        _revision.feedback_id == bindparam("feedback"),
        _revision.workspace_id == bindparam("workspace"),
        _revision.id.not_in(_newest),
    ),
    Record,
)
_REVISIONS = Statement(
    select(
        _revision.id,
        _revision.feedback_id,
        _revision.workspace_id,
        _revision.author_name,
        _revision.author_email,
        _revision.body,
        _revision.rating,
        sql_cast(_revision.metadata, Text).label("metadata"),
        _revision.replaced_at,
    )
    .where(one_of(_revision.feedback_id, "feedback"), visible(_revision.workspace_id))
    .order_by(_revision.feedback_id, _revision.id.desc()),
    RevisionRow,
    keys=("id", "feedback_id"),
)
_SOME = Statement(
    select(_feedback.id)
    .where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
    )
    .order_by(_feedback.received_at.desc())
    .limit(bindparam("limit")),
    Record,
)
_COUNT = Statement(
    select(func.count().label("count")).where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
    ),
    Record,
)
_REMOVE = Statement(
    delete(table(Feedback))
    .where(one_of(_feedback.id, "ids"), _feedback.workspace_id == bindparam("workspace"))
    .returning(*COLUMNS),
    FeedbackRow,
)


async def lock_by_external_id(
    uow: UnitOfWork, workspace: UUID, source: UUID, external_id: str
) -> FeedbackRow | None:
    """What the source sent under its own id, as it is now; a second writer of it waits."""
    return await uow.first(
        _LOCK_BY_EXTERNAL_ID, workspace=workspace, source=source, external_id=external_id
    )


async def revise(uow: UnitOfWork, row: FeedbackRow, draft: Draft) -> FeedbackRow:
    """Put what the source says now in the place of a locked row; of what was there the latest 20 are kept."""
    of = {"feedback": row.id, "workspace": row.workspace_id}
    await uow.execute(_KEEP, revision=new_id(), now=uow.now, **of)
    await uow.execute(_TRIM, **of)
    names = ("author_name", "author_email", "author_external_id", "body", "rating", "metadata")
    (revised,) = await uow.fetch(
        _REVISE,
        **of,
        **{name: draft[name] for name in names},  # type: ignore[literal-required]
    )
    await forget_originals(uow, row.workspace_id, [row.id])
    await keep_originals(uow, row.workspace_id, {row.id: draft["sealed"]})
    return revised


async def revisions(
    reader: Reader, viewer: UUID, feedback: Sequence[UUID], *, columns: Columns | None = None
) -> list[RevisionRow]:
    """What was there before, of each feedback the latest first."""
    return await reader.fetch(_REVISIONS.of(columns), viewer=viewer, feedback=feedback)


async def count_of_source(reader: Reader, workspace: UUID, source: UUID) -> int:
    (row,) = await reader.fetch(_COUNT, workspace=workspace, source=source)
    counted: int = row["count"]
    return counted


async def some_of_source(
    reader: Reader, workspace: UUID, source: UUID, *, limit: int
) -> list[UUID]:
    """Ids of the source's feedback, the latest first."""
    rows = await reader.fetch(_SOME, workspace=workspace, source=source, limit=limit)
    return [row["id"] for row in rows]


async def remove(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FeedbackRow]:
    """Delete feedback of an entered workspace; answers what was there."""
    return await uow.fetch(_REMOVE, workspace=workspace, ids=ids)
