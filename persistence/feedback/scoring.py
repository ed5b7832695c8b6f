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
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from persistence.database import (
    Reader,
    Record,
    Statement,
    UnitOfWork,
    one_of,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow


class UnscoredRow(Record):
    id: UUID
    workspace_id: UUID
    body: str


_feedback = table(Feedback).c
_UNSCORED = Statement(
    select(_feedback.id, _feedback.workspace_id, _feedback.body).where(
        one_of(_feedback.id, "ids"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.scored_at.is_(None),
    ),
    UnscoredRow,
)
_OVERDUE = Statement(
    select(_feedback.id, _feedback.workspace_id, literal_column("''").label("body"))
    .where(_feedback.scored_at.is_(None), _feedback.received_at < bindparam("before"))
    .order_by(_feedback.received_at)
    .limit(literal_column("2048")),
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


async def overdue(reader: Reader, before: datetime) -> list[UnscoredRow]:
    """The oldest feedback of all workspaces that should have been scored by now, without bodies."""
    return await reader.fetch(_OVERDUE, before=before)


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
