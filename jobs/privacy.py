"""Handing out what is known of an author, and erasing it: in batches, each done once whatever dies in between."""

import asyncio
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

import orjson

from domain import ids, outcome, privacy
from domain.errors import DomainError
from domain.export import place
from domain.ids import Kind
from domain.privacy import Counts, Mode
from jobs.attempt import Attempt, FailedError, LostError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.erasure import Author, FileRow
from persistence.objects import Objects, ObjectsUnavailableError

_PART = 8 * 2**20
_LINE = orjson.OPT_APPEND_NEWLINE


async def _export(resources: WorkerResources, attempt: Attempt) -> None:
    assert attempt.workspace_id is not None  # noqa: S101 - an author is one of a workspace
    workspace, who = attempt.workspace_id, privacy.meant(attempt.arguments, resources.seals)
    key = place(workspace)
    with TemporaryFile() as file, _patient():
        async with resources.database.reader() as reader:
            await privacy.admit(reader, workspace, attempt.created_by)
        rows = await _write(resources, attempt, workspace, who, file)
        size = file.seek(0, 2)
        file.seek(0)
        await _send(resources.objects, key, file)
    try:
        async with attempt.completing() as uow:
            made = await privacy.keep(
                uow,
                workspace,
                resources.file_rules,
                key=key,
                size=size,
                created_by=attempt.created_by,
            )
            attempt.result = outcome.of_file(made, feedback=rows, size=size)
    except (LostError, DomainError):
        with suppress(ObjectsUnavailableError):
            await resources.objects.delete([key])
        raise


async def _write(
    resources: WorkerResources, attempt: Attempt, workspace: UUID, who: Author, file: BinaryIO
) -> int:
    """A ZIP of one JSON object a line, `feedback.ndjson`, and of what is attached; answers how much feedback it is."""
    after, rows, files = None, 0, list[FileRow]()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("feedback.ndjson", "w", force_zip64=True) as lines:
            while True:
                async with resources.database.reader() as reader:
                    known = await privacy.known(
                        reader, workspace, who, resources.seals, after=after
                    )
                    found = await privacy.attachments(reader, workspace, [id_ for id_, _ in known])
                if not known:
                    break
                await asyncio.to_thread(lines.write, _lines(known, found))
                after, rows, files = known[-1][0], rows + len(known), files + found
                await attempt.report(0.5)
        for each in files:
            with archive.open(_path(each), "w", force_zip64=True) as entry:
                async for chunk in resources.objects.chunks(each.key):
                    await asyncio.to_thread(entry.write, chunk)
    return rows


def _lines(known: list[tuple[UUID, dict[str, Any]]], files: list[FileRow]) -> bytes:
    paths: dict[UUID | None, list[str]] = {}
    for each in files:
        paths.setdefault(each.feedback_id, []).append(_path(each))
    return b"".join(
        orjson.dumps(told | {"attachments": paths.get(id_, [])}, option=_LINE)
        for id_, told in known
    )


def _path(file: FileRow) -> str:
    """Names are unique by the id; they have no slashes since uploads refuse these."""
    return f"attachments/{ids.write(Kind.FILE, file.id)}-{file.name}"


async def _send(objects: Objects, key: str, file: BinaryIO) -> None:
    part = await asyncio.to_thread(file.read, _PART)
    if len(part) < _PART:
        await objects.put(key, part, privacy.CONTENT_TYPE)
        return
    upload, number, size = await objects.begin_parts(key, privacy.CONTENT_TYPE), 0, 0
    try:
        while part:
            number, size = number + 1, size + len(part)
            await objects.send_part(key, upload, number, part)
            part = await asyncio.to_thread(file.read, _PART)
        if not await objects.join_parts(key, upload, size=size):
            raise FailedError("S3 has not kept all parts of the file")
    except BaseException:
        with suppress(ObjectsUnavailableError):
            await objects.drop_parts(key, upload)
        raise


async def _erase(resources: WorkerResources, attempt: Attempt) -> None:
    """Objects go before the rows that know of them: who takes over after a crash finds those, and goes on there."""
    assert attempt.workspace_id is not None  # noqa: S101 - an author is one of a workspace
    workspace, who = attempt.workspace_id, privacy.meant(attempt.arguments, resources.seals)
    mode, counts = Mode(attempt.arguments["mode"]), Counts(**attempt.state.get("counts", {}))
    with _patient():
        counts = await _erase_feedback(resources, attempt, workspace, who, mode, counts)
        counts = await _drop_tables(resources, attempt, workspace, who, counts)
    async with attempt.completing() as uow:
        counts = counts.plus(log_entries=await privacy.forget_texts(uow, workspace, who))
        made = await privacy.receipt(
            uow, workspace, who, mode, counts, resources.seals, by=attempt.created_by
        )
        attempt.result = {"erasure_id": ids.write(Kind.ERASURE, made), **counts.values()}


async def _erase_feedback(
    resources: WorkerResources,
    attempt: Attempt,
    workspace: UUID,
    who: Author,
    mode: Mode,
    counts: Counts,
) -> Counts:
    while True:
        async with resources.database.reader() as reader:
            found, files = await privacy.batch(reader, workspace, who)
            sent = await privacy.attempts(reader, workspace, found)
        if not found:
            return counts
        await resources.objects.delete([file.key for file in files])
        counts = counts.plus(feedback=len(found), files=len(files), log_entries=sent)
        async with attempt.step(state={"counts": counts.values()}) as uow:
            await privacy.erase(uow, workspace, mode, found, files)


async def _drop_tables(
    resources: WorkerResources, attempt: Attempt, workspace: UUID, who: Author, counts: Counts
) -> Counts:
    """The files of imports and exports that name the author, and those of which it cannot be seen."""
    async with resources.database.reader() as reader:
        tables = await privacy.tables(reader, workspace, attempt.created_at)
    for file in tables:
        if privacy.is_searchable(file) and not await _names(resources.objects, file, who):
            continue
        await resources.objects.delete([file.key])
        counts = counts.plus(files=1)
        async with attempt.step(state={"counts": counts.values()}) as uow:
            await privacy.drop_files(uow, workspace, [file])
    return counts


async def _names(objects: Objects, file: FileRow, who: Author) -> bool:
    """Whether the author's address or id stands in the file, in any case."""
    wanted = who.value.lower().encode()
    before = b""
    async for chunk in objects.chunks(file.key):
        text = before + chunk.lower()
        if wanted in text:
            return True
        before = text[-len(wanted) :]
    return False


@contextmanager
def _patient() -> Iterator[None]:
    """What S3 does not do now it may do later."""
    try:
        yield
    except ObjectsUnavailableError as error:
        raise FailedError(str(error)) from error


TASKS = (Task(privacy.EXPORT_AUTHOR, _export), Task(privacy.ERASE_AUTHOR, _erase))
