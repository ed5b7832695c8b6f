"""What was said before personal data in it was masked, sealed, where the source says that it is to be had again."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Index, LargeBinary, Uuid, bindparam, column, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Field, SQLModel

from persistence.database import Reader, Record, Statement, UnitOfWork, one_of, table
from persistence.feedback.row import Feedback


class FeedbackOriginal(SQLModel, table=True):
    """What of a feedback was masked, as it was: sealed to its source. It goes with the feedback."""

    __tablename__ = "feedback_original"
    __table_args__ = (Index("feedback_original_source_id_idx", "source_id"),)

    feedback_id: UUID = Field(primary_key=True, foreign_key="feedback.id", ondelete="CASCADE")
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE")
    source_id: UUID
    sealed: bytes = Field(sa_type=LargeBinary)


class OriginalRow(Record):
    feedback_id: UUID
    source_id: UUID
    sealed: bytes


_feedback = table(Feedback).c
_original = table(FeedbackOriginal).c
_kept = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("sealed", type_=ARRAY(LargeBinary)))
    .table_valued(column("id", Uuid), column("sealed", LargeBinary), name="kept")
    .render_derived()
)
_keeping = upsert(table(FeedbackOriginal)).from_select(
    ["feedback_id", "workspace_id", "source_id", "sealed"],
    select(_feedback.id, _feedback.workspace_id, _feedback.source_id, _kept.c.sealed)
    .join_from(_kept, table(Feedback), _feedback.id == _kept.c.id)
    .where(_feedback.workspace_id == bindparam("workspace")),
)
_KEEP: Statement[Record] = Statement(
    _keeping.on_conflict_do_update(
        index_elements=["feedback_id"], set_={"sealed": _keeping.excluded.sealed}
    ),
    Record,
)
_OF = Statement(
    select(_original.feedback_id, _original.source_id, _original.sealed).where(
        one_of(_original.feedback_id, "ids"), _original.workspace_id == bindparam("workspace")
    ),
    OriginalRow,
)
_FORGET: Statement[Record] = Statement(
    delete(table(FeedbackOriginal)).where(
        one_of(_original.feedback_id, "ids"), _original.workspace_id == bindparam("workspace")
    ),
    Record,
)
_FORGET_OF_SOURCE: Statement[Record] = Statement(
    delete(table(FeedbackOriginal)).where(
        _original.source_id == bindparam("source"),
        _original.workspace_id == bindparam("workspace"),
    ),
    Record,
)


async def keep_originals(
    uow: UnitOfWork, workspace: UUID, sealed: Mapping[UUID, bytes | None]
) -> None:
    """Keep those of the feedback that there is in the entered workspace, in the place of what was kept of it."""
    kept = {id_: each for id_, each in sealed.items() if each is not None}
    if kept:
        await uow.execute(_KEEP, workspace=workspace, ids=list(kept), sealed=list(kept.values()))


async def originals(
    reader: Reader, workspace: UUID, feedback: Sequence[UUID]
) -> dict[UUID, OriginalRow]:
    """What is kept of these feedback of a workspace that the caller has entered, or may read."""
    rows = await reader.fetch(_OF, workspace=workspace, ids=feedback)
    return {row.feedback_id: row for row in rows}


async def forget_originals(uow: UnitOfWork, workspace: UUID, feedback: Sequence[UUID]) -> None:
    await uow.execute(_FORGET, workspace=workspace, ids=feedback)


async def forget_originals_of(uow: UnitOfWork, workspace: UUID, source: UUID) -> None:
    """The same for all that a source has brought."""
    await uow.execute(_FORGET_OF_SOURCE, workspace=workspace, source=source)
