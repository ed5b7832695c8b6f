"""What a report on feedback says beside its statistics: when it was said, where it came from, how it is tagged."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import Reader, Record, Statement, table
from persistence.feedback import Feedback, Filter, by_value, conditions
from persistence.source import Source
from persistence.tag import FeedbackTag, Tag
from persistence.workspace import visible


class SpanRow(Record):
    """When the first and the last feedback occurred; None where there is none."""

    first: datetime | None
    last: datetime | None


class PartRow(Record):
    """How much feedback a source has brought, or a tag is on."""

    name: str
    total: int
    negative: int
    neutral: int
    positive: int


_feedback = table(Feedback).c
_source = table(Source).c
_tag = table(Tag).c
# A filter by tags has its own.
_links = table(FeedbackTag).alias("borne")
_total = func.count().label("total")


def _labelled(label: str) -> ColumnElement[int]:
    number = func.count().filter(_feedback.sentiment_label == literal_column(f"'{label.upper()}'"))
    return number.label(label)


_COUNTS = (_total, *map(_labelled, ("negative", "neutral", "positive")))


def _passing(statement: Select[Any], names: tuple[str, ...]) -> Select[Any]:
    return statement.where(
        _feedback.workspace_id == bindparam("workspace"),
        visible(_feedback.workspace_id),
        *conditions(names),
    )


@lru_cache(maxsize=64)
def _span(names: tuple[str, ...]) -> Statement[SpanRow]:
    occurred = _feedback.occurred_at
    span = select(func.min(occurred).label("first"), func.max(occurred).label("last"))
    return Statement(_passing(span, names), SpanRow, planned_by_value=by_value(names))


@lru_cache(maxsize=64)
def _by_source(names: tuple[str, ...]) -> Statement[PartRow]:
    parts = (
        select(_source.name, *_COUNTS)
        .join_from(table(Feedback), table(Source), _source.id == _feedback.source_id)
        .group_by(_source.id, _source.name)
        .order_by(_total.desc(), _source.name, _source.id)
        .limit(bindparam("limit"))
    )
    return Statement(_passing(parts, names), PartRow, planned_by_value=by_value(names))


@lru_cache(maxsize=64)
def _by_tag(names: tuple[str, ...]) -> Statement[PartRow]:
    parts = (
        select(_tag.name, *_COUNTS)
        .join_from(table(Feedback), _links, _links.c.feedback_id == _feedback.id)
        .join(table(Tag), _tag.id == _links.c.tag_id)
        .group_by(_tag.id, _tag.name)
        .order_by(_total.desc(), _tag.name, _tag.id)
        .limit(bindparam("limit"))
    )
    return Statement(_passing(parts, names), PartRow, planned_by_value=by_value(names))


async def span(reader: Reader, viewer: UUID, workspace: UUID, where: Filter) -> SpanRow:
    """When what passes the filter occurred."""
    values = where.values()
    (row,) = await reader.fetch(_span(tuple(values)), viewer=viewer, workspace=workspace, **values)
    return row


async def by_source(
    reader: Reader, viewer: UUID, workspace: UUID, where: Filter, *, limit: int
) -> list[PartRow]:
    """The sources that have brought most of what passes the filter."""
    values = where.values()
    return await reader.fetch(
        _by_source(tuple(values)), viewer=viewer, workspace=workspace, limit=limit, **values
    )


async def by_tag(
    reader: Reader, viewer: UUID, workspace: UUID, where: Filter, *, limit: int
) -> list[PartRow]:
    """The tags that are on most of what passes the filter."""
    values = where.values()
    return await reader.fetch(
        _by_tag(tuple(values)), viewer=viewer, workspace=workspace, limit=limit, **values
    )
