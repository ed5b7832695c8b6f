"""Jobs: work in the background, with a row that tells how far it has come."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.viewer import Viewer
from persistence import job as store
from persistence.database import Columns, Reader

Job = store.JobRow


async def pages(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    columns: Columns | None = None,
) -> list[Job]:
    """The newest `limit` jobs older than `after` of each workspace, in the workspaces' order."""
    return await store.pages(
        reader, viewer.user_id, workspace_ids, limit=limit, after=after, columns=columns
    )


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Job]:
    return await store.by_ids(reader, viewer.user_id, ids, columns=columns)
