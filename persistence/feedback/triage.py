"""Many feedback changed at once: their status, their assignee and their tags."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.elements import ColumnElement

from persistence import spelling
from persistence.account import User
from persistence.database import (
    Reader,
    Record,
    Statement,
    UnitOfWork,
    array_of,
    enter_workspace,
    one_of,
    table,
)
from persistence.feedback.intake import EnteredRow
from persistence.feedback.row import COLUMNS, Feedback, FeedbackRow
from persistence.spelling import Outline
from persistence.tag import FeedbackTag, LinkRow, Tag
from persistence.workspace import Member, visible


class AssigneeRow(Record):
    """A member whom feedback is assigned to."""

    id: UUID
    user_id: UUID
    name: str


_feedback = table(Feedback).c
_link = table(FeedbackTag).c
_member = table(Member).c
_tag = table(Tag).c
_user = table(User).c
_in_workspace = _feedback.workspace_id == bindparam("workspace")

_ENTER_MANY = Statement(
    select(
        _feedback.workspace_id,
        func.min(_member.role).label("role"),
        enter_workspace(_feedback.workspace_id),
    )
    .join_from(table(Feedback), table(Member), _member.workspace_id == _feedback.workspace_id)
    .where(one_of(_feedback.id, "ids"), _member.principal_id == bindparam("viewer"))
    .group_by(_feedback.workspace_id),
    EnteredRow,
)
# In one order for all, so that nobody waits for whoever waits for them.
_LOCK_MANY = Statement(
    select(*COLUMNS)
    .where(one_of(_feedback.id, "ids"), _in_workspace)
    .order_by(_feedback.id)
    .with_for_update(),
    FeedbackRow,
)
_status = func.coalesce(bindparam("status_", type_=Text), _feedback.status)
_assignee = case(
    (bindparam("assigns", type_=Boolean), bindparam("assignee", type_=Uuid)),
    else_=_feedback.assignee_id,
)
_CHANGE_MANY = Statement(
    update(table(Feedback))
    .where(
        one_of(_feedback.id, "ids"),
        _in_workspace,
        or_(
            _feedback.status.is_distinct_from(_status),
            _feedback.assignee_id.is_distinct_from(_assignee),
        ),
    )
    .values(status=_status, assignee_id=_assignee)
    .returning(*COLUMNS),
    FeedbackRow,
)
_LINK_MANY = Statement(
    upsert(table(FeedbackTag))
    .from_select(
        ["feedback_id", "tag_id", "workspace_id"],
        select(_feedback.id, _tag.id, _tag.workspace_id).where(
            one_of(_feedback.id, "ids"),
            _in_workspace,
            one_of(_tag.id, "tags"),
            _tag.workspace_id == _feedback.workspace_id,
        ),
    )
    .on_conflict_do_nothing()
    .returning(_link.feedback_id, _link.tag_id),
    LinkRow,
)
_UNLINK_MANY = Statement(
    delete(table(FeedbackTag))
    .where(
        one_of(_link.feedback_id, "ids"),
        one_of(_link.tag_id, "tags"),
        _link.workspace_id == bindparam("workspace"),
    )
    .returning(_link.feedback_id, _link.tag_id),
    LinkRow,
)
_assignees = select(_member.id, _member.user_id, _user.name).join_from(
    table(Member), table(User), _user.id == _member.user_id
)
_ASSIGNEES = Statement(
    _assignees.where(one_of(_member.id, "ids"), visible(_member.workspace_id)),
    AssigneeRow,
    keys=("id",),
)
_MEMBERS_OF = Statement(
    _assignees.where(
        one_of(_member.id, "ids"), _member.workspace_id == bindparam("workspace")
    ).with_for_update(read=True, key_share=True, of=table(Member)),
    AssigneeRow,
)


async def enter_many(uow: UnitOfWork, viewer: UUID, ids: Sequence[UUID]) -> list[EnteredRow]:
    """The workspaces of those of the feedback that the viewer may see, and the viewer's role there.

    If it is one, this transaction may write its rows then.
    """
    return await uow.fetch(_ENTER_MANY, viewer=viewer, ids=ids)


async def lock_many(uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID]) -> list[FeedbackRow]:
    """Those that there are, as they are now; a second writer of them waits until this transaction ends."""
    return await uow.fetch(_LOCK_MANY, workspace=workspace, ids=ids)


async def change_many(
    uow: UnitOfWork,
    workspace: UUID,
    ids: Sequence[UUID],
    *,
    status: str | None,
    assigns: bool,
    assignee: UUID | None,
) -> list[FeedbackRow]:
    """Set the status, unless it is None, and the assignee, if that is to be set; answers what became another."""
    return await uow.fetch(
        _CHANGE_MANY,
        workspace=workspace,
        ids=ids,
        status_=status,
        assigns=assigns,
        assignee=assignee,
    )


async def link_many(
    uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], tags: Sequence[UUID]
) -> list[LinkRow]:
    """Give all of them these tags; answers what is new."""
    return await uow.fetch(_LINK_MANY, workspace=workspace, ids=ids, tags=tags)


async def unlink_many(
    uow: UnitOfWork, workspace: UUID, ids: Sequence[UUID], tags: Sequence[UUID]
) -> list[LinkRow]:
    """Take these tags away from all of them; answers what was there."""
    return await uow.fetch(_UNLINK_MANY, workspace=workspace, ids=ids, tags=tags)


async def assignees(reader: Reader, viewer: UUID, ids: Sequence[UUID]) -> dict[UUID, AssigneeRow]:
    """Who they are, of those memberships that are in the viewer's workspaces."""
    return {row.id: row for row in await reader.fetch(_ASSIGNEES, viewer=viewer, ids=ids)}


_KNOWN = frozenset(_assignees.selected_columns.keys())


def is_writable(outline: Outline) -> bool:
    """Whether assignees can be written by it."""
    return spelling.written(outline, _KNOWN) is not None


def nested_written(ids: Select[Any], outline: Outline) -> ColumnElement[Any]:
    """Those whose ids another statement selects, as pairs: the id, as bytes, and the assignee as JSON."""
    those = _assignees.where(_member.id == any_(array_of(ids)), visible(_member.workspace_id))
    return spelling.nested(those, outline, func.uuid_send(_member.id))


async def members_of(
    reader: Reader, workspace: UUID, ids: Sequence[UUID]
) -> dict[UUID, AssigneeRow]:
    """The same of one workspace that the caller has entered; none of them leaves until this transaction ends."""
    return {row.id: row for row in await reader.fetch(_MEMBERS_OF, workspace=workspace, ids=ids)}
