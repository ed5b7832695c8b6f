"""Sending a file: announced, sent to the bucket by the client itself, and checked."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import audit, job
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, DomainError, NotFoundError
from domain.file.rules import MIB, TYPES, UNUSED_TIME, Purpose, Rules
from domain.job import Job, Kind, Once, Priority
from domain.roles import Action
from domain.viewer import Viewer
from persistence import file as store
from persistence.database import Database, Reader, UnitOfWork, new_id
from persistence.objects import Kept, Objects, ObjectsUnavailableError, Signed, Signer

File = store.FileRow

FILES = "files/"
"""Where the bucket has them."""
LARGEST_IN_ONE = 64 * MIB
PART = 32 * MIB
UPLOAD_TIME = timedelta(minutes=15)
PARTS_TIME = timedelta(hours=6)
_GRACE = timedelta(hours=1)
_CHECK_TIME = timedelta(days=1)
_REJECTED_TIME = timedelta(days=1)
_OTHER_BYTES = "The bytes have another SHA-256 than was announced."

CHECK_FILE = Kind("check_file", priority=Priority.BULK, timeout=timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class CreateUpload:
    workspace_id: UUID
    name: str
    content_type: str
    size: int
    purpose: Purpose
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a large file: the bytes from `offset` on, and where to send them."""

    number: int
    offset: int
    size: int
    signed: Signed


@dataclass(frozen=True, slots=True)
class Upload:
    """An announced file, and where to send its bytes: to `signed`, or piece by piece to the `parts`."""

    file: File
    signed: Signed
    parts: Sequence[Part] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Completed:
    """A file that was checked, or that the job is going to check."""

    file: File
    job: Job | None = None


async def create(
    database: Database, objects: Objects, viewer: Viewer, rules: Rules, command: CreateUpload
) -> Upload:
    """Announce a file and take room for it; answers where the client is to send the bytes."""
    signer = await objects.signer()
    file_id = new_id()
    key = f"{FILES}{command.workspace_id.hex}/{file_id.hex}-{secrets.token_hex(16)}"
    is_large = command.size > LARGEST_IN_ONE
    time = PARTS_TIME if is_large else UPLOAD_TIME
    upload = None
    if is_large:
        async with database.transaction() as uow:
            content_type, _ = await _admit(uow, viewer, rules, command)
        upload = await objects.begin_parts(key, content_type)
    async with _unless_refused(objects, key, upload), database.transaction() as uow:
        content_type, sha256 = await _admit(uow, viewer, rules, command)
        expires_at = uow.now + time
        row = await store.add(
            uow,
            workspace=command.workspace_id,
            quota=rules.quota,
            id=file_id,
            name=command.name,
            content_type=content_type,
            size=command.size,
            sha256=sha256,
            purpose=command.purpose,
            key=key,
            upload=upload,
            created_by=person(viewer),
            expires_at=expires_at + _GRACE,
        )
        if row is None:
            left = max(0, rules.quota - await store.taken(uow, command.workspace_id))
            checks = Checks()
            checks.refuse(["size"], f"must be at most {left:,}: the rest of the workspace's room")
            checks.done("The workspace's files take all the room that they may.")
        assert row is not None  # noqa: S101 - it would have been refused
        await audit.record(
            uow, viewer, audit.Action.FILE_UPLOAD_CREATED, row.workspace_id, row.id, after=row
        )
    seconds = int(time.total_seconds())
    if upload is not None:
        parts = _parts(signer, row, upload, seconds)
        return Upload(row, parts[0].signed, parts, expires_at)
    signed = signer.put(
        key, size=row.size, content_type=content_type, sha256=sha256, seconds=seconds
    )
    return Upload(row, signed, None, expires_at)


async def complete(
    database: Database, objects: Objects, viewer: Viewer, file_id: UUID
) -> Completed:
    """Check what was sent against what was announced. Doing it again answers the same.

    ConflictError while the bytes are not there. A large file whose checksum only we can find out is checked by a job.
    """
    async with database.transaction() as uow:
        row = await enter_own(uow, viewer, file_id)
    if row.status != "PENDING":
        return Completed(row)
    if row.upload is not None:
        await objects.join_parts(row.key, row.upload, size=row.size)
    kept = await objects.find(row.key)
    if kept is None:
        raise ConflictError("The bytes have not all arrived: send them first.")
    reason = _difference(row, kept)
    if reason is None and row.sha256 is not None and kept.sha256 is None:
        if row.upload is not None:
            return Completed(row, await _ask_for_check(database, row, viewer))
        reason = await checksum_problem(objects, row)
    async with database.transaction() as uow:
        await uow.enter(row.workspace_id)
        settled = await settle(uow, row, reason)
        await audit.record(
            uow, viewer, audit.Action.FILE_COMPLETED, row.workspace_id, row.id, after=settled
        )
    if reason is not None:
        await objects.delete([row.key])
    return Completed(settled)


async def settle(uow: UnitOfWork, row: File, reason: str | None) -> File:
    """Make a file READY, or REJECTED for that reason, in its workspace; one that has been settled stays as it is."""
    status = "READY" if reason is None else "REJECTED"
    unused = UNUSED_TIME[Purpose(row.purpose)] if reason is None else _REJECTED_TIME
    settled = await store.settle(
        uow,
        row.workspace_id,
        row.id,
        status=status,
        reason=reason,
        expires_at=uow.now + unused,
    )
    found = settled or await store.in_workspace(uow, row.workspace_id, row.id)
    if found is None:
        raise NotFoundError("There is no such file.")
    return found


async def checksum_problem(objects: Objects, row: File) -> str | None:
    """What is wrong with the checksum of what is in the bucket, if anything is: reads all of it."""
    digest = hashlib.sha256()
    async for chunk in objects.chunks(row.key):
        digest.update(chunk)
    return None if digest.digest() == row.sha256 else _OTHER_BYTES


async def in_workspace(reader: Reader, workspace: UUID, file_id: UUID) -> File | None:
    """A file, for jobs."""
    return await store.in_workspace(reader, workspace, file_id)


def _difference(row: File, kept: Kept) -> str | None:
    """How what is in the bucket differs from what was announced."""
    if kept.size != row.size:
        return f"{row.size:,} bytes were announced, {kept.size:,} were sent."
    if kept.content_type != row.content_type:
        return f"{row.content_type} was announced, {kept.content_type} was sent."
    if None not in (row.sha256, kept.sha256) and kept.sha256 != row.sha256:
        return _OTHER_BYTES
    return None


async def _admit(
    uow: UnitOfWork, viewer: Viewer, rules: Rules, command: CreateUpload
) -> tuple[str, bytes | None]:
    """Refuse whom and what may not be; answers the media type and the checksum as they are kept."""
    is_own = command.purpose is Purpose.AVATAR
    if is_own:
        viewer.require_person()
    action = Action.READ if is_own else Action.UPLOAD_FILES
    await workspaces.enter(uow, viewer, command.workspace_id, action)
    checks = Checks()
    checks.line(command.name, "name", longest=200, required=True)
    if set(command.name) & set("/\\") or command.name.strip() in {".", ".."}:
        checks.refuse(["name"], "must be the name of a file, without a path")
    content_type = command.content_type.partition(";")[0].strip().lower()
    allowed = TYPES[command.purpose]
    if content_type not in allowed:
        checks.refuse(["contentType"], f"must be one of {', '.join(sorted(allowed))}")
    checks.number(command.size, "size", least=1, most=rules.largest(command.purpose))
    sha256 = _digest(command.sha256)
    if command.sha256 is not None and sha256 is None:
        checks.refuse(["sha256"], "must be a SHA-256 in hex or base64")
    checks.done()
    return content_type, sha256


def _digest(text: str | None) -> bytes | None:
    """The 32 bytes that were written in hex or base64; None for anything else."""
    if text is None:
        return None
    try:
        found = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)  # noqa: PLR2004
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == hashlib.sha256().digest_size else None


async def enter_own(uow: UnitOfWork, viewer: Viewer, file_id: UUID) -> File:
    """A file that the viewer has announced; others of the workspace look as if there were none."""
    row = await store.enter(uow, viewer.id, file_id)
    if row is None or row.created_by != person(viewer):
        raise NotFoundError("There is no such file.")
    return row


def person(viewer: Viewer) -> UUID | None:
    return viewer.id if viewer.key is None else None


@asynccontextmanager
async def _unless_refused(objects: Objects, key: str, upload: str | None) -> AsyncIterator[None]:
    """Gives an upload in parts up if its file is refused after all; what S3 does not do now is swept later."""
    try:
        yield
    except DomainError:
        if upload is not None:
            with suppress(ObjectsUnavailableError):
                await objects.drop_parts(key, upload)
        raise


def _parts(signer: Signer, row: File, upload: str, seconds: int) -> list[Part]:
    offsets = range(0, row.size, PART)
    sizes = [min(PART, row.size - offset) for offset in offsets]
    return [
        Part(
            number,
            offset,
            size,
            signer.put_part(row.key, upload, number, size=size, seconds=seconds),
        )
        for number, (offset, size) in enumerate(zip(offsets, sizes, strict=True), start=1)
    ]


async def _ask_for_check(database: Database, row: File, viewer: Viewer) -> Job:
    async with database.transaction() as uow:
        await uow.enter(row.workspace_id)
        # So that it is not taken for one that was never completed.
        await store.expire(uow, row.workspace_id, row.id, uow.now + _CHECK_TIME)
        return await job.enqueue(
            uow,
            CHECK_FILE,
            workspace=row.workspace_id,
            arguments={"file": row.id.hex},
            once=Once(row.id.hex),
            created_by=person(viewer),
        )
