"""The scope of a shared execution in a workspace: the workspace, and what a role in it may see."""

from uuid import UUID

from domain import workspace
from graph.context import Context
from graph.streams import Scope


async def scope_of(context: Context, workspace_id: UUID) -> Scope:
    """The caller's scope in a workspace; NotFoundError to strangers."""
    role = await _role(context, workspace_id)

    async def holds(other: Context) -> bool:
        async with other.reader() as reader:
            rows = await workspace.by_ids(reader, other.viewer, [workspace_id])
        return bool(rows) and rows[0].viewer_role == role

    return Scope(key=(workspace_id, role), holds=holds)


async def _role(context: Context, workspace_id: UUID) -> str:
    async with context.reader() as reader:
        return (await workspace.require(reader, context.viewer, workspace_id)).viewer_role
