"""Counting feedback by sentiment, in total and by stretches of time: from the hours, or where they cannot tell, raw."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    array_of,
    one_of,
    only,
    table,
)
from persistence.feedback import Feedback, Filter, by_value, conditions
from persistence.stats.cell import (
    DELTA,
    EVERY,
    LABELS,
    SENTIMENTS,
    StatsHour,
    is_labelled,
    mean_rating,
    mean_score,
    units,
    where_true,
)
from persistence.stats.span import Span, is_counted
from persistence.workspace import Member, visible


class CountsRow(Record):
    """What one bucket of one workspace holds; bucket 0 is before the first boundary, None is all of them together."""

    workspace_id: UUID
    bucket: int | None
    total: int
    negative: int
    neutral: int
    positive: int
    unscored: int
    average_score: float | None
    average_rating: float | None


_feedback = table(Feedback).c
_hour = table(StatsHour).c
_delta = DELTA.c
_member = table(Member).c
_ZERO: ColumnElement[int] = literal_column("0")
_ONE: ColumnElement[int] = literal_column("1")
_NO_BUCKET: ColumnElement[Any] = sql_cast(null(), Integer).label("bucket")
# By the places of workspace_id and bucket in the select list.
_IN_ALL: ColumnElement[Any] = literal_column("1")
_IN_BUCKETS: ColumnElement[Any] = literal_column("1, 2")
_IN_BOTH: ColumnElement[Any] = literal_column("GROUPING SETS ((1, 2), (1))")

# Found once, and not joined to each row.
_VISIBLE = array_of(
    select(_member.workspace_id).where(
        _member.principal_id == bindparam("viewer"), one_of(_member.workspace_id, "workspaces")
    )
)

# What counts are made of, in every row that has something to add to them.
_Parts = Mapping[str, ColumnElement[Any]]


def _parts_of_one(
    label: ColumnElement[Any],
    number: ColumnElement[Any],
    score: ColumnElement[Any],
    rated: ColumnElement[Any],
    rating: ColumnElement[Any],
) -> _Parts:
    """Of a row whose feedback has all the same label."""
    return {
        "total": number,
        **{each: where_true(is_labelled(label, each), number) for each in LABELS},
        "scored": where_true(label.is_not(None), number),
        "score": where_true(label.is_not(None), score),
        "rated": rated,
        "rating": rating,
    }


_OF_FEEDBACK = _parts_of_one(
    _feedback.sentiment_label,
    _ONE,
    func.coalesce(units(_feedback.sentiment_score), _ZERO),
    where_true(_feedback.rating.is_not(None), _ONE),
    sql_cast(func.coalesce(_feedback.rating, _ZERO), Integer),
)
_OF_DELTA = _parts_of_one(_delta.label, _delta.feedback, _delta.score, _delta.rated, _delta.rating)


def _parts_of_hours(labels: Sequence[str]) -> _Parts:
    """Of a cell, by these labels alone."""
    scored = [label for label in SENTIMENTS if label in labels]
    return {
        "total": _sum(labels),
        **{label: _hour[label] if label in labels else _ZERO for label in LABELS},
        "scored": _sum(scored),
        "score": _sum([f"{label}_score" for label in scored]),
        "rated": _sum([f"{label}_rated" for label in labels]),
        "rating": _sum([f"{label}_rating" for label in labels]),
    }


def _sum(names: Sequence[str]) -> ColumnElement[Any]:
    total: ColumnElement[Any] = _hour[names[0]]
    for name in names[1:]:
        total += _hour[name]
    return total


def _counted(parts: _Parts) -> list[ColumnElement[Any]]:
    """The counts of a bucket, from the parts of its rows."""
    sums = {name: func.sum(part) for name, part in parts.items()}
    return [
        *(sql_cast(sums[name], BigInteger).label(name) for name in ("total", *LABELS)),
        mean_score(sums["score"], sums["scored"]).label("average_score"),
        mean_rating(sums["rating"], sums["rated"]).label("average_rating"),
    ]


_COUNTED_RAW: tuple[ColumnElement[Any], ...] = (
    func.count().label("total"),
    *(
        func.count().filter(is_labelled(_feedback.sentiment_label, label)).label(label)
        for label in LABELS
    ),
    mean_score(
        func.sum(units(_feedback.sentiment_score)).filter(_feedback.sentiment_label.is_not(None)),
        func.count(_feedback.sentiment_label),
    ).label("average_score"),
    mean_rating(func.sum(_feedback.rating), func.count(_feedback.rating)).label("average_rating"),
)


def _in_bucket(moment: ColumnElement[Any], *, buckets: bool) -> ColumnElement[Any]:
    if not buckets:
        return _NO_BUCKET
    boundaries = bindparam("boundaries", type_=ARRAY(TIMESTAMP))
    return func.width_bucket(moment, boundaries, type_=Integer).label("bucket")


def _grouping(*, totals: bool, buckets: bool) -> ColumnElement[Any]:
    return _IN_BOTH if totals and buckets else _IN_BUCKETS if buckets else _IN_ALL


@lru_cache(maxsize=512)
def _raw(
    names: tuple[str, ...], *, bounded: bool, totals: bool, buckets: bool, columns: Columns | None
) -> Statement[CountsRow]:
    """Counts every feedback by itself."""
    statement = (
        select(
            _feedback.workspace_id,
            _in_bucket(_feedback.occurred_at, buckets=buckets),
            *only(columns, _COUNTED_RAW, keys=()),
        )
        .where(
            one_of(_feedback.workspace_id, "workspaces"),
            visible(_feedback.workspace_id),
            _feedback.occurred_at >= bindparam("start"),
            *conditions(names),
        )
        .group_by(_grouping(totals=totals, buckets=buckets))
    )
    if bounded:
        statement = statement.where(_feedback.occurred_at < bindparam("end"))
    return Statement(statement, CountsRow, planned_by_value=by_value(names), lasting=True)


@lru_cache(maxsize=512)
def _by_hours(
    names: tuple[str, ...],
    labels: tuple[str, ...],
    *,
    bounded: bool,
    head: bool,
    tail: bool,
    totals: bool,
    buckets: bool,
    columns: Columns | None,
) -> Statement[CountsRow]:
    """Adds up whole hours, what changed in them, and what was said in the parts of an hour before and after."""
    hours = _within_hours(_hour, _parts_of_hours(labels), names, bounded=bounded, buckets=buckets)
    if "source_ids" not in names:
        hours = hours.where(_hour.source_id == literal_column(f"'{EVERY}'", _hour.source_id.type))
    changes = _within_hours(_delta, _OF_DELTA, names, bounded=bounded, buckets=buckets)
    if "sentiments" in names:
        changes = changes.where(one_of(_delta.label, "sentiments"))
    edges = []
    if head:
        edges.append(_edge("start", "first", names, buckets=buckets))
    if tail:
        edges.append(_edge("last", "end", names, buckets=buckets))
    all_ = union_all(hours, changes, *edges).subquery("counted").c
    statement = select(
        all_.workspace_id,
        all_.bucket if buckets else _NO_BUCKET,
        *only(columns, _counted({name: all_[name] for name in _OF_FEEDBACK}), keys=()),
    ).group_by(_grouping(totals=totals, buckets=buckets))
    # Not knowing that an edge is short, Postgres would start parallel workers for it.
    return Statement(statement, CountsRow, planned_by_value=head or tail)


def _within_hours(
    cell: Any, parts: _Parts, names: Sequence[str], *, bounded: bool, buckets: bool
) -> Select[Any]:
    statement = select(
        cell.workspace_id,
        _in_bucket(cell.hour, buckets=buckets),
        *(part.label(name) for name, part in parts.items()),
    ).where(
        cell.workspace_id == any_(_VISIBLE),
        cell.tag_id == bindparam("tag"),
        cell.hour >= bindparam("first"),
    )
    if bounded:
        statement = statement.where(cell.hour < bindparam("last"))
    if "source_ids" in names:
        statement = statement.where(one_of(cell.source_id, "source_ids"))
    return statement


def _edge(begin: str, end: str, names: Sequence[str], *, buckets: bool) -> Select[Any]:
    return select(
        _feedback.workspace_id,
        _in_bucket(_feedback.occurred_at, buckets=buckets),
        *(part.label(name) for name, part in _OF_FEEDBACK.items()),
    ).where(
        _feedback.workspace_id == any_(_VISIBLE),
        _feedback.occurred_at >= bindparam(begin),
        _feedback.occurred_at < bindparam(end),
        *conditions(names),
    )


async def counts(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    start: datetime,
    end: datetime | None,
    where: Filter,
    totals: bool = True,
    boundaries: Sequence[datetime] = (),
    columns: Columns | None = None,
) -> list[CountsRow]:
    """Counts for start <= occurred_at < end: `totals`, and with boundaries every bucket that is not empty.

    `boundaries`, in UTC, ascend; bucket n holds what occurred from boundaries[n - 1] to before boundaries[n].
    """
    start = max(start, where.occurred_after or start)
    ends = [moment for moment in (end, where.occurred_before) if moment is not None]
    end = min(ends, default=None)
    values = replace(where, occurred_after=None, occurred_before=None).values()
    names = tuple(values)
    span = Span.of(start, end) if is_counted(where, boundaries) else None
    if span is None:
        statement = _raw(
            names,
            bounded=end is not None,
            totals=totals,
            buckets=bool(boundaries),
            columns=columns,
        )
    else:
        statement = _by_hours(
            names,
            _labels(where),
            bounded=end is not None,
            head=span.has_head,
            tail=span.has_tail,
            totals=totals,
            buckets=bool(boundaries),
            columns=columns,
        )
        (values["tag"],) = set(where.tag_ids) if where.tag_ids is not None else (EVERY,)
        values |= {"first": span.first, "last": span.last}
    return await reader.fetch(
        statement,
        viewer=viewer,
        workspaces=workspaces,
        start=start,
        end=end,
        boundaries=boundaries,
        **values,
    )


def _labels(where: Filter) -> tuple[str, ...]:
    """Those of LABELS that are asked for, in their order."""
    if where.sentiments is None:
        return LABELS
    return tuple(label for label in LABELS if label.upper() in where.sentiments)
