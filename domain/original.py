"""What was said before it was masked: shown to those who may see it, and that is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import audit, masker, roles
from domain.errors import NotFoundError
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import feedback as store
from persistence.database import Reader, UnitOfWork


@dataclass(frozen=True, slots=True)
class Original:
    """A feedback as it was sent; `metadata` is a JSON text."""

    body: str
    author_name: str | None
    author_email: str | None
    author_external_id: str | None
    metadata: str | None


async def reveal(uow: UnitOfWork, viewer: Viewer, feedback_id: UUID, seals: Seals) -> Original:
    """What was sent, for those who may see it; NotFoundError where nothing was masked, or for good."""
    viewer.require_person()
    entered = await store.enter(uow, viewer.id, feedback_id)
    row = None if entered is None else await store.lock(uow, entered[0], feedback_id)
    if entered is None or row is None:
        raise NotFoundError("There is no such feedback.")
    workspace, role = entered
    roles.require(role, Action.REVEAL_FEEDBACK)
    kept = (await store.originals(uow, workspace, [feedback_id])).get(feedback_id)
    if kept is None:
        raise NotFoundError("Nothing of this feedback was masked, or it was for good.")
    was = masker.opened(kept.source_id, kept.sealed, seals)
    await audit.record(uow, viewer, audit.Action.FEEDBACK_REVEALED, workspace, feedback_id)
    names = Original.__annotations__
    return Original(**{name: was.get(name, row[name]) for name in names})


async def known(
    reader: Reader, workspace: UUID, feedback: Sequence[UUID], seals: Seals
) -> dict[UUID, dict[str, Any]]:
    """What was masked of these feedback, as it was, of those of which it is kept: to hand out to their author."""
    kept = await store.originals(reader, workspace, feedback)
    return {id_: masker.opened(row.source_id, row.sealed, seals) for id_, row in kept.items()}
