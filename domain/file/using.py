"""Using files: fetched by signed URLs, attached to feedback, shown as people's pictures."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from domain import audit, avatar, job, roles, security
from domain import feedback as feedback_
from domain.account import User
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.feedback import Feedback
from domain.file.rules import HARMLESS, MOST_ATTACHED, Purpose
from domain.file.uploading import enter_own
from domain.ids import Kind as IdKind
from domain.ids import write as write_id
from domain.job import Job, Kind, Once
from domain.roles import Action
from domain.viewer import Viewer
from persistence import account as account_store
from persistence import feedback as feedback_store
from persistence import file as store
from persistence import tag as tag_store
from persistence.database import Columns, Reader, UnitOfWork
from persistence.objects import Signer

File = store.FileRow

AVATARS = "avatars/"
"""Where the bucket has people's pictures."""
DOWNLOAD_TIME = timedelta(minutes=5)
MAKE_AVATAR = Kind("make_avatar", most_failures=5)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[File]:
    return await store.by_ids(reader, viewer.id, ids, columns=columns)


async def attached(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, Sequence[File]]:
    """The files of each of these feedback, the oldest first; one without any is missing."""
    return await store.attached(reader, viewer.id, ids, columns=columns)


def download_url(signer: Signer, row: File) -> str | None:
    """Where to get a file that is READY: always to be saved, never to be shown or run by the browser."""
    if row.status != "READY":
        return None
    return signer.get(
        row.key,
        content_type=row.content_type
        if row.content_type in HARMLESS
        else "application/octet-stream",
        disposition=disposition(row.name),
        seconds=int(DOWNLOAD_TIME.total_seconds()),
    )


def disposition(name: str) -> str:
    """The Content-Disposition of a file to be saved under this name, for old clients too (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def avatar_url(signer: Signer, key: str) -> str:
    """Where to get a user's picture."""
    return signer.get(
        key,
        content_type=avatar.CONTENT_TYPE,
        disposition="inline",
        seconds=int(DOWNLOAD_TIME.total_seconds()),
    )


async def attach(
    uow: UnitOfWork, viewer: Viewer, *, feedback_id: UUID, file_ids: Sequence[UUID]
) -> Feedback:
    """Add files to those of a feedback, and announce it. Those that it has already stay."""
    wanted = tuple(dict.fromkeys(file_ids))
    entered = await feedback_store.enter(uow, viewer.id, feedback_id)
    if entered is None:
        raise NotFoundError("There is no such feedback.")
    workspace_id, role = entered
    roles.require(role, Action.UPLOAD_FILES)
    feedback = await feedback_store.lock(uow, workspace_id, feedback_id)
    if feedback is None:
        raise NotFoundError("There is no such feedback.")
    files = await store.lock(uow, workspace_id, wanted)
    if len(files) < len(wanted):
        raise NotFoundError("There is no such file in this workspace.")
    checks = Checks()
    for index, id_ in enumerate(file_ids):
        file = next(file for file in files if file.id == id_)
        if (file.purpose, file.status) != (Purpose.ATTACHMENT, "READY"):
            checks.refuse(["fileIds", str(index)], "must be an ATTACHMENT that is READY")
    added = [file.id for file in files if file.feedback_id is None]
    before = await store.count_attached(uow, workspace_id, feedback_id)
    if before + len(added) > MOST_ATTACHED:
        checks.refuse(["fileIds"], f"must not be more than {MOST_ATTACHED} with those it has")
    checks.done()
    if any(file.feedback_id not in {None, feedback_id} for file in files):
        raise ConflictError("A file is attached to other feedback already.")
    if added:
        await store.attach(uow, workspace_id, feedback_id, added)
        to = {"feedback_id": write_id(IdKind.FEEDBACK, feedback_id)}
        for id_ in added:
            what = audit.Action.FILE_ATTACHED
            await audit.record(uow, viewer, what, workspace_id, id_, more=to)
        links = await tag_store.links(uow, workspace_id, [feedback_id])
        feedback_.announce(uow, "UPDATED", feedback, tuple(link.tag_id for link in links))
    return feedback


async def set_avatar(
    uow: UnitOfWork, viewer: Viewer, file_id: UUID | None
) -> tuple[User, Job | None]:
    """Ask for a file to become the viewer's picture, or take the picture away; answers the user as of now."""
    if file_id is None:
        user = await account_store.remove_avatar(uow, viewer.user_id)
        asked = None
    else:
        row = await enter_own(uow, viewer, file_id)
        if (row.purpose, row.status) != (Purpose.AVATAR, "READY"):
            checks = Checks()
            checks.refuse(["fileId"], "must be an AVATAR that is READY")
            checks.done()
        asked = await job.enqueue(
            uow,
            MAKE_AVATAR,
            workspace=row.workspace_id,
            arguments={"file": row.id.hex, "user": viewer.user_id.hex},
            once=Once(viewer.user_id.hex),
            created_by=viewer.user_id,
        )
        user = await account_store.want_avatar(uow, viewer.user_id, row.id)
    if user is None:
        raise NotFoundError("There is no such user.")
    await security.record_own(uow, viewer, security.Action.AVATAR_CHANGED)
    return user, asked


async def make_avatar(uow: UnitOfWork, user_id: UUID, file: File, key: str) -> str | None:
    """Let that object be the user's picture, and its file end; answers the key of what is no picture any more.

    That is the object itself where its user has taken the picture away meanwhile, or wants another.
    """
    found = (await account_store.users(uow, [user_id])).get(user_id)
    if found is None:
        raise NotFoundError("There is no such user.")
    made = await account_store.set_avatar(uow, user_id, file.id, key)
    await store.expire(uow, file.workspace_id, file.id, uow.now)
    return key if made is None else found.avatar_key


def avatar_key(user_id: UUID) -> str:
    """A place for a picture that no other has."""
    return f"{AVATARS}{user_id.hex}/{secrets.token_hex(16)}"
