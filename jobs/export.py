"""Making exports: read from one snapshot into a file of the worker's own, sent to the bucket, and then known."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from domain import export, outcome
from domain.errors import DomainError
from domain.export import EXPORT, Format, Wanted
from domain.feedback import Feedback
from domain.workspace import Workspace
from jobs.attempt import Attempt, FailedError, LostError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import StoreUnavailableError
from persistence.objects import Objects, ObjectsUnavailableError

PART = 8 * 2**20
_PAUSE = 0.5
# Of the way, when all is read.
_READ = 0.8

_ROWS: dict[Format, Callable[[Sequence[Feedback]], bytes]] = {
    Format.CSV: export.csv_rows,
    Format.NDJSON: export.json_lines,
}
Tell = Callable[[float], None]


async def _export(resources: WorkerResources, attempt: Attempt) -> None:
    assert attempt.workspace_id is not None  # noqa: S101 - an export is of one
    wanted = Wanted.of(attempt.workspace_id, attempt.arguments, resources.clock())
    key = export.place(attempt.workspace_id)
    # It has no name: whatever becomes of the worker, nothing of it stays on the disk.
    with TemporaryFile() as file:
        async with _telling(attempt) as tell:
            workspace, rows = await _write(resources, wanted, file, tell)
            size = file.tell()
            file.seek(0)
            with _patient():
                await _send(resources.objects, key, export.CONTENT_TYPES[wanted.format], file, tell)
    async with _unless_kept(resources.objects, key), attempt.completing() as uow:
        made = await export.keep(
            uow,
            wanted,
            workspace,
            resources.file_rules,
            key=key,
            size=size,
            created_by=attempt.created_by,
        )
        attempt.result = outcome.of_file(made, rows=rows, size=size)


async def _write(
    resources: WorkerResources, wanted: Wanted, file: BinaryIO, tell: Tell
) -> tuple[Workspace, int]:
    """Write the file; answers whose it is, and how much feedback it is about."""
    if wanted.format is Format.PDF:
        async with resources.database.snapshot() as reader:
            workspace = await export.admit(reader, wanted)
            figures = await export.figures(reader, wanted, workspace)
        await _on_disk(export.draw, figures, file, resources.clock())
        return workspace, figures.totals.total
    as_bytes = _ROWS[wanted.format]
    done = 0
    async with resources.database.snapshot() as reader:
        workspace = await export.admit(reader, wanted)
        total = await export.total(reader, wanted)
        if wanted.format is Format.CSV:
            await _on_disk(file.write, export.csv_head())
        async for batch in export.batches(reader, wanted):
            await _on_disk(lambda rows=batch: file.write(as_bytes(rows)))
            done += len(batch)
            tell(_READ * done / total)
    return workspace, done


async def _send(objects: Objects, key: str, content_type: str, file: BinaryIO, tell: Tell) -> None:
    """Send the file, part by part; what was sent of it is given up if it cannot be sent to its end."""
    part = await _on_disk(file.read, PART)
    if len(part) < PART:
        await objects.put(key, part, content_type)
        return
    size = file.seek(0, 2)
    file.seek(PART)
    upload = await objects.begin_parts(key, content_type)
    try:
        number = 0
        while part:
            number += 1
            await objects.send_part(key, upload, number, part)
            part = await _on_disk(file.read, PART)
            tell(_READ + (1 - _READ) * min(1, number * PART / size))
        if not await objects.join_parts(key, upload, size=size):
            raise FailedError("S3 has not kept all parts of the file")
    except BaseException:
        with suppress(ObjectsUnavailableError):
            await objects.drop_parts(key, upload)
        raise


@asynccontextmanager
async def _telling(attempt: Attempt) -> AsyncIterator[Tell]:
    """Records how far it has come, in a task of its own: who reads has a connection, and must not wait for another."""
    latest = 0.0
    moved = asyncio.Event()

    def tell(progress: float) -> None:
        nonlocal latest
        latest = progress
        moved.set()

    async def record() -> None:
        while True:
            await moved.wait()
            moved.clear()
            # What has become of the job is found out at its end.
            with suppress(LostError, StoreUnavailableError):
                await attempt.report(latest)
            await asyncio.sleep(_PAUSE)

    recording = asyncio.ensure_future(record())
    try:
        yield tell
    finally:
        recording.cancel()
        await asyncio.wait({recording})


@asynccontextmanager
async def _unless_kept(objects: Objects, key: str) -> AsyncIterator[None]:
    """Deletes the object if it is certain that nothing knows of it; otherwise, and without S3, it is swept later."""
    try:
        yield
    except (LostError, DomainError):
        with suppress(ObjectsUnavailableError):
            await objects.delete([key])
        raise


async def _on_disk(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do what takes the processor or the disk a while, beside everything else."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except OSError as error:
        raise FailedError(f"the worker cannot write the file: {error.strerror}") from error


@contextmanager
def _patient() -> Iterator[None]:
    """What S3 does not do now it may do later."""
    try:
        yield
    except ObjectsUnavailableError as error:
        raise FailedError(str(error)) from error


TASKS = (Task(EXPORT, _export),)
