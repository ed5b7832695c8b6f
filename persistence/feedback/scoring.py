"""What waits for a score, or has one of another model, and storing scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Double,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    one_of,
    table,
)
from persistence.feedback.listing import Filter, by_value, conditions
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.workspace import Workspace, visible


class UnscoredRow(Record):
    id: UUID
    received_at: datetime
    body: str


class OverdueRow(Record):
    workspace_id: UUID


class OutdatedRow(Record):
    id: UUID
    occurred_at: datetime
    body: str
    sentiment_label: str | None


class TotalRow(Record):
    total: int


class SpansRow(Record):
    id: UUID
    spans: str | None  # JSON text


@dataclass(frozen=True, slots=True)
class Given:
    """What a model says of a feedback: a label with its score and spans (a JSON text), or why there is none.

    `digest` is the MD5 of the text that it is about; None for whatever stands there.
    """

    id: UUID
    digest: str | None = None
    label: str | None = None
    score: float | None = None
    confidence: float | None = None
    spans: str | None = None
    reason: str | None = None
    language: str | None = None


_feedback = table(Feedback).c
_workspace = table(Workspace).c
_UNSCORED = Statement(
    select(_feedback.id, _feedback.received_at, _feedback.body).where(
        one_of(_feedback.id, "ids"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_(None),
    ),
    UnscoredRow,
)
_OVERDUE = Statement(
    select(_workspace.id.label("workspace_id")).where(
        exists().where(
            _feedback.workspace_id == _workspace.id,
            _feedback.scored_at.is_(None),
            _feedback.received_at < bindparam("before"),
        )
    ),
    OverdueRow,
)
_oldest = (
    select(_feedback.id, _feedback.received_at, _feedback.body)
    .where(_feedback.workspace_id == bindparam("workspace"), _feedback.scored_at.is_(None))
    .order_by(_feedback.received_at, _feedback.id)
    .limit(bindparam("most"))
)
_OLDEST = Statement(_oldest, UnscoredRow)
_NEXT_OLDEST = Statement(
    _oldest.where(
        tuple_(_feedback.received_at, _feedback.id)
        > tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
    ),
    UnscoredRow,
)
_scores = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("digests", type_=ARRAY(Text)),
        bindparam("labels", type_=ARRAY(Text)),
        bindparam("scores", type_=ARRAY(Double)),
        bindparam("confidences", type_=ARRAY(Double)),
        bindparam("spans", type_=ARRAY(Text)),
        bindparam("reasons", type_=ARRAY(Text)),
        bindparam("languages", type_=ARRAY(Text)),
    )
    .table_valued(
        column("id", Uuid),
        column("digest", Text),
        column("label", Text),
        column("score", Double),
        column("confidence", Double),
        column("spans", Text),
        column("reason", Text),
        column("language", Text),
        name="given",
    )
    .render_derived()
)
_scoring = (
    update(table(Feedback))
    .where(
        _feedback.id == _scores.c.id,
        _feedback.workspace_id == bindparam("workspace"),
        # Of another text than was scored it would say nothing.
        func.md5(_feedback.body) == func.coalesce(_scores.c.digest, func.md5(_feedback.body)),
    )
    .values(
        sentiment_label=_scores.c.label,
        sentiment_score=_scores.c.score,
        sentiment_confidence=_scores.c.confidence,
        sentiment_spans=sql_cast(_scores.c.spans, JSONB),
        sentiment_model=bindparam("model"),
        unscored_reason=_scores.c.reason,
        # What the source has said goes before what was found out.
        language=func.coalesce(_feedback.language, _scores.c.language),
        scored_at=bindparam("now"),
    )
    .returning(*COLUMNS)
)
# By another model, or before there were spans.
_is_outdated = or_(
    _feedback.sentiment_model.is_distinct_from(bindparam("model")),
    and_(_feedback.sentiment_label.is_not(None), _feedback.sentiment_spans.is_(None)),
)
_SCORE = Statement(_scoring.where(_feedback.scored_at.is_(None)), FeedbackRow)
_RESCORE = Statement(
    _scoring.where(_feedback.scored_at.is_not(None), _is_outdated),
    FeedbackRow,
)
_SPANS = Statement(
    select(_feedback.id, sql_cast(_feedback.sentiment_spans, Text).label("spans")).where(
        one_of(_feedback.id, "ids"), visible(_feedback.workspace_id)
    ),
    SpansRow,
)


def _other_model(names: Sequence[str]) -> Any:
    """What passes the filter and another model has looked at."""
    return and_(
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_not(None),
        _is_outdated,
        *conditions(names),
    )


@lru_cache(maxsize=64)
def _outdated(names: tuple[str, ...], *, continued: bool) -> Statement[OutdatedRow]:
    statement = (
        select(_feedback.id, _feedback.occurred_at, _feedback.body, _feedback.sentiment_label)
        .where(_other_model(names))
        .order_by(_feedback.occurred_at, _feedback.id)
        .limit(bindparam("most"))
    )
    if continued:
        statement = statement.where(
            tuple_(_feedback.occurred_at, _feedback.id)
            > tuple_(bindparam("after_time", type_=TIMESTAMP), bindparam("after_id", type_=Uuid))
        )
    return Statement(statement, OutdatedRow, planned_by_value=by_value(names), lasting=True)


@lru_cache(maxsize=64)
def _count_outdated(names: tuple[str, ...]) -> Statement[TotalRow]:
    return Statement(
        select(func.count().label("total")).where(_other_model(names)),
        TotalRow,
        planned_by_value=by_value(names),
        lasting=True,
    )


async def unscored(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> list[UnscoredRow]:
    """Those of the workspace's feedback that no model has looked at."""
    return await reader.fetch(_UNSCORED, workspace=workspace, ids=ids)


async def overdue(reader: Reader, before: datetime) -> list[UUID]:
    """The workspaces with feedback that was received before then and that no model has looked at."""
    return [row.workspace_id for row in await reader.fetch(_OVERDUE, before=before)]


async def oldest_unscored(
    reader: Reader, workspace: UUID, *, after: tuple[datetime, UUID] | None, most: int
) -> list[UnscoredRow]:
    """The oldest of the workspace's feedback that no model has looked at, after this one."""
    if after is None:
        return await reader.fetch(_OLDEST, workspace=workspace, most=most)
    time, id_ = after
    return await reader.fetch(
        _NEXT_OLDEST, workspace=workspace, after_time=time, after_id=id_, most=most
    )


async def score(
    uow: UnitOfWork, workspace: UUID, given: Sequence[Given], *, model: str
) -> list[FeedbackRow]:
    """Store scores where there are none yet; answers the rows that were scored now."""
    return await uow.fetch(_SCORE, workspace=workspace, model=model, now=uow.now, **_arrays(given))


async def rescore(
    uow: UnitOfWork, workspace: UUID, given: Sequence[Given], *, model: str
) -> list[FeedbackRow]:
    """Store scores in the place of another model's; answers the rows that were scored now."""
    return await uow.fetch(
        _RESCORE, workspace=workspace, model=model, now=uow.now, **_arrays(given)
    )


async def outdated(
    reader: Reader,
    workspace: UUID,
    model: str,
    where: Filter,
    *,
    after: tuple[datetime, UUID] | None,
    most: int,
) -> list[OutdatedRow]:
    """What another model has looked at, of what passes the filter, the oldest first, after this one."""
    values = where.values()
    place = {} if after is None else {"after_time": after[0], "after_id": after[1]}
    statement = _outdated(tuple(values), continued=after is not None)
    return await reader.fetch(
        statement, workspace=workspace, model=model, most=most, **place, **values
    )


async def count_outdated(reader: Reader, workspace: UUID, model: str, where: Filter) -> int:
    """How much that is."""
    values = where.values()
    (row,) = await reader.fetch(
        _count_outdated(tuple(values)), workspace=workspace, model=model, **values
    )
    return row.total


async def spans(reader: Reader, viewer: UUID, ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """The spans of these feedback, as JSON texts."""
    rows = await reader.fetch(_SPANS, viewer=viewer, ids=ids)
    return {row.id: row.spans for row in rows}


def _arrays(given: Sequence[Given]) -> dict[str, list[Any]]:
    return {
        "ids": [each.id for each in given],
        "digests": [each.digest for each in given],
        "labels": [each.label for each in given],
        "scores": [each.score for each in given],
        "confidences": [each.confidence for each in given],
        "spans": [each.spans for each in given],
        "reasons": [each.reason for each in given],
        "languages": [each.language for each in given],
    }
