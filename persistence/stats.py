"""Counting feedback by sentiment, in total and by stretches of time."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Integer, bindparam, func, literal_column, null, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    one_of,
    only,
    table,
)
from persistence.feedback import Feedback, Filter, by_value, conditions
from persistence.workspace import visible


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
_label = _feedback.sentiment_label
_COUNTED = (
    func.count().label("total"),
    *(
        func.count().filter(_label == literal_column(f"'{label.upper()}'")).label(label)
        for label in ("negative", "neutral", "positive")
    ),
    func.count().filter(_label.is_(None)).label("unscored"),
    func.avg(_feedback.sentiment_score).label("average_score"),
    func.avg(sql_cast(_feedback.rating, Double)).label("average_rating"),
)
_BUCKET = func.width_bucket(
    _feedback.occurred_at, bindparam("boundaries", type_=ARRAY(TIMESTAMP)), type_=Integer
)
# By the places of workspace_id and bucket in the select list.
_IN_ALL: ColumnElement[Any] = literal_column("1")
_IN_BUCKETS: ColumnElement[Any] = literal_column("1, 2")
_IN_BOTH: ColumnElement[Any] = literal_column("GROUPING SETS ((1, 2), (1))")


@lru_cache(maxsize=512)
def _counts(
    names: tuple[str, ...],
    *,
    bounded: bool,
    totals: bool,
    buckets: bool,
    columns: Columns | None,
) -> Statement[CountsRow]:
    bucket = _BUCKET if buckets else sql_cast(null(), Integer)
    statement = (
        select(_feedback.workspace_id, bucket.label("bucket"), *only(columns, _COUNTED, keys=()))
        .where(
            one_of(_feedback.workspace_id, "workspaces"),
            visible(_feedback.workspace_id),
            _feedback.occurred_at >= bindparam("start"),
            *conditions(names),
        )
        .group_by(_IN_BOTH if totals and buckets else _IN_BUCKETS if buckets else _IN_ALL)
    )
    if bounded:
        statement = statement.where(_feedback.occurred_at < bindparam("end"))
    return Statement(statement, CountsRow, planned_by_value=by_value(names))


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

    `boundaries` ascend; bucket n holds what occurred from boundaries[n - 1] to before boundaries[n].
    """
    values = where.values()
    if end is not None:
        values["end"] = end
    if boundaries:
        values["boundaries"] = boundaries
    statement = _counts(
        tuple(where.values()),
        bounded=end is not None,
        totals=totals,
        buckets=bool(boundaries),
        columns=columns,
    )
    return await reader.fetch(
        statement, viewer=viewer, workspaces=workspaces, start=start, **values
    )
