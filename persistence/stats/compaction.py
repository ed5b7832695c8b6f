"""Folding the changes of the counts into the hours that they change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    and_,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import Record, Statement, UnitOfWork, array_of, table
from persistence.stats.cell import DELTA, EVERY, KEY, LABELS, MEASURES, StatsHour, is_labelled


class FoldedRow(Record):
    """How many changes were folded, and the keys of the cells that nothing is left in, column by column."""

    folded: int
    workspace_id: list[UUID] | None
    tag_id: list[UUID] | None
    hour: list[datetime] | None
    source_id: list[UUID] | None


_hour = table(StatsHour).c
_ZERO: ColumnElement[int] = literal_column("0")
_ctid: ColumnElement[object] = literal_column("stats_delta.ctid")
_some = (
    select(_ctid)
    .select_from(DELTA)
    .limit(bindparam("most", type_=BigInteger))
    .with_for_update(skip_locked=True)
)
_taken = delete(DELTA).where(_ctid == any_(array_of(_some))).returning(*DELTA.c).cte("taken")


def _sum(measure: str) -> ColumnElement[int]:
    """What the changes come to in a measure of the hours: `negative`, or `negative_score` and the like."""
    label, _, what = measure.partition("_")
    assert label in LABELS  # noqa: S101 - the measures are named so
    changed = func.sum(_taken.c[what or "feedback"]).filter(is_labelled(_taken.c.label, label))
    return sql_cast(func.coalesce(changed, _ZERO), _hour[measure].type)


_sums = {measure: _sum(measure) for measure in MEASURES}
_source = func.coalesce(_taken.c.source_id, literal_column(f"'{EVERY}'::uuid"))
_keys = [_taken.c.workspace_id, _taken.c.tag_id, _source, _taken.c.hour]
_of_every_source = (_taken.c.workspace_id, _taken.c.tag_id, _taken.c.hour)
_net = (
    select(*_keys, *(total.label(measure) for measure, total in _sums.items()))
    .group_by(
        func.grouping_sets(tuple_(*_of_every_source, _taken.c.source_id), tuple_(*_of_every_source))
    )
    .having(or_(*(total != _ZERO for total in _sums.values())))
    # Two that fold at once wait for each other's cells in the same order.
    .order_by(*_keys)
)
_folding = insert(table(StatsHour)).from_select([*KEY, *MEASURES], _net)
_folded = (
    _folding.on_conflict_do_update(
        index_elements=KEY,
        set_={name: _hour[name] + _folding.excluded[name] for name in MEASURES},
    )
    .returning(
        *(_hour[name] for name in KEY),
        and_(*(_hour[name] == _ZERO for name in MEASURES)).label("is_empty"),
    )
    .cte("folded")
)
_FOLD = Statement(
    select(
        select(func.count()).select_from(_taken).scalar_subquery().label("folded"),
        *(func.array_agg(_folded.c[name]).label(name) for name in KEY),
    ).where(_folded.c.is_empty),
    FoldedRow,
)
_empty = (
    func.unnest(
        *(bindparam(name, type_=ARRAY(_hour[name].type)) for name in KEY),
    )
    .table_valued(*(column(name, _hour[name].type) for name in KEY), name="empty")
    .render_derived()
)
_REMOVE = Statement(
    delete(table(StatsHour)).where(and_(*(_hour[name] == _empty.c[name] for name in KEY))), Record
)


async def compact(uow: UnitOfWork, *, most: int) -> int:
    """Fold changes of any workspaces, at most so many, leaving out what somebody else is folding; how many it were.

    The hours that come to nothing are taken away: their rows are still locked by this transaction.
    """
    (row,) = await uow.fetch(_FOLD, most=most)
    if row.workspace_id is not None:
        await uow.execute(_REMOVE, **{name: row[name] for name in KEY})
    return row.folded
