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
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
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
    Record,
    Statement,
    one_of,
    only,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow, IdRow
from persistence.source import SourceRow
from persistence.tag import BorneRow, FeedbackTag
from persistence.workspace import Member, visible


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
    statuses: tuple[str, ...] | None = None
    assignee_ids: tuple[UUID, ...] | None = None
    unassigned: bool | None = None
    """True: what nobody is assigned to, beside what is assigned to those above. It is never False."""

    def values(self) -> dict[str, Any]:
        """What is set, by the name of its parameter."""
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in fields if value is not None}


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


ALL = Filter()
NOTHING = Along()
_feedback = table(Feedback).c
_link = table(FeedbackTag).c
_member = table(Member).c
_words = bindparam("search", type_=Text)
_FOR_ANY_VALUE = frozenset({"occurred_after", "occurred_before"})
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
    "statuses": one_of(_feedback.status, "statuses"),
    "assignee_ids": one_of(_feedback.assignee_id, "assignee_ids"),
    "unassigned": _feedback.assignee_id.is_(None),
}
_OF_ASSIGNEES = frozenset({"assignee_ids", "unassigned"})


def conditions(names: Sequence[str]) -> list[ColumnElement[bool]]:
    """The WHERE clauses for the parts of a filter that are set."""
    asked = [_CONDITIONS[name] for name in names if name not in _OF_ASSIGNEES]
    assigned = [_CONDITIONS[name] for name in names if name in _OF_ASSIGNEES]
    return [*asked, or_(*assigned)] if assigned else asked


def by_value(names: Sequence[str]) -> bool:
    """Whether the best plan depends on what is looked for: a rare word is found by another index than a common one."""
    return not _FOR_ANY_VALUE.issuperset(names)


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


_ORDERED_BY = {
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


@lru_cache(maxsize=1024)
def _page(
    names: tuple[str, ...],
    order: Order,
    limit: int,
    after: str | None,
    columns: Columns | None = None,
    along: Along = NOTHING,
) -> _Page:
    """One page a workspace, for any number of workspaces; the size is a literal, which Postgres plans better."""
    size: ColumnElement[int] = literal_column(str(limit))
    keys = (*_PAGE_KEYS, "source_id") if along.source else _PAGE_KEYS
    passing = (
        select(*only(columns, COLUMNS, keys=(*keys, _ORDERED_BY[order])))
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
    pages = (
        select(*rows.c)
        .join_from(table(Member), rows, true())
        .where(
            _member.principal_id == bindparam("viewer"), one_of(_member.workspace_id, "workspaces")
        )
        .cte("pages")
    )
    ordered = (
        func.array_position(bindparam("workspaces", type_=ARRAY(Uuid)), pages.c.workspace_id),
        *_order_by(pages.c, order),
    )
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
        planned_by_value=by_value(names),
        lasting=True,
    )


@lru_cache(maxsize=256)
def _matching(names: tuple[str, ...]) -> Statement[IdRow]:
    return Statement(
        select(_feedback.id).where(
            one_of(_feedback.id, "ids"), visible(_feedback.workspace_id), *conditions(names)
        ),
        IdRow,
    )


_BY_ID = Statement(
    select(*COLUMNS).where(_feedback.id == bindparam("id"), visible(_feedback.workspace_id)),
    FeedbackRow,
)
_BY_IDS = Statement(
    select(*COLUMNS).where(one_of(_feedback.id, "ids"), visible(_feedback.workspace_id)),
    FeedbackRow,
)
_LAST_RECEIVED = Statement(
    text(
        "SELECT source.id, (SELECT max(received_at) FROM feedback WHERE source_id = source.id)"
        " AS last_received_at FROM source WHERE source.id = ANY(:ids)"
        " AND source.workspace_id IN (SELECT workspace_id FROM member WHERE principal_id = :viewer)"
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
    columns: Columns | None = None,
    along: Along = NOTHING,
) -> list[FeedbackRow]:
    """The first `limit` rows after `after` of each workspace, in the workspaces' order."""
    values = where.values()
    keyset: dict[str, Any] = {}
    if after is not None:
        keyset = {"after_id": after.id, "after_value": after.value}
    kind = None if after is None else "unscored" if after.value is None else "value"
    page = _page(tuple(values), order, limit, kind, columns, along)
    rows = await reader.fetch(
        page.statement, viewer=viewer, workspaces=workspaces, **values, **keyset
    )
    if rows:
        page.hand_out(rows)
    return rows


async def counts(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], where: Filter
) -> dict[UUID, int]:
    """How many there are in each workspace that has any."""
    values = where.values()
    rows = await reader.fetch(_count(tuple(values)), viewer=viewer, workspaces=workspaces, **values)
    return {row.workspace_id: row.total for row in rows}


async def by_ids(
    reader: Reader, viewer: UUID, ids: Sequence[UUID], *, columns: Columns | None = None
) -> dict[UUID, FeedbackRow]:
    if len(ids) == 1:
        rows = await reader.fetch(_BY_ID.of(columns), viewer=viewer, id=ids[0])
    else:
        rows = await reader.fetch(_BY_IDS.of(columns), viewer=viewer, ids=ids)
    return {row.id: row for row in rows}


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
