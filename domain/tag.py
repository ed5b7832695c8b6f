"""Tags, and which feedback bears them."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from domain import audit, history, roles
from domain import feedback as feedback_
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.feedback import Feedback
from domain.roles import Action
from domain.viewer import Viewer
from persistence import feedback as feedback_store
from persistence import tag as store
from persistence.database import Columns, Reader, UniqueViolationError, UnitOfWork

Tag = store.TagRow

DEFAULT_COLOR = "#6b7280"
MOST_TAGS = 50
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


async def create(
    uow: UnitOfWork, viewer: Viewer, *, workspace_id: UUID, name: str, color: str | None
) -> Tag:
    """A new tag; ConflictError when the workspace has one of this name, in any case."""
    await workspaces.enter(uow, viewer, workspace_id, Action.TAG_FEEDBACK)
    checks = Checks()
    checks.text(name, "name", longest=60, required=True)
    if color is not None and _COLOR.fullmatch(color) is None:
        checks.refuse(["color"], "must be a colour like #1a2b3c")
    checks.done()
    try:
        row = await store.add(uow, workspace=workspace_id, name=name, color=color or DEFAULT_COLOR)
    except UniqueViolationError:
        raise ConflictError("This workspace has a tag of this name already.") from None
    await audit.record(uow, viewer, audit.Action.TAG_CREATED, workspace_id, row.id, after=row)
    return row


async def set_on_feedback(
    uow: UnitOfWork, viewer: Viewer, *, feedback_id: UUID, tag_ids: Sequence[UUID]
) -> Feedback:
    """Make these the feedback's only tags, and announce it if that changed anything."""
    checks = Checks()
    wanted = tuple(dict.fromkeys(tag_ids))
    if len(wanted) > MOST_TAGS:
        checks.refuse(["tagIds"], f"must be at most {MOST_TAGS} tags")
    checks.done()
    entered = await feedback_store.enter(uow, viewer.id, feedback_id)
    if entered is None:
        raise NotFoundError("There is no such feedback.")
    workspace_id, role = entered
    roles.require(role, Action.TAG_FEEDBACK)
    row = await feedback_store.lock(uow, workspace_id, feedback_id)
    if row is None:
        raise NotFoundError("There is no such feedback.")
    known = await store.in_workspace(uow, row.workspace_id, wanted)
    if len(known) < len(wanted):
        raise NotFoundError("There is no such tag in this workspace.")
    removed, added = await store.set_links(
        uow, workspace=workspace_id, feedback=row.id, tags=wanted
    )
    if removed or added:
        were = await store.in_workspace(uow, workspace_id, removed) if removed else []
        names = {tag.id: tag.name for tag in (*known, *were)}
        was, is_ = (sorted(names[id_] for id_ in ids) for ids in (removed, added))
        change = history.Change(row.id, "TAGS", was, is_)
        await history.record(uow, viewer, workspace_id, [change])
        feedback_.announce(uow, "UPDATED", row, wanted)
    return row


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Tag]:
    """The tags of all these workspaces, by name."""
    return await store.of_workspaces(reader, viewer.id, ids, columns=columns)


async def borne(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, Sequence[Tag]]:
    """The tags of each of these feedback, by name; one without tags is missing."""
    return await store.borne(reader, viewer.id, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Tag]:
    return await store.by_ids(reader, viewer.id, ids, columns=columns)
