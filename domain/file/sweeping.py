"""Taking away files that were never completed, rejected or not used in time, and objects that are nobody's."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.file.uploading import FILES
from domain.file.using import AVATARS
from domain.job import Kind, Priority
from persistence import file as store
from persistence.database import Database
from persistence.objects import Objects

PREFIXES = (FILES, AVATARS)
SWEEP_FILES = Kind("sweep_files", priority=Priority.BULK, timeout=timedelta(minutes=30))
SWEEP_BUCKET = Kind("sweep_bucket", priority=Priority.BULK, timeout=timedelta(hours=6))
_ABANDONED = timedelta(days=1)
_MOST_SWEPT = 500


async def sweep(database: Database, objects: Objects, now: datetime) -> int:
    """Take away what was never completed, rejected, or not used in time; answers how many files. It bears repetition.

    The rows go first: an object without a row is found by `sweep_page`, a row without its object would be a lie.
    """
    swept = 0
    while True:
        async with database.reader() as reader:
            expired = await store.expired(reader, now, limit=_MOST_SWEPT)
        by_workspace: dict[UUID, list[UUID]] = {}
        for row in expired:
            by_workspace.setdefault(row.workspace_id, []).append(row.id)
        for workspace, ids in by_workspace.items():
            async with database.transaction() as uow:
                await uow.enter(workspace)
                removed = await store.remove(uow, workspace, ids, now)
            for gone in removed:
                if gone.upload is not None and gone.status == "PENDING":
                    await objects.drop_parts(gone.key, gone.upload)
            await objects.delete([gone.key for gone in removed])
            swept += len(removed)
        if len(expired) < _MOST_SWEPT:
            return swept


async def sweep_page(
    database: Database, objects: Objects, prefix: str, *, after: str, now: datetime
) -> str | None:
    """Delete those of the next thousand objects that are nobody's; answers the last key, None when there is no more.

    What is younger than a day is left alone: its row may be about to come.
    """
    page = await objects.listed(prefix, after=after)
    if not page:
        return None
    old = [each.key for each in page if each.changed_at < now - _ABANDONED]
    async with database.reader() as reader:
        known = await store.known(reader, old)
    await objects.delete([key for key in old if key not in known])
    return page[-1].key


async def sweep_parts(objects: Objects, now: datetime) -> None:
    """Give up uploads in parts whose URLs have long expired."""
    for begun in await objects.begun(FILES):
        if begun.begun_at < now - _ABANDONED:
            await objects.drop_parts(begun.key, begun.upload)
