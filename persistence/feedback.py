"""Feedback: the table, its filters and orders, and every statement on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Double,
    Index,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    one_of,
    table,
)
from persistence.tag import FeedbackTag
from persistence.workspace import Member, visible

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
            "received_at",
            postgresql_where=text("scored_at IS NULL"),
        ),
        Index("feedback_search_idx", "search", postgresql_using="gin"),
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
    scored_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    search: Any = Field(default=None, sa_column=Column(TSVECTOR, Computed(_SEARCH, persisted=True)))


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


class UnscoredRow(Record):
    id: UUID
    workspace_id: UUID
    body: str


class CountRow(Record):
    workspace_id: UUID
    total: int


class IdRow(Record):
    id: UUID


class Order(StrEnum):
    """Total orders: ties are broken by id. What is not scored yet comes last where score decides."""

    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"
    MOST_NEGATIVE = "MOST_NEGATIVE"
    MOST_POSITIVE = "MOST_POSITIVE"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which feedback to take; None takes all. Times are half open: from `occurred_after`, before `occurred_before`."""

    search: str | None = None
    source_ids: tuple[UUID, ...] | None = None
    tag_ids: tuple[UUID, ...] | None = None
    sentiments: tuple[str, ...] | None = None
    rating_gte: int | None = None
    rating_lte: int | None = None
    occurred_after: datetime | None = None
    occurred_before: datetime | None = None

    def values(self) -> dict[str, Any]:
        """What is set, by the name of its parameter."""
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in fields if value is not None}


@dataclass(frozen=True, slots=True)
class After:
    """The last row of the page before: its sort value (a score, a time, or None where unscored) and id."""

    value: float | datetime | None
    id: UUID


ALL = Filter()

_feedback = table(Feedback).c
_link = table(FeedbackTag).c

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
)

_words = bindparam("search", type_=Text)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "search": _feedback.search.op("@@")(
        func.websearch_to_tsquery(literal_column("'earful'"), _words)
    ),
    "source_ids": one_of(_feedback.source_id, "source_ids"),
    "tag_ids": exists().where(_link.feedback_id == _feedback.id, one_of(_link.tag_id, "tag_ids")),
    "sentiments": one_of(_feedback.sentiment_label, "sentiments"),
    "rating_gte": _feedback.rating >= bindparam("rating_gte"),
    "rating_lte": _feedback.rating <= bindparam("rating_lte"),
    "occurred_after": _feedback.occurred_at >= bindparam("occurred_after"),
    "occurred_before": _feedback.occurred_at < bindparam("occurred_before"),
}


def conditions(names: Sequence[str]) -> list[ColumnElement[bool]]:
    """The WHERE clauses for the parts of a filter that are set."""
    return [_CONDITIONS[name] for name in names]


_time = tuple_(_feedback.occurred_at, _feedback.id)
_score = tuple_(_feedback.sentiment_score, _feedback.id)
_after_time = tuple_(bindparam("after_value", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
_after_score = tuple_(bindparam("after_value", type_=Double), bindparam("after_id", type_=Uuid))
_unscored = _feedback.sentiment_score.is_(None)
_KEYSET = {
    Order.NEWEST_FIRST: _time < _after_time,
    Order.OLDEST_FIRST: _time > _after_time,
    Order.MOST_NEGATIVE: or_(_score > _after_score, _unscored),
    Order.MOST_POSITIVE: or_(_score < _after_score, _unscored),
}
_KEYSET_UNSCORED = {
    Order.MOST_NEGATIVE: and_(_unscored, _feedback.id > bindparam("after_id")),
    Order.MOST_POSITIVE: and_(_unscored, _feedback.id < bindparam("after_id")),
}


def _order_by(row: Any, order: Order) -> tuple[ColumnElement[Any], ...]:
    match order:
        case Order.NEWEST_FIRST:
            return (row.occurred_at.desc(), row.id.desc())
        case Order.OLDEST_FIRST:
            return (row.occurred_at, row.id)
        case Order.MOST_NEGATIVE:
            return (row.sentiment_score.nulls_last(), row.id)
        case Order.MOST_POSITIVE:
            return (row.sentiment_score.desc().nulls_last(), row.id.desc())


@lru_cache(maxsize=512)
def _page(
    names: tuple[str, ...], order: Order, limit: int, after: str | None
) -> Statement[FeedbackRow]:
    """One page a workspace, for any number of workspaces; the size is a literal, which Postgres plans better."""
    parent = (
        func.unnest(bindparam("workspaces", type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), with_ordinality="position", name="parent")
        .render_derived()
    )
    page = (
        select(*COLUMNS)
        .where(
            _feedback.workspace_id == parent.c.id,
            visible(_feedback.workspace_id),
            *conditions(names),
        )
        .order_by(*_order_by(_feedback, order))
        .limit(literal_column(str(limit)))
    )
    if after == "value":
        page = page.where(_KEYSET[order])
    elif after == "unscored":
        page = page.where(_KEYSET_UNSCORED[order])
    rows = page.lateral("page")
    return Statement(
        select(*rows.c)
        .join_from(parent, rows, true())
        .order_by(parent.c.position, *_order_by(rows.c, order)),
        FeedbackRow,
    )


@lru_cache(maxsize=256)
def _count(names: tuple[str, ...]) -> Statement[CountRow]:
    return Statement(
        select(_feedback.workspace_id, func.count().label("total"))
        .where(
            one_of(_feedback.workspace_id, "workspaces"),
            visible(_feedback.workspace_id),
            *conditions(names),
        )
        .group_by(_feedback.workspace_id),
        CountRow,
    )


@lru_cache(maxsize=256)
def _matching(names: tuple[str, ...]) -> Statement[IdRow]:
    return Statement(
        select(_feedback.id).where(
            one_of(_feedback.id, "ids"), visible(_feedback.workspace_id), *conditions(names)
        ),
        IdRow,
    )


def _by_ids() -> Select[Any]:
    return select(*COLUMNS).where(one_of(_feedback.id, "ids"))


_BY_IDS = Statement(_by_ids().where(visible(_feedback.workspace_id)), FeedbackRow)
_LAST_RECEIVED = Statement(
    text(
        "SELECT source.id, (SELECT max(received_at) FROM feedback WHERE source_id = source.id)"
        " AS last_received_at FROM source WHERE source.id = ANY(:ids)"
        " AND source.workspace_id IN (SELECT workspace_id FROM member WHERE user_id = :viewer)"
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("viewer", type_=Uuid)),
    Record,
)
_ADD = Statement(
    upsert(table(Feedback))
    .values(
        id=bindparam("id"),
        workspace_id=bindparam("workspace"),
        source_id=bindparam("source"),
        external_id=bindparam("external_id"),
        author_name=bindparam("author_name"),
        author_email=bindparam("author_email"),
        author_external_id=bindparam("author_external_id"),
        body=bindparam("body"),
        rating=bindparam("rating"),
        metadata=sql_cast(bindparam("metadata", type_=Text), JSONB),
        occurred_at=bindparam("occurred_at"),
        received_at=bindparam("now"),
    )
    .on_conflict_do_nothing(
        index_elements=["source_id", "external_id"], index_where=_feedback.external_id.is_not(None)
    )
    .returning(*COLUMNS),
    FeedbackRow,
)
_BY_EXTERNAL_ID = Statement(
    select(*COLUMNS).where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.external_id == bindparam("external_id"),
    ),
    FeedbackRow,
)
_member = table(Member).c
_ENTER = Statement(
    select(*COLUMNS, _member.role, enter_workspace(_feedback.workspace_id))
    .join_from(table(Feedback), table(Member), _member.workspace_id == _feedback.workspace_id)
    .where(_feedback.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    FeedbackRow,
)
# Row-level security hides a row from FOR UPDATE until its workspace is entered, hence a statement of its own.
_LOCK = Statement(
    select(_feedback.id)
    .where(_feedback.id == bindparam("id"), _feedback.workspace_id == bindparam("workspace"))
    .with_for_update(),
    IdRow,
)
_UNSCORED = Statement(
    select(_feedback.id, _feedback.workspace_id, _feedback.body).where(
        one_of(_feedback.id, "ids"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_(None),
    ),
    UnscoredRow,
)
_OVERDUE = Statement(
    select(_feedback.id, _feedback.workspace_id, literal_column("''").label("body"))
    .where(_feedback.scored_at.is_(None), _feedback.received_at < bindparam("before"))
    .order_by(_feedback.received_at)
    .limit(literal_column("2048")),
    UnscoredRow,
)
_scores = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("labels", type_=ARRAY(Text)),
        bindparam("scores", type_=ARRAY(Double)),
        bindparam("confidences", type_=ARRAY(Double)),
    )
    .table_valued(
        column("id", Uuid),
        column("label", Text),
        column("score", Double),
        column("confidence", Double),
        name="given",
    )
    .render_derived()
)
_SCORE = Statement(
    update(table(Feedback))
    .where(
        _feedback.id == _scores.c.id,
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_(None),
    )
    .values(
        sentiment_label=_scores.c.label,
        sentiment_score=_scores.c.score,
        sentiment_confidence=_scores.c.confidence,
        sentiment_model=bindparam("model"),
        scored_at=bindparam("now"),
    )
    .returning(*COLUMNS),
    FeedbackRow,
)


async def pages(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    where: Filter,
    order: Order,
    limit: int,
    after: After | None,
) -> list[FeedbackRow]:
    """The first `limit` rows after `after` of each workspace, in the workspaces' order."""
    values = where.values()
    keyset: dict[str, Any] = {}
    if after is not None:
        keyset = {"after_id": after.id, "after_value": after.value}
    kind = None if after is None else "unscored" if after.value is None else "value"
    statement = _page(tuple(values), order, limit, kind)
    return await reader.fetch(statement, viewer=viewer, workspaces=workspaces, **values, **keyset)


async def counts(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], where: Filter
) -> dict[UUID, int]:
    """How many there are in each workspace that has any."""
    values = where.values()
    rows = await reader.fetch(_count(tuple(values)), viewer=viewer, workspaces=workspaces, **values)
    return {row.workspace_id: row.total for row in rows}


async def by_ids(reader: Reader, viewer: UUID, ids: Sequence[UUID]) -> dict[UUID, FeedbackRow]:
    return {row.id: row for row in await reader.fetch(_BY_IDS, viewer=viewer, ids=ids)}


async def matching(reader: Reader, viewer: UUID, ids: Sequence[UUID], where: Filter) -> set[UUID]:
    """Those of the ids that pass the filter."""
    values = where.values()
    rows = await reader.fetch(_matching(tuple(values)), viewer=viewer, ids=ids, **values)
    return {row.id for row in rows}


async def last_received(
    reader: Reader, viewer: UUID, sources: Sequence[UUID]
) -> dict[UUID, datetime | None]:
    """When each of the sources last sent something."""
    rows = await reader.fetch(_LAST_RECEIVED, viewer=viewer, ids=sources)
    return {row["id"]: row["last_received_at"] for row in rows}


async def add(
    uow: UnitOfWork,
    *,
    id: UUID,
    workspace: UUID,
    source: UUID,
    external_id: str | None,
    author_name: str | None,
    author_email: str | None,
    author_external_id: str | None,
    body: str,
    rating: int | None,
    metadata: str | None,
    occurred_at: datetime,
) -> FeedbackRow | None:
    """Insert one message; None when the source already sent one with this external id."""
    return await uow.first(
        _ADD,
        id=id,
        workspace=workspace,
        source=source,
        external_id=external_id,
        author_name=author_name,
        author_email=author_email,
        author_external_id=author_external_id,
        body=body,
        rating=rating,
        metadata=metadata,
        occurred_at=occurred_at,
        now=uow.now,
    )


async def by_external_id(
    reader: Reader, workspace: UUID, source: UUID, external_id: str
) -> FeedbackRow | None:
    """What the source sent under its own id, in a workspace that the caller has entered."""
    return await reader.first(
        _BY_EXTERNAL_ID, workspace=workspace, source=source, external_id=external_id
    )


async def enter(uow: UnitOfWork, viewer: UUID, feedback: UUID) -> tuple[FeedbackRow, str] | None:
    """The feedback and the viewer's role; then this transaction may write its workspace's rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=feedback)
    return None if row is None else (row, row["role"])


async def lock(uow: UnitOfWork, workspace: UUID, feedback: UUID) -> None:
    """Make a second writer of the same feedback wait until this transaction ends."""
    await uow.first(_LOCK, workspace=workspace, id=feedback)


async def unscored(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> list[UnscoredRow]:
    """Those of the workspace's feedback that no model has looked at."""
    return await reader.fetch(_UNSCORED, workspace=workspace, ids=ids)


async def overdue(reader: Reader, before: datetime) -> list[UnscoredRow]:
    """The oldest feedback of all workspaces that should have been scored by now, without bodies."""
    return await reader.fetch(_OVERDUE, before=before)


async def score(
    uow: UnitOfWork,
    workspace: UUID,
    *,
    ids: Sequence[UUID],
    labels: Sequence[str | None],
    scores: Sequence[float | None],
    confidences: Sequence[float | None],
    model: str,
) -> list[FeedbackRow]:
    """Store scores where there are none yet; answers the rows that were scored now."""
    return await uow.fetch(
        _SCORE,
        workspace=workspace,
        ids=ids,
        labels=labels,
        scores=scores,
        confidences=confidences,
        model=model,
        now=uow.now,
    )
