"""Reading feedback: filters, orders, pages and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from persistence.database import (
    Columns,
    Reader,
    Record,
    Statement,
    one_of,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow, IdRow
from persistence.tag import FeedbackTag
from persistence.workspace import Member, visible


class CountRow(Record):
    workspace_id: UUID
    total: int


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
        if self is ALL:
            return {}
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in fields if value is not None}


ALL = Filter()
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
