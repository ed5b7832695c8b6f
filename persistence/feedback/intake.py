"""Storing feedback, once, and entering its workspace to change it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Text,
    bindparam,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from persistence.database import (
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    table,
)
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.workspace import Member


class EnteredRow(Record):
    workspace_id: UUID
    role: str


_feedback = table(Feedback).c
_member = table(Member).c
_ADD = Statement(
    upsert(table(Feedback))
    .values(
        **given("id", "external_id", "author_name", "author_email", "author_external_id"),
        **given("body", "rating", "occurred_at", workspace_id="workspace", source_id="source"),
        metadata=sql_cast(bindparam("metadata", type_=Text), JSONB),
        received_at=bindparam("now"),
    )
    .on_conflict_do_nothing(
        index_elements=["source_id", "external_id"], index_where=_feedback.external_id.is_not(None)
    )
    .returning(*COLUMNS),
    FeedbackRow,
)
_BY_EXTERNAL_ID = Statement(
    select(*COLUMNS).where(
        _feedback.source_id == bindparam("source"),
        _feedback.workspace_id == bindparam("workspace"),
        _feedback.external_id == bindparam("external_id"),
    ),
    FeedbackRow,
)
_ENTER = Statement(
    select(_feedback.workspace_id, _member.role, enter_workspace(_feedback.workspace_id))
    .join_from(table(Feedback), table(Member), _member.workspace_id == _feedback.workspace_id)
    .where(_feedback.id == bindparam("id"), _member.user_id == bindparam("viewer")),
    EnteredRow,
)


# Row-level security hides a row from FOR UPDATE until its workspace is entered, hence a statement of its own.
_LOCK = Statement(
    select(*COLUMNS)
    .where(_feedback.id == bindparam("id"), _feedback.workspace_id == bindparam("workspace"))
    .with_for_update(),
    FeedbackRow,
)


async def add(
    uow: UnitOfWork,
    *,
    id: UUID,
    workspace: UUID,
    source: UUID,
    external_id: str | None,
    author_name: str | None,
    author_email: str | None,
    author_external_id: str | None,
    body: str,
    rating: int | None,
    metadata: str | None,
    occurred_at: datetime,
) -> FeedbackRow | None:
    """Insert one message; None when the source already sent one with this external id."""
    return await uow.first(
        _ADD,
        id=id,
        workspace=workspace,
        source=source,
        external_id=external_id,
        author_name=author_name,
        author_email=author_email,
        author_external_id=author_external_id,
        body=body,
        rating=rating,
        metadata=metadata,
        occurred_at=occurred_at,
        now=uow.now,
    )


async def by_external_id(
    reader: Reader, workspace: UUID, source: UUID, external_id: str
) -> FeedbackRow | None:
    """What the source sent under its own id, in a workspace that the caller has entered."""
    return await reader.first(
        _BY_EXTERNAL_ID, workspace=workspace, source=source, external_id=external_id
    )


async def enter(uow: UnitOfWork, viewer: UUID, feedback: UUID) -> tuple[UUID, str] | None:
    """The feedback's workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=feedback)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, feedback: UUID) -> FeedbackRow | None:
    """The feedback as it is now; a second writer of it waits until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=feedback)
