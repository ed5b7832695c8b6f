"""What waits for a score, and storing scores."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Double,
    Text,
    Uuid,
    bindparam,
    column,
    exists,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from persistence.database import (
    TIMESTAMP,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    one_of,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.workspace import Workspace


class UnscoredRow(Record):
    id: UUID
    received_at: datetime
    body: str


class OverdueRow(Record):
    workspace_id: UUID


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
        bindparam("labels", type_=ARRAY(Text)),
        bindparam("scores", type_=ARRAY(Double)),
        bindparam("confidences", type_=ARRAY(Double)),
    )
    .table_valued(
        column("id", Uuid),
        column("label", Text),
        column("score", Double),
        column("confidence", Double),
        name="given",
    )
    .render_derived()
)
_SCORE = Statement(
    update(table(Feedback))
    .where(
        _feedback.id == _scores.c.id,
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_(None),
    )
    .values(
        sentiment_label=_scores.c.label,
        sentiment_score=_scores.c.score,
        sentiment_confidence=_scores.c.confidence,
        sentiment_model=bindparam("model"),
        scored_at=bindparam("now"),
    )
    .returning(*COLUMNS),
    FeedbackRow,
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
    uow: UnitOfWork,
    workspace: UUID,
    *,
    ids: Sequence[UUID],
    labels: Sequence[str | None],
    scores: Sequence[float | None],
    confidences: Sequence[float | None],
    model: str,
) -> list[FeedbackRow]:
    """Store scores where there are none yet; answers the rows that were scored now."""
    return await uow.fetch(
        _SCORE,
        workspace=workspace,
        ids=ids,
        labels=labels,
        scores=scores,
        confidences=confidences,
        model=model,
        now=uow.now,
    )
