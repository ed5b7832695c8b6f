"""What is known of an author: handed out, and erased or made nobody's with a receipt.

Both are jobs. Who is meant is sealed in a job's arguments: no row of ours names somebody who was erased.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson

from domain import audit, feedback, ids, job, original, roles
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.feedback import Feedback
from domain.file import File, Purpose, Rules
from domain.job import Job, Kind, Once, Priority
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import erasure as store
from persistence import file as file_store
from persistence import tag as tag_store
from persistence import workspace as workspace_store
from persistence.database import Columns, Reader, UnitOfWork, new_id
from persistence.erasure import Author

Receipt = store.ReceiptRow

EXPORT_AUTHOR = Kind(
    "export_author",
    priority=Priority.BULK,
    timeout=timedelta(hours=1),
    most_failures=4,
    first_pause=timedelta(seconds=10),
)
ERASE_AUTHOR = Kind(
    "erase_author", priority=Priority.BULK, timeout=timedelta(hours=6), most_failures=20
)
BATCH = 500
KEPT = timedelta(days=7)
CONTENT_TYPE = "application/zip"
LONGEST = 320
_SEARCHABLE = ("text/", "application/json", "application/ndjson", "application/x-ndjson")
_PURPOSE = "author in a job"
# Shorter than this an external id is in too many texts that are about something else.
_TELLING = 4


class Mode(StrEnum):
    """ERASE: the feedback goes. ANONYMISE: it stays, and is nobody's."""

    ERASE = "ERASE"
    ANONYMISE = "ANONYMISE"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was erased so far."""

    feedback: int = 0
    files: int = 0
    log_entries: int = 0

    def plus(self, *, feedback: int = 0, files: int = 0, log_entries: int = 0) -> "Counts":
        return Counts(self.feedback + feedback, self.files + files, self.log_entries + log_entries)

    def values(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def author(*, email: str | None, external_id: str | None) -> Author:
    """Who is meant; InvalidInputError unless by exactly one of the two."""
    checks = Checks()
    if (email is None) == (external_id is None):
        checks.refuse(["email"], "must be given, or externalId, and not both")
        checks.done()
    value = (email if external_id is None else external_id) or ""
    name = "email" if external_id is None else "externalId"
    checks.text(value.strip() or None, name, longest=LONGEST, required=True)
    checks.done()
    return Author("EMAIL", value.strip()) if external_id is None else Author("EXTERNAL_ID", value)


async def ask_for_export(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, who: Author, seals: Seals
) -> Job:
    """Ask for a file with all that is known of an author."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, workspace, Action.MANAGE_PRIVACY)
    asked = await _ask(uow, viewer, EXPORT_AUTHOR, workspace, who, seals)
    what, told = audit.Action.WORKSPACE_AUTHOR_EXPORTED, {"author": _hash(seals, workspace, who)}
    await audit.record(uow, viewer, what, workspace, workspace, more=told)
    return asked


async def ask_for_erasure(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, who: Author, mode: Mode, seals: Seals
) -> Job:
    """Ask for an author to be erased or made nobody; that cannot be undone."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, workspace, Action.MANAGE_PRIVACY)
    asked = await _ask(uow, viewer, ERASE_AUTHOR, workspace, who, seals, mode=mode.value)
    told = {"author": _hash(seals, workspace, who), "mode": mode.value}
    what = audit.Action.WORKSPACE_ERASURE_REQUESTED
    await audit.record(uow, viewer, what, workspace, workspace, more=told)
    return asked


def meant(arguments: Mapping[str, Any], seals: Seals) -> Author:
    """Who is meant by a job's arguments."""
    sealed = base64.b64decode(arguments["author"])
    return Author(arguments["by"], seals.open(sealed, _PURPOSE).decode())


# Handing out


async def known(
    reader: Reader, workspace: UUID, who: Author, seals: Seals, *, after: UUID | None
) -> list[tuple[UUID, dict[str, Any]]]:
    """All that is known of the author's feedback behind that one, at most 500, with what was masked of it."""
    rows = await store.told(reader, workspace, who, after=after, most=BATCH)
    sent: dict[str, list[Any]] = {}
    for delivery in await store.delivered(reader, workspace, [row.id for row in rows]):
        sent.setdefault(delivery.feedback, []).append(orjson.loads(delivery.told))
    masked = await original.known(reader, workspace, [row.id for row in rows], seals)
    return [
        (
            row.id,
            orjson.loads(row.told)
            | {"deliveries": sent.get(row.id.hex, []), "original": _told(masked.get(row.id))},
        )
        for row in rows
    ]


def _told(was: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What was masked, by the names of our fields."""
    if was is None:
        return None
    names = {"author_name": "authorName", "author_email": "authorEmail"}
    names["author_external_id"] = "authorExternalId"
    told = {names.get(name, name): value for name, value in was.items()}
    return told | ({"metadata": orjson.loads(was["metadata"])} if "metadata" in was else {})


async def attachments(
    reader: Reader, workspace: UUID, feedback_ids: Sequence[UUID]
) -> list[store.FileRow]:
    """The files of these feedback."""
    return await store.attached(reader, workspace, feedback_ids)


async def keep(
    uow: UnitOfWork, workspace: UUID, rules: Rules, *, key: str, size: int, created_by: UUID | None
) -> File:
    """The row of the file that lies at `key`; ConflictError where there is no room for it."""
    expires_at = uow.now + KEPT
    row = await file_store.add(
        uow,
        workspace=workspace,
        quota=rules.quota,
        id=new_id(),
        name=f"author-{uow.now:%Y-%m-%d}.zip",
        content_type=CONTENT_TYPE,
        size=size,
        sha256=None,
        purpose=Purpose.EXPORT,
        key=key,
        upload=None,
        created_by=created_by,
        expires_at=expires_at,
    )
    if row is None:
        raise ConflictError(f"The workspace's files leave no room for {size:,} bytes.")
    ready = await file_store.settle(
        uow, workspace, row.id, status="READY", reason=None, expires_at=expires_at
    )
    assert ready is not None  # noqa: S101 - nobody else knows of it yet
    return ready


async def admit(reader: Reader, workspace: UUID, user: UUID | None) -> None:
    """NotFoundError or ForbiddenError if whoever asked may not read it out any more."""
    asked = None if user is None else await workspace_store.roles(reader, {user}, {workspace})
    if not asked:
        raise NotFoundError("Who asked for this does not belong to the workspace any more.")
    roles.require(asked[0].role, Action.MANAGE_PRIVACY)


# Erasing


async def batch(
    reader: Reader, workspace: UUID, who: Author
) -> tuple[list[UUID], list[store.FileRow]]:
    """Some feedback that the author has still written, and its files; none when all is done."""
    found = await store.some(reader, workspace, who, most=BATCH)
    return found, await store.attached(reader, workspace, found)


async def attempts(reader: Reader, workspace: UUID, found: Sequence[UUID]) -> int:
    """How often these feedback were sent on to webhooks: each is an entry of their log."""
    return await store.attempts(reader, workspace, found)


async def erase(
    uow: UnitOfWork,
    workspace: UUID,
    mode: Mode,
    found: Sequence[UUID],
    files: Sequence[store.FileRow],
) -> None:
    """Erase a batch in the entered workspace, or make it nobody's, and tell everybody."""
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, found):
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    await drop_files(uow, workspace, files)
    await store.redact(uow, workspace, found)
    rows: list[Feedback]
    if mode is Mode.ERASE:
        rows, happened = await store.delete(uow, workspace, found), "DELETED"
    else:
        rows, happened = await store.anonymise(uow, workspace, found), "UPDATED"
    for row in sorted(rows, key=attrgetter("id")):
        feedback.announce(uow, happened, row, tuple(tags.get(row.id, ())))


async def forget_texts(uow: UnitOfWork, workspace: UUID, who: Author) -> int:
    """Take away what could not be stored, and jobs that have ended, where the author is named; answers how many."""
    return 0 if len(who.value) < _TELLING else await store.forget(uow, workspace, who.value)


async def tables(reader: Reader, workspace: UUID, before: datetime) -> list[store.FileRow]:
    """The files of imports and exports, which may name the author."""
    return await store.tables(reader, workspace, before)


def is_searchable(file: store.FileRow) -> bool:
    """Whether it can be seen from its bytes who is named; of what is packed or drawn it cannot."""
    packed = file.name.lower().endswith((".gz", ".zip", ".bz2", ".xz", ".zst"))
    return file.content_type.startswith(_SEARCHABLE) and not packed


async def drop_files(uow: UnitOfWork, workspace: UUID, files: Sequence[store.FileRow]) -> None:
    """Take away the rows of files whose objects are gone, and give back the room that they took."""
    ids_ = [file.id for file in files]
    await store.expire(uow, workspace, ids_, uow.now - timedelta(seconds=1))
    await file_store.remove(uow, workspace, ids_, uow.now)


async def receipt(
    uow: UnitOfWork,
    workspace: UUID,
    who: Author,
    mode: Mode,
    counts: Counts,
    seals: Seals,
    *,
    by: UUID | None,
) -> UUID:
    """Say that it is done, in the log too, without saying who it was; answers the receipt's id."""
    hashed = _hash(seals, workspace, who)
    id_ = await store.add(
        uow,
        workspace=workspace,
        mode=mode.value,
        author=who,
        identifier_hash=hashed,
        by=by,
        **counts.values(),
    )
    told = {"receipt": ids.write(ids.Kind.ERASURE, id_), "author": hashed, "mode": mode.value}
    what = audit.Action.WORKSPACE_AUTHOR_ERASED
    await audit.record(uow, None, what, workspace, workspace, more=told | counts.values())
    return id_


async def receipts_of(
    reader: Reader, viewer: Viewer, wanted: Sequence[UUID], *, columns: Columns | None = None
) -> list[Receipt]:
    """The receipts of those of the workspaces where the viewer may erase, the newest first."""
    managers = roles.sufficient(viewer, Action.MANAGE_PRIVACY)
    return await store.of_workspaces(reader, viewer.user_id, managers, wanted, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, wanted: Sequence[UUID], *, columns: Columns | None = None
) -> list[Receipt]:
    managers = roles.sufficient(viewer, Action.MANAGE_PRIVACY)
    return await store.by_ids(reader, viewer.user_id, managers, wanted, columns=columns)


async def _ask(
    uow: UnitOfWork,
    viewer: Viewer,
    kind: Kind,
    workspace: UUID,
    who: Author,
    seals: Seals,
    **more: str,
) -> Job:
    sealed = base64.b64encode(seals.seal(who.value.encode(), _PURPOSE)).decode()
    return await job.enqueue(
        uow,
        kind,
        workspace=workspace,
        arguments={"by": who.by, "author": sealed, **more},
        once=Once(_hash(seals, workspace, who)),
        created_by=viewer.user_id,
    )


def _hash(seals: Seals, workspace: UUID, who: Author) -> str:
    """The same for one author of one workspace, and nothing that could be guessed back without SECRET_KEY."""
    value = who.value.lower() if who.by == "EMAIL" else who.value
    return seals.mac(f"{workspace.hex} {who.by} {value}".encode(), "author").hex()
