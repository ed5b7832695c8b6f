"""What counts are made of, and how they are added up, whatever they are counted by."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Select, any_, bindparam, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import Record, array_of, one_of, table
from persistence.feedback import Feedback, Filter, conditions
from persistence.stats.cell import (
    DELTA,
    LABELS,
    SENTIMENTS,
    StatsHour,
    is_labelled,
    mean_rating,
    mean_score,
    units,
    where_true,
)
from persistence.workspace import Member


class CountedRow(Record):
    """The counts of some feedback of one workspace."""

    workspace_id: UUID
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

# Found once, and not joined to each row.
VISIBLE = array_of(
    select(_member.workspace_id).where(
        _member.principal_id == bindparam("viewer"), one_of(_member.workspace_id, "workspaces")
    )
)

# What counts are made of, in every row that has something to add to them.
Parts = Mapping[str, ColumnElement[Any]]


def _parts_of_one(
    label: ColumnElement[Any],
    number: ColumnElement[Any],
    score: ColumnElement[Any],
    rated: ColumnElement[Any],
    rating: ColumnElement[Any],
) -> Parts:
    """Of a row whose feedback has all the same label."""
    return {
        "total": number,
        **{each: where_true(is_labelled(label, each), number) for each in LABELS},
        "scored": where_true(label.is_not(None), number),
        "score": where_true(label.is_not(None), score),
        "rated": rated,
        "rating": rating,
    }


OF_FEEDBACK = _parts_of_one(
    _feedback.sentiment_label,
    _ONE,
    func.coalesce(units(_feedback.sentiment_score), _ZERO),
    where_true(_feedback.rating.is_not(None), _ONE),
    sql_cast(func.coalesce(_feedback.rating, _ZERO), Integer),
)
OF_DELTA = _parts_of_one(_delta.label, _delta.feedback, _delta.score, _delta.rated, _delta.rating)


def parts_of_hours(labels: Sequence[str]) -> Parts:
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


def counted(parts: Parts) -> list[ColumnElement[Any]]:
    """The counts of a bucket, from the parts of its rows."""
    sums = {name: func.sum(part) for name, part in parts.items()}
    return [
        *(sql_cast(sums[name], BigInteger).label(name) for name in ("total", *LABELS)),
        mean_score(sums["score"], sums["scored"]).label("average_score"),
        mean_rating(sums["rating"], sums["rated"]).label("average_rating"),
    ]


COUNTED_RAW: tuple[ColumnElement[Any], ...] = (
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


def hours_of(
    labels: Sequence[str], place: ColumnElement[Any], names: Sequence[str], *, bounded: bool
) -> Select[Any]:
    """The folded hours, by these labels alone; of which tag is not said, and of which source only by the filter."""
    statement = _within(_hour, place, parts_of_hours(labels), bounded=bounded)
    return (
        statement.where(one_of(_hour.source_id, "source_ids"))
        if "source_ids" in names
        else statement
    )


def changes_of(place: ColumnElement[Any], names: Sequence[str], *, bounded: bool) -> Select[Any]:
    """What has changed in the hours since; of which tag is not said."""
    statement = _within(_delta, place, OF_DELTA, bounded=bounded)
    if "source_ids" in names:
        statement = statement.where(one_of(_delta.source_id, "source_ids"))
    return (
        statement.where(one_of(_delta.label, "sentiments")) if "sentiments" in names else statement
    )


def _within(cell: Any, place: ColumnElement[Any], parts: Parts, *, bounded: bool) -> Select[Any]:
    statement = select(
        cell.workspace_id, place, *(part.label(name) for name, part in parts.items())
    ).where(cell.workspace_id == any_(VISIBLE), cell.hour >= bindparam("first"))
    return statement.where(cell.hour < bindparam("last")) if bounded else statement


def edges_of(
    place: ColumnElement[Any], names: Sequence[str], *, head: bool, tail: bool
) -> list[Select[Any]]:
    """What was said in the parts of an hour before and after the whole ones."""
    statement = select(
        _feedback.workspace_id, place, *(part.label(name) for name, part in OF_FEEDBACK.items())
    ).where(_feedback.workspace_id == any_(VISIBLE), *conditions(names))
    sides = [("start", "first")] * head + [("last", "end")] * tail
    return [
        statement.where(
            _feedback.occurred_at >= bindparam(begin), _feedback.occurred_at < bindparam(end)
        )
        for begin, end in sides
    ]


def labels_of(where: Filter) -> tuple[str, ...]:
    """Those of LABELS that are asked for, in their order."""
    if where.sentiments is None:
        return LABELS
    return tuple(label for label in LABELS if label.upper() in where.sentiments)
