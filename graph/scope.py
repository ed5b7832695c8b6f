"""The scope of a shared execution in a workspace: the workspace, and what a role in it may see."""

from uuid import UUID

from domain import workspace
from graph.context import Context
from graph.streams import Scope


async def scope_of(context: Context, workspace_id: UUID) -> Scope:
    """The caller's scope in a workspace; NotFoundError to strangers."""
    role = workspace.require_role(await _role(context, workspace_id))

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
