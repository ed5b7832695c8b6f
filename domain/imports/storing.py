"""Storing a file's rows batch by batch, telling of those that were refused, and taking stored ones away again."""

import asyncio
import csv
import secrets
from collections.abc import Generator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from domain import events, feedback
from domain.cells import harmless
from domain.events import Facets, FeedbackEvent
from domain.file import File, Purpose
from domain.imports import columns
from domain.imports.asking import IMPORT, UNDO, made_by
from domain.imports.layout import detect
from domain.imports.opening import opened
from domain.imports.row import Reading, Refusal, Row
from domain.masker import Masker
from domain.seals import Seals
from domain.tag import DEFAULT_COLOR
from persistence import file as file_store
from persistence import imports as store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence.database import Database, Reader, UnitOfWork, new_id
from persistence.objects import Objects
from persistence.tally import Tally

BATCH = 500
_KEPT = timedelta(days=30)
_PART = 8 * 2**20
_PAGE = 2_000
_ANY_ROOM = 2**62
_CONTENT_TYPE = "text/csv"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that follow each other, those that may be stored and the others, and how much of the file is read then."""

    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    fraction: float

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.refusals)


@dataclass(frozen=True, slots=True)
class Report:
    """The file of the refused rows, in the bucket."""

    id: UUID
    key: str
    size: int


def batches(
    path: Path, said: Mapping[str, str | None], now: datetime, *, after: int
) -> Generator[Batch]:
    """The rows of a file behind the first `after`, which are read again, for the ids of others depend on them.

    For those it yields batches without rows, so that whoever waits hears something.

    InvalidInputError where it is no file that can be imported. It reads and computes: a thread is the place for it.
    """
    layout = detect(path)
    mapping = columns.resolve(said, layout.columns)
    with Tally(path.with_suffix(".tally")) as tally, opened(path, layout) as (raw, fraction):
        found = Reading(layout, mapping, tally.count, now).of(raw)
        while after > 0 and (passed := sum(1 for _ in islice(found, min(BATCH, after)))):
            after -= passed
            yield Batch((), (), fraction())
        while some := list(islice(found, BATCH)):
            yield Batch(
                tuple(each for each in some if isinstance(each, Row)),
                tuple(each for each in some if isinstance(each, Refusal)),
                fraction(),
            )


async def stored(reader: Reader, workspace: UUID, job: UUID) -> int:
    """How many rows of an import are there."""
    return await store.count(reader, workspace, job)


async def keep(
    uow: UnitOfWork,
    batch: Batch,
    *,
    workspace: UUID,
    source: UUID,
    job: UUID,
    now: datetime,
    seals: Seals,
) -> int:
    """Store what may be stored of a batch, in an entered workspace; answers how many rows were new."""
    maskers = {
        of: masker
        for of, rules in (await store.maskings(uow, workspace)).items()
        if (masker := Masker.by(of, rules, seals)) is not None
    }
    if batch.refusals:
        masked = maskers[source].text if source in maskers else str
        refused = [
            (each.number, each.columns, masked(each.reason), masked(each.original))
            for each in batch.refusals
        ]
        await store.refuse(uow, workspace, job, refused)
    if not batch.rows:
        return 0
    # Which of them are one is for Postgres to say.
    names = dict.fromkeys(name for row in batch.rows for name in row.tags)
    tags: dict[str, UUID] = {}
    if names:
        tags = await store.tags(uow, workspace, job, list(names), DEFAULT_COLOR)
    sources = await _sources(uow, workspace, job, {row.source for row in batch.rows if row.source})
    drafts: list[store.Draft] = []
    links: list[tuple[UUID, UUID]] = []
    for row in batch.rows:
        borne = tuple(dict.fromkeys(tags[name] for name in row.tags))
        draft = _draft(row, sources[row.source] if row.source else source, borne, now)
        masker = maskers.get(draft["source_id"])
        drafts.append(draft if masker is None else masker.draft(draft))
        links += [(draft["id"], tag) for tag in borne]
    return await store.store(
        uow,
        workspace=workspace,
        job=job,
        event_kind=events.FEEDBACK_ADDED,
        drafts=drafts,
        links=links,
    )


async def _sources(
    uow: UnitOfWork, workspace: UUID, job: UUID, names: AbstractSet[str]
) -> dict[str, UUID]:
    """The sources of these names; those that there are not yet are made."""
    if not names:
        return {}
    found = await store.sources(uow, workspace, list(names))
    if len(found) < len(names):
        # Another import may make them at the same time.
        await store.lock_workspace(uow, workspace)
        found = await store.sources(uow, workspace, list(names))
        for name in sorted(names - found.keys()):
            made = await source_store.add(
                uow,
                workspace=workspace,
                name=name,
                kind="IMPORT",
                provider="STANDARD",
                settings=made_by(job),
            )
            found[name] = made.id
    return found


def _draft(row: Row, source: UUID, tags: tuple[UUID, ...], now: datetime) -> store.Draft:
    message, id_ = row.message, new_id()
    author = message.author or feedback.Author()
    occurred_at = message.occurred_at or now
    facets = Facets(source, message.rating, None, occurred_at, tags)
    return store.Draft(
        id=id_,
        source_id=source,
        external_id=message.external_id,
        author_name=author.name,
        author_email=author.email,
        author_external_id=author.external_id,
        body=message.body,
        rating=message.rating,
        language=row.language,
        metadata=row.metadata,
        occurred_at=occurred_at,
        event=FeedbackEvent("ADDED", id_, facets, patient=True).to_json(),
        sealed=None,
    )


# The rows that were refused


async def report(
    database: Database, objects: Objects, path: Path, *, workspace: UUID, job: UUID
) -> Report:
    """Write the refused rows of an import to the local path, as CSV, and send that to the bucket."""
    number = 0
    rows: list[tuple[str, ...]] = [("row", "column", "reason", "original")]
    while rows:
        await asyncio.to_thread(_append, path, rows)
        async with database.reader() as reader:
            page = await store.refusals(reader, workspace, job, after=number, most=_PAGE)
        rows = [(str(row.number), row.columns, row.reason, row.original) for row in page]
        number = page[-1].number if page else number
    id_ = new_id()
    key = f"files/{workspace.hex}/{id_.hex}-{secrets.token_hex(16)}"
    size = (await asyncio.to_thread(path.stat)).st_size
    await _send(objects, key, path, size)
    return Report(id_, key, size)


def _append(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([tuple(map(harmless, row)) for row in rows])


async def _send(objects: Objects, key: str, path: Path, size: int) -> None:
    with await asyncio.to_thread(path.open, "rb") as file:
        if size <= _PART:
            await objects.put(key, await asyncio.to_thread(file.read), _CONTENT_TYPE)
            return
        upload = await objects.begin_parts(key, _CONTENT_TYPE)
        number = 1
        while part := await asyncio.to_thread(file.read, _PART):
            await objects.send_part(key, upload, number, part)
            number += 1
        await objects.join_parts(key, upload, size=size)


async def finish(
    uow: UnitOfWork, made: Report, *, workspace: UUID, job: UUID, created_by: UUID | None
) -> File:
    """Let the report be a file of the workspace, and forget the rows that are in it."""
    row = await file_store.add(
        uow,
        workspace=workspace,
        quota=_ANY_ROOM,
        id=made.id,
        name="import-errors.csv",
        content_type=_CONTENT_TYPE,
        size=made.size,
        sha256=None,
        purpose=Purpose.EXPORT,
        key=made.key,
        upload=None,
        created_by=created_by,
        expires_at=uow.now + _KEPT,
    )
    assert row is not None  # noqa: S101 - there is room for it
    await file_store.settle(
        uow, workspace, made.id, status="READY", reason=None, expires_at=uow.now + _KEPT
    )
    await store.forget_refusals(uow, workspace, job)
    return row


# Undoing


async def was_undone(reader: Reader, workspace: UUID, job: UUID) -> bool:
    """Whether somebody has asked for that; then no attempt may store any more."""
    return await store.was_asked(reader, workspace, UNDO.name, job.hex)


async def take_away(uow: UnitOfWork, workspace: UUID, job: UUID) -> int:
    """Delete some of what an import has stored, and tell of it; answers how many. Others may be left even at 0."""
    ids = await store.lock_some(uow, workspace, job, most=BATCH)
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, ids):
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    for row in await store.delete(uow, workspace, ids):
        feedback.announce(uow, "DELETED", row, tuple(tags.get(row.id, ())))
    return len(ids)


async def forget(uow: UnitOfWork, workspace: UUID, job: UUID) -> None:
    """Take away what else an import has left when its feedback is gone: tags and sources that it made and nobody uses.

    So those of imports that were undone before, which were still used then.
    """
    await store.forget_refusals(uow, workspace, job)
    await store.delete_tags(uow, workspace, UNDO.name)
    await store.lock_workspace(uow, workspace)
    await store.delete_sources(uow, workspace, undo=UNDO.name, kind=IMPORT.name)
