"""The scope of a shared execution in a workspace: the workspace, and what a role in it, or a key's scopes, may see."""

from uuid import UUID

from domain import workspace
from domain.errors import UnauthenticatedError
from graph.context import Context
from graph.streams import Scope


async def scope_of(context: Context, workspace_id: UUID) -> Scope:
    """The caller's scope in a workspace; NotFoundError to strangers."""
    key = context.viewer.key
    role = workspace.require_role(await _role(context, workspace_id))
    if key is not None and key.role != role:
        # What the edge let pass it let pass for other scopes.
        raise UnauthenticatedError("The API key has changed. Try again.")

    async def holds(other: Context) -> bool:
        return await _role(other, workspace_id) == role

    return Scope(key=(workspace_id, role), holds=holds)


def open_scope(thing: UUID) -> Scope:
    """The scope of what is anybody's who knows its id."""

    async def holds(_: Context) -> bool:
        return True

    return Scope(key=(thing,), holds=holds)


async def _role(context: Context, workspace_id: UUID) -> str | None:
    return await context.services.memberships.role(context.viewer, workspace_id)
