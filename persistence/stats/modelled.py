"""How much feedback which model has scored, by the hour (UTC): changes written by triggers, and folded later.

What there is of an hour is the sum of its rows, so it is exact at any moment.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlmodel import SQLModel

from persistence.database import TIMESTAMP, Reader, Record, Statement, UnitOfWork, one_of
from persistence.workspace import visible

# It has no key: rows are only ever added and taken away.
MODEL_HOUR = Table(
    "model_hour",
    SQLModel.metadata,
    Column("workspace_id", Uuid, nullable=False),
    Column("hour", TIMESTAMP, nullable=False),
    Column("model", Text, nullable=False),
    Column("feedback", Integer, nullable=False),
    Column("folded", Boolean, nullable=False, server_default=text("false")),
    Index("model_hour_cell_idx", "workspace_id", "hour"),
    Index("model_hour_loose_idx", "folded", postgresql_where=text("NOT folded")),
)


class ModelCountRow(Record):
    workspace_id: UUID
    model: str
    count: int


class FoldedRow(Record):
    folded: int


_hour = MODEL_HOUR.c
_count = func.sum(_hour.feedback)
_COUNTS = Statement(
    select(_hour.workspace_id, _hour.model, sql_cast(_count, BigInteger).label("count"))
    .where(
        one_of(_hour.workspace_id, "workspaces"),
        visible(_hour.workspace_id),
        _hour.hour >= func.date_trunc("hour", bindparam("start", type_=TIMESTAMP), "UTC"),
        _hour.hour < bindparam("end", type_=TIMESTAMP),
    )
    .group_by(_hour.workspace_id, _hour.model)
    .having(_count != literal_column("0"))
    .order_by(_hour.workspace_id, _count.desc(), _hour.model),
    ModelCountRow,
)
# Who folds the same hour at the same time leaves two rows of it, and the sum is the same.
_FOLD = Statement(
    text("""
    WITH loose AS (
        DELETE FROM model_hour WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM model_hour WHERE NOT folded LIMIT :most FOR UPDATE SKIP LOCKED
        )) RETURNING workspace_id, hour, model, feedback
    ), before AS (
        DELETE FROM model_hour AS kept
        USING (SELECT DISTINCT workspace_id, hour, model FROM loose) AS cell
        WHERE kept.workspace_id = cell.workspace_id AND kept.hour = cell.hour
            AND kept.model = cell.model AND kept.folded
        RETURNING kept.workspace_id, kept.hour, kept.model, kept.feedback
    ), folded AS (
        INSERT INTO model_hour (workspace_id, hour, model, feedback, folded)
        SELECT workspace_id, hour, model, sum(feedback), true
        FROM (SELECT * FROM loose UNION ALL SELECT * FROM before) AS part
        GROUP BY workspace_id, hour, model HAVING sum(feedback) <> 0
    )
    SELECT count(*) AS folded FROM loose"""),
    FoldedRow,
)


async def models(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], *, start: datetime, end: datetime
) -> list[ModelCountRow]:
    """Which models have scored how much of what was said in the hours of that time, of each workspace most first."""
    return await reader.fetch(_COUNTS, viewer=viewer, workspaces=workspaces, start=start, end=end)


async def fold_models(uow: UnitOfWork, *, most: int) -> int:
    """Fold at most so many changes of any workspaces; how many it were."""
    (row,) = await uow.fetch(_FOLD, most=most)
    return row.folded
