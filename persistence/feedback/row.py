"""The feedback table, and its row as everybody reads it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Double,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Record,
    table,
)
from persistence.source import SourceRow
from persistence.tag import TagRow

# By stem and without stop words, as the migration defines it: "batteries" finds "battery", "the" finds "the".
_SEARCH = "to_tsvector('earful', body)"


class Feedback(SQLModel, table=True):
    """One message of a customer, stored as it was sent."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("sentiment_label IN ('NEGATIVE', 'NEUTRAL', 'POSITIVE')", name="label"),
        Index(
            "feedback_external_id_key",
            "source_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index("feedback_newest_idx", "workspace_id", text("occurred_at DESC"), text("id DESC")),
        Index("feedback_most_negative_idx", "workspace_id", "sentiment_score", "id"),
        Index(
            "feedback_most_positive_idx",
            "workspace_id",
            text("sentiment_score DESC NULLS LAST"),
            text("id DESC"),
        ),
        Index("feedback_source_id_idx", "source_id", text("received_at DESC")),
        Index(
            "feedback_unscored_idx",
            "workspace_id",
            "received_at",
            "id",
            postgresql_where=text("scored_at IS NULL"),
        ),
        Index("feedback_search_idx", "search", postgresql_using="gin"),
        CheckConstraint("status IN ('OPEN', 'IN_PROGRESS', 'CLOSED')", name="status"),
        Index(
            "feedback_status_idx",
            "workspace_id",
            "status",
            text("occurred_at DESC"),
            text("id DESC"),
            postgresql_where=text("status <> 'OPEN'"),
        ),
        Index(
            "feedback_assignee_idx",
            "assignee_id",
            text("occurred_at DESC"),
            text("id DESC"),
            postgresql_where=text("assignee_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    source_id: UUID = Field(foreign_key="source.id", ondelete="CASCADE")
    external_id: str | None = Field(default=None, sa_type=Text)
    author_name: str | None = Field(default=None, sa_type=Text)
    author_email: str | None = Field(default=None, sa_type=Text)
    author_external_id: str | None = Field(default=None, sa_type=Text)
    body: str = Field(sa_type=Text)
    rating: int | None = Field(default=None, sa_type=SmallInteger)
    language: str | None = Field(default=None, sa_type=Text)
    metadata_: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", JSONB))
    occurred_at: datetime = Field(sa_type=TIMESTAMP)
    received_at: datetime = Field(sa_type=TIMESTAMP)
    sentiment_label: str | None = Field(default=None, sa_type=Text)
    sentiment_score: float | None = Field(default=None, sa_type=Double)
    sentiment_confidence: float | None = Field(default=None, sa_type=Double)
    sentiment_model: str | None = Field(default=None, sa_type=Text)
    sentiment_spans: list[Any] | None = Field(default=None, sa_type=JSONB)
    unscored_reason: str | None = Field(default=None, sa_type=Text)
    scored_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    search: Any = Field(default=None, sa_column=Column(TSVECTOR, Computed(_SEARCH, persisted=True)))
    status: str = Field(sa_type=Text, sa_column_kwargs={"server_default": text("'OPEN'")})
    assignee_id: UUID | None = Field(default=None, foreign_key="member.id", ondelete="SET NULL")


class FeedbackRow(Record):
    id: UUID
    workspace_id: UUID
    source_id: UUID
    external_id: str | None
    author_name: str | None
    author_email: str | None
    author_external_id: str | None
    body: str
    rating: int | None
    language: str | None
    metadata: str | None  # JSON text as Postgres wrote it
    occurred_at: datetime
    received_at: datetime
    sentiment_label: str | None
    sentiment_score: float | None
    sentiment_confidence: float | None
    sentiment_model: str | None
    unscored_reason: str | None
    status: str
    assignee_id: UUID | None
    # What came along with them; None where it did not.
    source: SourceRow | None = None
    tags: Sequence[TagRow] | None = None
    assignee: str | None = None


class IdRow(Record):
    id: UUID


_feedback = table(Feedback).c


COLUMNS: tuple[ColumnElement[Any], ...] = (
    _feedback.id,
    _feedback.workspace_id,
    _feedback.source_id,
    _feedback.external_id,
    _feedback.author_name,
    _feedback.author_email,
    _feedback.author_external_id,
    _feedback.body,
    _feedback.rating,
    _feedback.language,
    sql_cast(_feedback.metadata, Text).label("metadata"),
    _feedback.occurred_at,
    _feedback.received_at,
    _feedback.sentiment_label,
    _feedback.sentiment_score,
    _feedback.sentiment_confidence,
    _feedback.sentiment_model,
    _feedback.unscored_reason,
    _feedback.status,
    _feedback.assignee_id,
)
