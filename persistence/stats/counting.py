"""Counting feedback by sentiment, in total and by stretches of time: from the hours, or where they cannot tell, raw."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, literal_column, null, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import TIMESTAMP, Columns, Reader, Statement, one_of, only, table
from persistence.feedback import Feedback, Filter, by_value, conditions
from persistence.stats.cell import DELTA, NO_ID, StatsHour
from persistence.stats.parts import (
    COUNTED_RAW,
    OF_FEEDBACK,
    CountedRow,
    changes_of,
    counted,
    edges_of,
    hours_of,
    labels_of,
)
from persistence.stats.span import Asked
from persistence.workspace import visible


class CountsRow(CountedRow):
    """What one bucket of one workspace holds; bucket 0 is before the first boundary, None is all of them together."""

    bucket: int | None


_feedback = table(Feedback).c
_hour = table(StatsHour).c
_delta = DELTA.c
_NO_BUCKET: ColumnElement[Any] = sql_cast(null(), Integer).label("bucket")
# By the places of workspace_id and bucket in the select list.
_IN_ALL: ColumnElement[Any] = literal_column("1")
_IN_BUCKETS: ColumnElement[Any] = literal_column("1, 2")
_IN_BOTH: ColumnElement[Any] = literal_column("GROUPING SETS ((1, 2), (1))")


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
            *only(columns, COUNTED_RAW, keys=()),
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
    hours = hours_of(labels, _in_bucket(_hour.hour, buckets=buckets), names, bounded=bounded)
    if "source_ids" not in names:
        hours = hours.where(_hour.source_id == NO_ID)
    changes = changes_of(_in_bucket(_delta.hour, buckets=buckets), names, bounded=bounded)
    edges = edges_of(
        _in_bucket(_feedback.occurred_at, buckets=buckets), names, head=head, tail=tail
    )
    tag: ColumnElement[Any] = bindparam("tag")
    all_ = (
        union_all(hours.where(_hour.tag_id == tag), changes.where(_delta.tag_id == tag), *edges)
        .subquery("counted")
        .c
    )
    statement = select(
        all_.workspace_id,
        all_.bucket if buckets else _NO_BUCKET,
        *only(columns, counted({name: all_[name] for name in OF_FEEDBACK}), keys=()),
    ).group_by(_grouping(totals=totals, buckets=buckets))
    # Not knowing that an edge is short, Postgres would start parallel workers for it.
    return Statement(statement, CountsRow, planned_by_value=head or tail)


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
    asked = Asked.of(where, start, end, boundaries)
    if asked.span is None:
        statement = _raw(
            asked.names,
            bounded=asked.is_bounded,
            totals=totals,
            buckets=bool(boundaries),
            columns=columns,
        )
    else:
        statement = _by_hours(
            asked.names,
            labels_of(where),
            bounded=asked.is_bounded,
            head=asked.span.has_head,
            tail=asked.span.has_tail,
            totals=totals,
            buckets=bool(boundaries),
            columns=columns,
        )
    return await reader.fetch(
        statement, viewer=viewer, workspaces=workspaces, boundaries=boundaries, **asked.values
    )
