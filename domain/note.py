"""Notes that people write on feedback, for each other: customers and partners never see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain import audit, roles
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.roles import Action
from domain.viewer import Viewer
from persistence import feedback as feedback_store
from persistence import note as store
from persistence.database import Columns, Reader, UnitOfWork

Note = store.NoteRow

LONGEST = 10_000
MOST_NOTES = 500


async def add(uow: UnitOfWork, viewer: Viewer, feedback_id: UUID, body: str) -> Note:
    """Write one; ConflictError where there are 500."""
    entered = await feedback_store.enter(uow, viewer.user_id, feedback_id)
    if entered is None:
        raise NotFoundError("There is no such feedback.")
    workspace, role = entered
    roles.require(role, Action.WRITE_NOTES)
    _check(body)
    # It cannot be erased while a note is written on it.
    if await feedback_store.lock(uow, workspace, feedback_id) is None:
        raise NotFoundError("There is no such feedback.")
    if await store.number(uow, workspace, feedback_id) >= MOST_NOTES:
        raise ConflictError(f"A feedback has at most {MOST_NOTES} notes.")
    return await store.add(
        uow, workspace=workspace, feedback=feedback_id, body=body, actor=viewer.user_id
    )


async def edit(uow: UnitOfWork, viewer: Viewer, note_id: UUID, body: str) -> Note:
    """Change its text: whoever has written it, and ADMINs."""
    note = await _lock(uow, viewer, note_id)
    _check(body)
    if note.body == body:
        return note
    await _record(uow, viewer, audit.Action.FEEDBACK_NOTE_EDITED, note)
    return await store.edit(uow, note.workspace_id, note_id, body)


async def remove(uow: UnitOfWork, viewer: Viewer, note_id: UUID) -> Note:
    """Take it away: whoever has written it, and ADMINs. Answers what was there."""
    note = await _lock(uow, viewer, note_id)
    await _record(uow, viewer, audit.Action.FEEDBACK_NOTE_DELETED, note)
    await store.remove(uow, note.workspace_id, note_id)
    return note


async def pages(
    reader: Reader,
    viewer: Viewer,
    feedback: Sequence[UUID],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    columns: Columns | None = None,
) -> list[Note]:
    """The newest `limit` notes that are older than `after`, of each of the feedback."""
    return await store.pages(
        reader, viewer.user_id, feedback, limit=limit, after=after, columns=columns
    )


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Note]:
    return await store.by_ids(reader, viewer.user_id, ids, columns=columns)


async def _lock(uow: UnitOfWork, viewer: Viewer, note_id: UUID) -> Note:
    """The note, if the viewer may change it, in its workspace that is entered then."""
    entered = await store.enter(uow, viewer.user_id, note_id)
    if entered is None:
        raise NotFoundError("There is no such note.")
    workspace, role = entered
    roles.require(role, Action.WRITE_NOTES)
    note = await store.lock(uow, workspace, note_id)
    if note is None:
        raise NotFoundError("There is no such note.")
    if note.actor_id != viewer.user_id:
        roles.require(role, Action.MANAGE_NOTES)
    return note


async def _record(uow: UnitOfWork, viewer: Viewer, what: audit.Action, note: Note) -> None:
    """A note of somebody else; what people do with their own is their own matter."""
    if note.actor_id != viewer.user_id:
        await audit.record(uow, viewer, what, note.workspace_id, note.id, before=note)


def _check(body: str) -> None:
    checks = Checks()
    checks.text(body, "body", longest=LONGEST, required=True)
    checks.done()
