"""Checking large files, making pictures of people, and sweeping the bucket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from domain import avatar, file
from domain.file import CHECK_FILE, MAKE_AVATAR, PREFIXES, SWEEP_BUCKET, SWEEP_FILES, File
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.objects import ObjectsUnavailableError

# A picture takes up to 100 MB while it is unpacked.
_ONE_PICTURE = asyncio.Semaphore(1)


async def _check_file(resources: WorkerResources, attempt: Attempt) -> None:
    row = await _file(resources, attempt)
    with _patient():
        reason = await file.checksum_problem(resources.objects, row)
    async with attempt.completing() as uow:
        await file.settle(uow, row, reason)
    if reason is not None:
        with suppress(ObjectsUnavailableError):
            await resources.objects.delete([row.key])


async def _make_avatar(resources: WorkerResources, attempt: Attempt) -> None:
    row, user_id = await _file(resources, attempt), UUID(hex=attempt.arguments["user"])
    with _patient():
        picture = b"".join([chunk async for chunk in resources.objects.chunks(row.key)])
    async with _ONE_PICTURE:
        made = await asyncio.to_thread(avatar.square, picture)
    key = file.avatar_key(user_id)
    with _patient():
        await resources.objects.put(key, made, avatar.CONTENT_TYPE)
    async with attempt.completing() as uow:
        before = await file.make_avatar(uow, user_id, row, key)
    # What is left here, or when the attempt fails, is nobody's, and swept.
    if before is not None:
        with suppress(ObjectsUnavailableError):
            await resources.objects.delete([before])


async def _sweep_files(resources: WorkerResources, attempt: Attempt) -> None:
    with _patient():
        swept = await file.sweep(resources.database, resources.objects, resources.clock())
    attempt.result = {"swept": swept}


async def _sweep_bucket(resources: WorkerResources, attempt: Attempt) -> None:
    """Page by page; the next attempt goes on where this one ended."""
    database, objects, now = resources.database, resources.objects, resources.clock()
    first = attempt.state.get("prefix", 0)
    after = attempt.state.get("after", "")
    with _patient():
        for number, prefix in list(enumerate(PREFIXES))[first:]:
            while (
                after := await file.sweep_page(database, objects, prefix, after=after, now=now)
            ) is not None:
                await attempt.report(number / len(PREFIXES), {"prefix": number, "after": after})
            after = ""
        await file.sweep_parts(objects, now)


async def _file(resources: WorkerResources, attempt: Attempt) -> File:
    """The file that the job is about."""
    assert attempt.workspace_id is not None  # noqa: S101 - files are of workspaces
    async with resources.database.reader() as reader:
        row = await file.in_workspace(
            reader, attempt.workspace_id, UUID(hex=attempt.arguments["file"])
        )
    if row is None:
        raise HopelessError("the file is gone")
    return row


@contextmanager
def _patient() -> Iterator[None]:
    """What S3 does not do now it may do later."""
    try:
        yield
    except ObjectsUnavailableError as error:
        raise FailedError(str(error)) from error


TASKS = (
    Task(CHECK_FILE, _check_file),
    Task(MAKE_AVATAR, _make_avatar),
    Task(SWEEP_FILES, _sweep_files),
    Task(SWEEP_BUCKET, _sweep_bucket),
)
