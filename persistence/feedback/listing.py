"""Reading feedback: filters, orders, pages and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Double,
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
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    one_of,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow, IdRow
from persistence.tag import FeedbackTag
from persistence.workspace import visible


class CountRow(Record):
    workspace_id: UUID
    total: int


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


_BY_IDS = Statement(
    select(*COLUMNS).where(one_of(_feedback.id, "ids"), visible(_feedback.workspace_id)),
    FeedbackRow,
)
_LAST_RECEIVED = Statement(
    text(
        "SELECT source.id, (SELECT max(received_at) FROM feedback WHERE source_id = source.id)"
        " AS last_received_at FROM source WHERE source.id = ANY(:ids)"
        " AND source.workspace_id IN (SELECT workspace_id FROM member WHERE user_id = :viewer)"
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("viewer", type_=Uuid)),
    Record,
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
