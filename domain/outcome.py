"""What jobs are about and have made: files and names, and who may know of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from domain import export, ids, job
from domain.export import EXPORT, SCHEDULED_EXPORT
from domain.file import File, by_ids
from domain.ids import Kind
from domain.imports import IMPORT, UNDO
from domain.job import Job
from domain.scopes import Scope
from domain.viewer import Viewer
from persistence.database import Reader

_Names = dict[tuple[UUID | None, UUID | None], str]

_FILE = "file_id"
_EXPORTS = (EXPORT.name, SCHEDULED_EXPORT.name)


def of_file(file: File, **more: Any) -> Mapping[str, Any]:
    """The result of a job that has made a file."""
    return {_FILE: ids.write(Kind.FILE, file.id), **more}


def made(viewer: Viewer | None, jobs: Sequence[Job]) -> list[UUID | None]:
    """The file of each job, if it has made one and the viewer may know of it.

    An open job's is nobody's: what is answered of those does not depend on who asks. Keys need the scope by which
    such jobs are asked for.
    """
    return [_made(job) if viewer is not None and _may(viewer, job) else None for job in jobs]


async def files(
    reader: Reader, viewer: Viewer, jobs: Sequence[Job], made: Sequence[UUID | None]
) -> list[File | None]:
    """Those files that are still there, in workspaces of the viewer's."""
    rows = await by_ids(reader, viewer, list({id_ for id_ in made if id_ is not None}))
    found = {(row.workspace_id, row.id): row for row in rows}
    return [
        None if id_ is None or job.workspace_id is None else found.get((job.workspace_id, id_))
        for job, id_ in zip(jobs, made, strict=True)
    ]


async def subjects(reader: Reader, viewer: Viewer | None, jobs: Sequence[Job]) -> list[str | None]:
    """What each job is about, by its name: a file that is imported or was made, a scheduled export.

    Who may know of what a job has made may know of it, as far as it is still there.
    """
    if viewer is None:
        return [None] * len(jobs)
    known = [each for each in jobs if _may(viewer, each)]
    plans = _told(known, SCHEDULED_EXPORT.name, "export_schedule")
    undone = _told(known, UNDO.name, "import")
    imports = await job.by_ids(reader, viewer, list(undone.values())) if undone else []
    imported = _told([*known, *imports], IMPORT.name, "file")
    about = {each.id: imported.get(undone.get(each.id, each.id)) or _made(each) for each in known}
    wanted = list({id_ for id_ in about.values() if id_ is not None})
    named = await by_ids(reader, viewer, wanted) if wanted else []
    files: _Names = {(row.workspace_id, row.id): row.name for row in named}
    planned = await export.by_ids(reader, viewer, list(plans.values())) if plans else []
    schedules: _Names = {(row.workspace_id, row.id): row.name for row in planned}
    return [
        schedules.get((each.workspace_id, plans.get(each.id)))
        or files.get((each.workspace_id, about.get(each.id)))
        for each in jobs
    ]


def _told(jobs: Sequence[Job], kind: str, name: str) -> dict[UUID, UUID]:
    """What the jobs of a kind were told by an argument of this name."""
    told = {each.id: orjson.loads(each.arguments).get(name) for each in jobs if each.kind == kind}
    return {id_: UUID(value) for id_, value in told.items() if value is not None}


def _may(viewer: Viewer, job: Job) -> bool:
    if job.open:
        return False
    scope = Scope.EXPORTS_CREATE if job.kind in _EXPORTS else Scope.IMPORTS_CREATE
    return viewer.key is None or scope in viewer.key.scopes


def _made(job: Job) -> UUID | None:
    result = None if job.result is None else orjson.loads(job.result)
    file = result.get(_FILE) if isinstance(result, dict) else None
    return ids.read(Kind.FILE, file) if isinstance(file, str) else None
