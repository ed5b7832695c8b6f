"""Making exports: read from one snapshot into a file of the worker's own, sent to the bucket, and then known."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

from domain import export, file, mail, outcome
from domain.errors import DomainError
from domain.export import EXPORT, SCHEDULED_EXPORT, Format, Wanted
from domain.feedback import Feedback
from domain.file import File
from domain.workspace import Workspace
from jobs.attempt import Attempt, FailedError, LostError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import StoreUnavailableError, UnitOfWork
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
    wanted = Wanted.of(_workspace(attempt), attempt.arguments, resources.clock())
    async with _made(resources, attempt, wanted):
        pass


async def _export_and_send(resources: WorkerResources, attempt: Attempt) -> None:
    """The mails are asked for with the file, so that each is sent once, whatever dies when."""
    async with resources.database.reader() as reader:
        found = await export.due(reader, _workspace(attempt), attempt.arguments, resources.clock())
    if found is None:
        return
    with _patient():
        signer = await resources.objects.signer()
    async with _made(resources, attempt, found.wanted) as made:
        url = signer.get(
            made.file.key,
            content_type=made.file.content_type,
            disposition=file.disposition(made.file.name),
            seconds=int(export.KEPT.total_seconds()),
        )
        for person in found.people:
            text = export.message(found, person, made.workspace, made.file, url=url, rows=made.rows)
            await mail.send(made.uow, text, workspace=attempt.workspace_id)


@dataclass(frozen=True, slots=True)
class _Made:
    """A file that is there, in the transaction by which it becomes known and the job ends."""

    uow: UnitOfWork
    file: File
    workspace: Workspace
    rows: int


@asynccontextmanager
async def _made(
    resources: WorkerResources, attempt: Attempt, wanted: Wanted
) -> AsyncIterator[_Made]:
    key = export.place(wanted.workspace_id)
    # It has no name: whatever becomes of the worker, nothing of it stays on the disk.
    with TemporaryFile() as local:
        async with _telling(attempt) as tell:
            workspace, rows = await _write(resources, wanted, local, tell)
            size = local.tell()
            local.seek(0)
            with _patient():
                await _send(
                    resources.objects, key, export.CONTENT_TYPES[wanted.format], local, tell
                )
    async with _unless_kept(resources.objects, key), attempt.completing() as uow:
        kept = await export.keep(
            uow,
            wanted,
            workspace,
            resources.file_rules,
            key=key,
            size=size,
            created_by=attempt.created_by,
        )
        attempt.result = outcome.of_file(kept, rows=rows, size=size)
        yield _Made(uow, kept, workspace, rows)


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
    done = 0
    async with resources.database.snapshot() as reader:
        workspace = await export.admit(reader, wanted)
        total = await export.total(reader, wanted)

        async def read() -> AsyncIterator[list[Feedback]]:
            nonlocal done
            async for batch in export.batches(reader, wanted):
                yield batch
                done += len(batch)
                tell(_READ * done / total)

        if wanted.format is Format.PARQUET:
            await _write_parquet(read(), file)
            return workspace, done
        as_bytes = _ROWS[wanted.format]
        if wanted.format is Format.CSV:
            await _on_disk(file.write, export.csv_head())
        async for batch in read():
            await _on_disk(lambda rows=batch: file.write(as_bytes(rows)))
    return workspace, done


async def _write_parquet(batches: AsyncIterator[list[Feedback]], file: BinaryIO) -> None:
    """In a thread that asks the event loop for each batch; whoever is cancelled waits until it has ended."""
    loop = asyncio.get_running_loop()
    asked: list[Future[list[Feedback] | None]] = []
    failed: list[Exception] = []

    def pulled() -> Iterator[list[Feedback]]:
        while True:
            asked[:] = [asyncio.run_coroutine_threadsafe(_next(batches), loop)]
            try:
                batch = asked[0].result()
            except Exception as error:
                failed.append(error)
                raise
            if batch is None:
                return
            yield batch

    writing = asyncio.ensure_future(_on_disk(export.write_parquet, pulled(), file))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        for future in asked:
            future.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        raise
    except Exception:
        # The writer says no more than that somebody else has failed.
        if failed:
            raise failed[0] from None
        raise


async def _next(batches: AsyncIterator[list[Feedback]]) -> list[Feedback] | None:
    return await anext(batches, None)


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


def _workspace(attempt: Attempt) -> UUID:
    assert attempt.workspace_id is not None  # noqa: S101 - an export is of one
    return attempt.workspace_id


TASKS = (Task(EXPORT, _export), Task(SCHEDULED_EXPORT, _export_and_send))
