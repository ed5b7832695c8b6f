"""Pages of feedback: keysets, and what a page brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    Double,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence import source, tag
from persistence.database import (
    TIMESTAMP,
    Columns,
    Nested,
    Reader,
    Statement,
    one_of,
    only,
    table,
)
from persistence.feedback.listing import Filter, by_value, conditions
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.source import SourceRow
from persistence.tag import BorneRow
from persistence.workspace import Member


class Order(StrEnum):
    """Total orders: ties are broken by id. What is not scored yet comes last where score decides."""

    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"
    MOST_NEGATIVE = "MOST_NEGATIVE"
    MOST_POSITIVE = "MOST_POSITIVE"


@dataclass(frozen=True, slots=True)
class After:
    """The last row of the page before: its sort value (a score, a time, or None where unscored) and id."""

    value: float | datetime | None
    id: UUID


@dataclass(frozen=True, slots=True)
class Along:
    """Which columns of its rows' sources and tags a page brings along; where there are none, it leaves them out."""

    source: Columns = frozenset()
    tags: Columns = frozenset()


NOTHING = Along()
_feedback = table(Feedback).c
_member = table(Member).c
_time = tuple_(_feedback.occurred_at, _feedback.id)
_score = tuple_(_feedback.sentiment_score, _feedback.id)
_after_time = tuple_(bindparam("after_value", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
_after_score = tuple_(bindparam("after_value", type_=Double), bindparam("after_id", type_=Uuid))
_unscored = _feedback.sentiment_score.is_(None)
_KEYSET = {
    Order.NEWEST_FIRST: _time < _after_time,
    Order.OLDEST_FIRST: _time > _after_time,
    Order.MOST_NEGATIVE: _score > _after_score,
    Order.MOST_POSITIVE: _score < _after_score,
}
_KEYSET_UNSCORED = {
    Order.MOST_NEGATIVE: and_(_unscored, _feedback.id > bindparam("after_id")),
    Order.MOST_POSITIVE: and_(_unscored, _feedback.id < bindparam("after_id")),
}


SORTED_BY = {
    Order.NEWEST_FIRST: "occurred_at",
    Order.OLDEST_FIRST: "occurred_at",
    Order.MOST_NEGATIVE: "sentiment_score",
    Order.MOST_POSITIVE: "sentiment_score",
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


_PAGE_KEYS = ("id", "workspace_id")
_SOURCES, _TAGS = "along_sources", "along_tags"


@dataclass(frozen=True, slots=True)
class _Page:
    """The statement of a page, and what comes along in its first row."""

    statement: Statement[FeedbackRow]
    sources: Nested[SourceRow] | None
    tags: Nested[BorneRow] | None

    def hand_out(self, rows: Sequence[FeedbackRow]) -> None:
        """Give each row what came with the first."""
        if self.sources is not None:
            sources = {row.id: row for row in self.sources.rows(rows[0][_SOURCES])}
            for row in rows:
                row.source = sources[row.source_id]
        if self.tags is not None:
            tags = tag.by_bearer(self.tags.rows(rows[0][_TAGS]))
            for row in rows:
                row.tags = tags.get(row.id, ())


def first_of_each(
    names: tuple[str, ...], order: Order, limit: int, after: str | None, columns: list[Any]
) -> CTE:
    """These columns of the first `limit` feedback of each workspace that pass the filter's parts and come `after`.

    `after` is None for the beginning, "value", or "unscored" where what it comes after has no score. The limit is a
    literal, which Postgres plans better.
    """
    size: ColumnElement[int] = literal_column(str(limit))
    passing = (
        select(*columns)
        .where(_feedback.workspace_id == _member.workspace_id, *conditions(names))
        .order_by(*_order_by(_feedback, order))
        .limit(size)
        .correlate(table(Member))
    )
    if after == "value" and order in _KEYSET_UNSCORED:
        # What is not scored comes behind what is; joined by OR the two could not be found in the index.
        scored, unscored = passing.where(_KEYSET[order]), passing.where(_unscored)
        both = union_all(scored.subquery().select(), unscored.subquery().select()).subquery()
        passing = select(both).order_by(*_order_by(both.c, order)).limit(size)
    elif after is not None:
        passing = passing.where((_KEYSET if after == "value" else _KEYSET_UNSCORED)[order])
    rows = passing.lateral("page")
    return (
        select(*rows.c)
        .join_from(table(Member), rows, true())
        .where(
            _member.principal_id == bindparam("viewer"), one_of(_member.workspace_id, "workspaces")
        )
        .cte("pages")
    )


def in_order(pages: CTE, order: Order) -> tuple[ColumnElement[Any], ...]:
    """The workspaces in the order they were asked for, and each one's feedback as it is sorted."""
    workspaces = bindparam("workspaces", type_=ARRAY(Uuid))
    return (
        func.array_position(workspaces, pages.c.workspace_id),
        *_order_by(pages.c, order),
    )


@lru_cache(maxsize=1024)
def _page(
    names: tuple[str, ...],
    order: Order,
    limit: int,
    after: str | None,
    columns: Columns | None = None,
    along: Along = NOTHING,
) -> _Page:
    """One page a workspace, for any number of workspaces."""
    keys = (*_PAGE_KEYS, "source_id") if along.source else _PAGE_KEYS
    read = only(columns, COLUMNS, keys=(*keys, SORTED_BY[order]))
    pages = first_of_each(names, order, limit, after, read)
    ordered = in_order(pages, order)
    sources = source.nested(select(pages.c.source_id), along.source) if along.source else None
    tags = tag.nested(select(pages.c.id), along.tags) if along.tags else None
    first = func.row_number().over(order_by=ordered) == literal_column("1")
    statement = select(
        *only(columns, pages.c, keys=keys),
        *(
            case((first, nested.value)).label(name)
            for name, nested in ((_SOURCES, sources), (_TAGS, tags))
            if nested is not None
        ),
    ).order_by(*ordered)
    return _Page(Statement(statement, FeedbackRow, planned_by_value=by_value(names)), sources, tags)


def asked_for(where: Filter, after: After | None) -> tuple[str | None, dict[str, Any]]:
    """What of `after` shapes a page's statement, and the values of its parameters."""
    values = where.values()
    if after is None:
        return None, values
    values |= {"after_id": after.id, "after_value": after.value}
    return "unscored" if after.value is None else "value", values


async def pages(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    where: Filter,
    order: Order,
    limit: int,
    after: After | None,
    columns: Columns | None = None,
    along: Along = NOTHING,
) -> list[FeedbackRow]:
    """The first `limit` rows after `after` of each workspace, in the workspaces' order."""
    kind, values = asked_for(where, after)
    page = _page(tuple(where.values()), order, limit, kind, columns, along)
    rows = await reader.fetch(page.statement, viewer=viewer, workspaces=workspaces, **values)
    if rows:
        page.hand_out(rows)
    return rows
