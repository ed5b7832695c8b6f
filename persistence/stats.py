"""Counting feedback by sentiment, in total and by stretches of time."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from persistence.database import TIMESTAMP, Reader, Record, Statement, one_of, table
from persistence.feedback import Feedback, Filter, conditions
from persistence.workspace import visible


class CountsRow(Record):
    """What one bucket of one workspace holds; bucket 0 is before the first boundary."""

    workspace_id: UUID
    bucket: int
    total: int
    negative: int
    neutral: int
    positive: int
    scores: float | None
    rated: int
    ratings: int | None


_feedback = table(Feedback).c
_label = _feedback.sentiment_label


@lru_cache(maxsize=256)
def _counts(names: tuple[str, ...], *, bounded: bool) -> Statement[CountsRow]:
    bucket = func.width_bucket(
        _feedback.occurred_at,
        bindparam("boundaries", type_=ARRAY(TIMESTAMP)),
        type_=Integer,
    ).label("bucket")
    statement = (
        select(
            _feedback.workspace_id,
            bucket,
            func.count().label("total"),
            func.count().filter(_label == literal_column("'NEGATIVE'")).label("negative"),
            func.count().filter(_label == literal_column("'NEUTRAL'")).label("neutral"),
            func.count().filter(_label == literal_column("'POSITIVE'")).label("positive"),
            func.sum(_feedback.sentiment_score).label("scores"),
            func.count(_feedback.rating).label("rated"),
            func.sum(_feedback.rating).label("ratings"),
        )
        .where(
            one_of(_feedback.workspace_id, "workspaces"),
            visible(_feedback.workspace_id),
            _feedback.occurred_at >= bindparam("start"),
            *conditions(names),
        )
        .group_by(_feedback.workspace_id, literal_column("2"))
    )
    if bounded:
        statement = statement.where(_feedback.occurred_at < bindparam("end"))
    return Statement(statement, CountsRow)


async def counts(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    start: datetime,
    end: datetime | None,
    boundaries: Sequence[datetime],
    where: Filter,
) -> list[CountsRow]:
    """Counts for start <= occurred_at < end, for every bucket that is not empty.

    `boundaries` ascend; bucket n holds what occurred from boundaries[n - 1] to before boundaries[n].
    """
    values = where.values()
    bounds = {} if end is None else {"end": end}
    return await reader.fetch(
        _counts(tuple(values), bounded=end is not None),
        viewer=viewer,
        workspaces=workspaces,
        start=start,
        boundaries=boundaries,
        **bounds,
        **values,
    )
