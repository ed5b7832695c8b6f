"""What becomes another of a feedback, written down for the people who work on it."""

from collections.abc import Sequence
from uuid import UUID

from domain.viewer import Viewer
from persistence import feedback as store
from persistence.database import Reader, UnitOfWork

Change = store.Change
Changed = store.ChangeRow
MOST_CHANGES = store.MOST_CHANGES


async def record(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, changes: Sequence[Change]
) -> None:
    """Write down what the viewer has changed, in a workspace that was entered."""
    if changes:
        kind = "USER" if viewer.key is None else "API_KEY"
        await store.add_changes(uow, workspace, changes, actor_kind=kind, actor=viewer.id)


async def of_feedback(reader: Reader, viewer: Viewer, ids: Sequence[UUID]) -> list[Changed]:
    """What has changed of each of them, the latest first."""
    return await store.changes(reader, viewer.id, ids)
