"""Importing files, and undoing that."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from domain import file, imports, outcome, scoring, source
from domain.file import File
from domain.imports import Batch
from jobs.attempt import Attempt, FailedError, HopelessError, PostponedError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.objects import ObjectsUnavailableError


async def _import(resources: WorkerResources, attempt: Attempt) -> None:
    """Each batch is stored with how far it brings the import, so that another attempt goes on behind it."""
    workspace = _workspace(attempt)
    row, stored = await _begin(resources, attempt, workspace)
    number, refused = attempt.state.get("row", 0), attempt.state.get("refused", 0)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-import-")))
        path = directory / "file"
        with _patient():
            await imports.fetch(resources.objects, row, path)
        found = stack.enter_context(
            closing(
                imports.batches(
                    path, attempt.arguments["columns"], attempt.created_at, after=number
                )
            )
        )
        attempt.result = _counted(number, stored, refused)
        async for batch in _in_a_thread(found):
            if not batch.size:
                continue
            number += batch.size
            refused += len(batch.refusals)
            state = {"row": number, "refused": refused}
            async with attempt.step(progress=min(batch.fraction, 0.99), state=state) as uow:
                new = await imports.keep(
                    uow,
                    batch,
                    workspace=workspace,
                    source=UUID(hex=attempt.arguments["source"]),
                    job=attempt.id,
                    now=attempt.created_at,
                    seals=resources.seals,
                )
            stored += new
            attempt.result = _counted(number, stored, refused)
            if new:
                await scoring.ask(resources.database, workspace)
        if not refused:
            return
        with _patient():
            made = await imports.report(
                resources.database,
                resources.objects,
                directory / "errors.csv",
                workspace=workspace,
                job=attempt.id,
            )
    async with attempt.completing() as uow:
        kept = await imports.finish(
            uow, made, workspace=workspace, job=attempt.id, created_by=attempt.created_by
        )
        attempt.result = outcome.of_file(kept, **_counted(number, stored, refused))


async def _begin(resources: WorkerResources, attempt: Attempt, workspace: UUID) -> tuple[File, int]:
    """The file, and how many of its rows earlier attempts have stored."""
    to = UUID(hex=attempt.arguments["source"])
    async with resources.database.reader() as reader:
        there_is = await source.in_workspace(reader, workspace, to)
        undone = await imports.was_undone(reader, workspace, attempt.id)
        row = await file.in_workspace(reader, workspace, UUID(hex=attempt.arguments["file"]))
        stored = await imports.stored(reader, workspace, attempt.id)
    if undone:
        raise HopelessError("this import was undone; start another one")
    if row is None:
        raise HopelessError("the file is gone")
    if there_is is None:
        raise HopelessError("the source is gone")
    return row, stored


async def _in_a_thread(batches: Iterator[Batch]) -> AsyncIterator[Batch]:
    """Whoever is cancelled meanwhile waits for the thread, which uses what is closed afterwards."""
    while True:
        task = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
        try:
            batch = await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise
        if batch is None:
            return
        yield batch


def _counted(rows: int, stored: int, refused: int) -> dict[str, int]:
    return {
        "rows": rows,
        "stored": stored,
        "duplicates": rows - stored - refused,
        "refused": refused,
    }


async def _undo(resources: WorkerResources, attempt: Attempt) -> None:
    workspace, undone = _workspace(attempt), UUID(hex=attempt.arguments["import"])
    async with resources.database.reader() as reader:
        left = await imports.stored(reader, workspace, undone)
    total = attempt.state.get("total", left)
    while left:
        progress = 1 - left / total
        async with attempt.step(progress=progress, state={"total": total}) as uow:
            deleted = await imports.take_away(uow, workspace, undone)
        if not deleted:
            # Somebody else writes the last of them.
            raise PostponedError(timedelta(seconds=1))
        left -= deleted
    attempt.result = {"deleted": total}
    async with attempt.completing() as uow:
        await imports.forget(uow, workspace, undone)


def _workspace(attempt: Attempt) -> UUID:
    assert attempt.workspace_id is not None  # noqa: S101 - files are of workspaces
    return attempt.workspace_id


@contextmanager
def _patient() -> Iterator[None]:
    """What S3 does not do now it may do later."""
    try:
        yield
    except ObjectsUnavailableError as error:
        raise FailedError(str(error)) from error


TASKS = (Task(imports.IMPORT, _import), Task(imports.UNDO, _undo))
