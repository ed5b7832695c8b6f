"""Deleting an account, and the workspaces that it leaves without anybody."""

from datetime import timedelta
from uuid import UUID

from domain import audit, job
from domain.account.confirming import confirmed, lock_confirmed_to_delete
from domain.account.session import revoke_all
from domain.errors import ConflictError
from domain.events import INSTANCE, MemberChanged
from domain.job import Kind, Priority
from domain.viewer import Viewer
from persistence import account as store
from persistence import leaving as leaving_store
from persistence.database import Database, UnitOfWork

DELETE_WORKSPACE = Kind(
    "delete_workspace", priority=Priority.BULK, timeout=timedelta(hours=1), most_failures=20
)
_AT_ONCE = 2_000


async def delete(database: Database, viewer: Viewer, *, password: str) -> list[UUID]:
    """Delete the caller's account at once, and soon the workspaces where nobody else is; answers their sessions.

    ConflictError while the caller is the only owner of a workspace where others are.
    """
    user = await confirmed(database, viewer, password)
    async with database.transaction() as uow:
        await lock_confirmed_to_delete(uow, user)
        places = await leaving_store.lock_places(uow, user.id)
        needed = [place.name for place in places if place.others and not place.other_owners]
        if needed:
            raise ConflictError(
                f"Others are left without an owner in {', '.join(sorted(needed))}: make somebody else an OWNER first."
            )
        for place in places:
            event = MemberChanged(place.workspace_id, user.id)
            uow.emit(INSTANCE, event.kind, event.to_json())
            if place.others:
                await uow.enter(place.workspace_id)
                await audit.record(
                    uow, viewer, audit.Action.MEMBER_LEFT, place.workspace_id, place.member_id
                )
            else:
                await job.enqueue(
                    uow,
                    DELETE_WORKSPACE,
                    workspace=None,
                    arguments={"workspace": place.workspace_id.hex},
                )
        revoked = await revoke_all(uow, user.id)
        await store.scrub_sessions(uow, user.id)
        await store.delete_user(uow, user.id)
    return revoked


async def delete_some(uow: UnitOfWork, workspace: UUID) -> bool:
    """Delete a part of a workspace where nobody is left; whether that was the last of it."""
    await uow.enter(workspace)
    if not await leaving_store.is_left(uow, workspace):
        return True
    if await leaving_store.delete_some_feedback(uow, workspace, most=_AT_ONCE):
        return False
    await leaving_store.delete_workspace(uow, workspace)
    return True
