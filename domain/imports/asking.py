"""Asking for an import, and for its undoing."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from domain import audit, ids, job, roles
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.file import File, Purpose
from domain.imports import columns
from domain.imports.fetching import sample
from domain.imports.layout import detect
from domain.job import Job, Kind, Once, Priority
from domain.roles import Action
from domain.viewer import Viewer
from persistence import file as file_store
from persistence import imports as store
from persistence import job as job_store
from persistence import source as source_store
from persistence.database import Database, UnitOfWork, new_id
from persistence.objects import Objects

IMPORT = Kind("import", priority=Priority.BULK, timeout=timedelta(hours=12))
UNDO = Kind("undo_import", priority=Priority.BULK, timeout=timedelta(hours=12))
# So long after it was asked for an import may still be taken up again.
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class StartImport:
    file_id: UUID
    source_id: UUID | None = None
    columns: Any = None


async def start(database: Database, objects: Objects, viewer: Viewer, command: StartImport) -> Job:
    """Ask for an import of a file; while that waits or runs, who asks again gets it again.

    What its beginning shows to be wrong is refused at once. Without a source its rows are of the workspace's source
    for imports.
    """
    said = columns.check(command.columns)
    if command.source_id is not None:
        said = _of_one_source(said)
    async with database.transaction() as uow:
        row = await admit(uow, viewer, command.file_id, command.source_id)
    with tempfile.TemporaryDirectory(prefix="earful-import-") as directory:
        path = Path(directory) / "sample"
        if await sample(objects, row, path):
            await asyncio.to_thread(_check, path, said)
    async with database.transaction() as uow:
        row = await admit(uow, viewer, command.file_id, command.source_id)
        await store.lock_workspace(uow, row.workspace_id)
        there_is = command.source_id or await store.default_source(uow, row.workspace_id)
        source = there_is or new_id()
        key = f"{source.hex}.{row.id.hex}"
        found = await store.active(uow, row.workspace_id, IMPORT.name, key)
        if found is not None:
            return found
        await file_store.expire(uow, row.workspace_id, row.id, uow.now + _KEPT)
        asked = await job.enqueue(
            uow,
            IMPORT,
            workspace=row.workspace_id,
            arguments={"file": row.id.hex, "source": source.hex, "columns": said},
            once=Once(key),
            created_by=viewer.id if viewer.key is None else None,
        )
        if there_is is None:
            await source_store.add(
                uow,
                source=source,
                workspace=row.workspace_id,
                name="Import",
                kind="IMPORT",
                provider="STANDARD",
                settings=made_by(asked.id),
            )
        what, told = audit.Action.JOB_IMPORT_STARTED, {"file_id": ids.write(ids.Kind.FILE, row.id)}
        await audit.record(uow, viewer, what, row.workspace_id, asked.id, after=asked, more=told)
        return asked


async def undo(uow: UnitOfWork, viewer: Viewer, job_id: UUID) -> Job:
    """Ask for an import that has ended to be undone; it cannot be taken up again afterwards."""
    entered = await job_store.enter(uow, viewer.id, job_id)
    if entered is None:
        raise NotFoundError("There is no such import.")
    workspace, role = entered
    roles.require(role, Action.UNDO_IMPORTS)
    found = await store.lock_job(uow, workspace, job_id)
    if found is None or found.kind != IMPORT.name:
        raise NotFoundError("There is no such import.")
    if found.status in {"QUEUED", "RUNNING"}:
        raise ConflictError("This import has not ended: cancel it first.")
    asked = await job.enqueue(
        uow,
        UNDO,
        workspace=workspace,
        arguments={"import": job_id.hex},
        once=Once(job_id.hex),
        created_by=viewer.id if viewer.key is None else None,
    )
    await audit.record(uow, viewer, audit.Action.JOB_IMPORT_UNDONE, workspace, job_id)
    return asked


def made_by(job: UUID) -> str:
    """What is set of a source that an import makes: until somebody changes it, it goes when the import is undone."""
    return orjson.dumps({"import": ids.write(ids.Kind.JOB, job)}).decode()


async def admit(uow: UnitOfWork, viewer: Viewer, file_id: UUID, source_id: UUID | None) -> File:
    """The file, for whoever may import it to that source."""
    row = await file_store.enter(uow, viewer.id, file_id)
    if row is None:
        raise NotFoundError("There is no such file.")
    roles.require(row.role, Action.IMPORT_FEEDBACK)
    if (
        source_id is not None
        and await source_store.in_workspace(uow, row.workspace_id, source_id) is None
    ):
        raise NotFoundError("There is no such source in this workspace.")
    checks = Checks()
    if (row.purpose, row.status) != (Purpose.IMPORT, "READY"):
        checks.refuse(["fileId"], "must be an IMPORT that is READY")
    checks.done()
    return row


def _of_one_source(said: Mapping[str, str | None]) -> dict[str, str | None]:
    checks = Checks()
    if said.get("source") is not None:
        checks.refuse(["columns", "source"], "must be missing where sourceId says the source")
    checks.done()
    return {**said, "source": None}


def _check(path: Path, said: Mapping[str, str | None]) -> None:
    columns.resolve(said, detect(path).columns)
