"""Counting feedback by where it came from or by its tags: from the hours, or where they cannot tell, raw."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, any_, bindparam, literal_column, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import Columns, Reader, Statement, array_of, one_of, only, table
from persistence.feedback import Feedback, Filter, by_value, conditions
from persistence.source import Source
from persistence.stats.cell import DELTA, NO_ID, StatsHour
from persistence.stats.parts import (
    COUNTED_RAW,
    OF_FEEDBACK,
    VISIBLE,
    CountedRow,
    changes_of,
    counted,
    edges_of,
    hours_of,
    labels_of,
)
from persistence.stats.span import Asked
from persistence.tag import FeedbackTag, Tag
from persistence.workspace import visible


class Group(StrEnum):
    """What is counted apart. A feedback has one source, and as many tags as people gave it."""

    SOURCE = "source"
    TAG = "tag"


class GroupRow(CountedRow):
    """What is of one source or tag of one workspace."""

    group_id: UUID


_feedback = table(Feedback).c
# Under another name than conditions on tags have for it.
_borne = table(FeedbackTag).alias("borne").c
_hour = table(StatsHour).c
_delta = DELTA.c
# By the places of workspace_id and group_id in the select list.
_GROUPED: ColumnElement[Any] = literal_column("1, 2")


def _ids(of: Table) -> ColumnElement[Any]:
    """Looked up by each of them, the hours are as few as are added up."""
    return any_(array_of(select(of.c.id).where(of.c.workspace_id == any_(VISIBLE))))


_SOURCES = _ids(table(Source))
_TAGS = _ids(table(Tag))


def _place(by: Group) -> ColumnElement[Any]:
    return (_feedback.source_id if by is Group.SOURCE else _borne.tag_id).label("group_id")


def _bearing(by: Group, statement: Select[Any]) -> Select[Any]:
    return statement if by is Group.SOURCE else statement.where(_borne.feedback_id == _feedback.id)


@lru_cache(maxsize=256)
def _raw(
    by: Group, names: tuple[str, ...], *, bounded: bool, columns: Columns | None
) -> Statement[GroupRow]:
    """Counts every feedback by itself."""
    statement = _bearing(
        by, select(_feedback.workspace_id, _place(by), *only(columns, COUNTED_RAW, keys=()))
    ).where(
        one_of(_feedback.workspace_id, "workspaces"),
        visible(_feedback.workspace_id),
        _feedback.occurred_at >= bindparam("start"),
        *conditions(names),
    )
    if bounded:
        statement = statement.where(_feedback.occurred_at < bindparam("end"))
    return Statement(
        statement.group_by(_GROUPED), GroupRow, planned_by_value=by_value(names), lasting=True
    )


@lru_cache(maxsize=256)
def _by_hours(
    by: Group,
    names: tuple[str, ...],
    labels: tuple[str, ...],
    *,
    bounded: bool,
    head: bool,
    tail: bool,
    columns: Columns | None,
) -> Statement[GroupRow]:
    """Adds up whole hours, what changed in them, and what was said in the parts of an hour before and after."""
    if by is Group.SOURCE:
        tag: ColumnElement[Any] = bindparam("tag")
        hour_group, delta_group = _hour.source_id, _delta.source_id
        of_hours = [_hour.tag_id == tag, _hour.source_id == _SOURCES]
        of_changes = [_delta.tag_id == tag]
    else:
        hour_group, delta_group = _hour.tag_id, _delta.tag_id
        of_hours = [_hour.tag_id == _TAGS]
        if "source_ids" not in names:
            of_hours.append(_hour.source_id == NO_ID)
        of_changes = [_delta.tag_id == _TAGS]
    hours = hours_of(labels, hour_group.label("group_id"), names, bounded=bounded)
    changes = changes_of(delta_group.label("group_id"), names, bounded=bounded)
    edges = edges_of(_place(by), names, head=head, tail=tail)
    all_ = (
        union_all(
            hours.where(*of_hours),
            changes.where(*of_changes),
            *(_bearing(by, edge) for edge in edges),
        )
        .subquery("counted")
        .c
    )
    statement = select(
        all_.workspace_id,
        all_.group_id,
        *only(columns, counted({name: all_[name] for name in OF_FEEDBACK}), keys=()),
    ).group_by(_GROUPED)
    # Not knowing that an edge is short, Postgres would start parallel workers for it.
    return Statement(statement, GroupRow, planned_by_value=head or tail)


async def grouped(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    by: Group,
    *,
    start: datetime,
    end: datetime,
    where: Filter,
    columns: Columns | None = None,
) -> list[GroupRow]:
    """Counts for start <= occurred_at < end of every source or tag that has any, in no order."""
    asked = Asked.of(where, start, end)
    # The hours know a feedback by one of its tags, and not by two.
    if asked.span is None or (by is Group.TAG and where.tag_ids is not None):
        statement = _raw(by, asked.names, bounded=asked.is_bounded, columns=columns)
    else:
        statement = _by_hours(
            by,
            asked.names,
            labels_of(where),
            bounded=asked.is_bounded,
            head=asked.span.has_head,
            tail=asked.span.has_tail,
            columns=columns,
        )
    return await reader.fetch(statement, viewer=viewer, workspaces=workspaces, **asked.values)
