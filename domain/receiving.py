"""What webhooks bring: read as the provider means it, taken in, or kept apart with the reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domain import intake
from domain.errors import InvalidInputError
from domain.intake import Incoming
from domain.masker import Masker
from domain.provider import (
    PROVIDERS,
    TOLERANCE_SECONDS,
    Entry,
    Heard,
    Problem,
    Reading,
    Request,
    Unheard,
)
from domain.seals import Seals
from persistence import quarantine as store
from persistence import source as source_store
from persistence.database import UnitOfWork
from persistence.delivery import NEVER
from persistence.quarantine import QuarantinedRow
from persistence.source import SourceRow

MOST_KEPT_BYTES = 262_144
_MOST_TOLD = 50
_CAPITAL = re.compile(r"(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified body: an entry for each thing in it, which may be stored or may not, or the answer it asks for."""

    id: str
    entries: Sequence[Incoming | Unheard]
    answer: Mapping[str, Any] | None
    is_batch: bool
    window: timedelta | None
    """How long a repetition can be told from something new that looks the same; None for ever."""

    def forgotten(self, now: datetime) -> datetime:
        """Deliveries before this time say nothing about this one."""
        return NEVER if self.window is None else now - self.window


def verify(row: SourceRow, secrets: Sequence[str], request: Request) -> str:
    """An id of the delivery; BadSignatureError unless it was signed with one of the secrets, and in time."""
    return PROVIDERS[row.provider].verify(request, secrets, orjson.loads(row.settings))


def read(row: SourceRow, delivery: str, body: bytes, now: datetime, seals: Seals) -> Delivery:
    """What a verified body holds. Where its sender has given it an id that is signed, that is the delivery's."""
    settings: Mapping[str, Any] = orjson.loads(row.settings)
    reading = PROVIDERS[row.provider].read(body, settings)
    id_ = reading.delivery or delivery
    is_unmarked = reading.delivery is None and row.provider == "GENERIC"
    is_dated = settings.get("timestampHeader") is not None
    return Delivery(
        id_,
        _admitted(row, reading, id_, now, seals),
        reading.answer,
        is_batch=any(entry.part is not None for entry in reading.entries),
        window=timedelta(seconds=TOLERANCE_SECONDS) if is_unmarked and not is_dated else None,
    )


def read_again(
    kept: QuarantinedRow, row: SourceRow, now: datetime, seals: Seals
) -> Sequence[Incoming | Unheard]:
    """What a body, or a part of one, that was kept apart holds by the rules and the mapping of today."""
    settings: Mapping[str, Any] = orjson.loads(row.settings)
    provider = PROVIDERS[row.provider]
    reader = provider.read_part if kept.is_part and provider.read_part else provider.read
    return _admitted(row, reader(kept.raw, settings), kept.delivery, now, seals)


def _admitted(
    row: SourceRow, reading: Reading, delivery: str, now: datetime, seals: Seals
) -> list[Incoming | Unheard]:
    is_one = len(reading.entries) == 1
    masker = Masker.of(row, seals)
    return [
        _admit(row, entry, delivery if is_one else f"{delivery}#{position}", now, masker)
        for position, entry in enumerate(reading.entries)
    ]


def _admit(
    row: SourceRow, entry: Entry, delivery: str, now: datetime, masker: Masker | None
) -> Incoming | Unheard:
    if isinstance(entry, Unheard):
        return entry
    try:
        return intake.incoming(
            entry.message, now, delivery=delivery, edits=entry.edits, masker=masker
        )
    except InvalidInputError as error:
        # Named as the body names them, where the body is ours.
        is_ours = row.provider == "STANDARD"
        problems = tuple(
            Problem(("data", *map(_snake, each.path)) if is_ours else each.path, each.message)
            for each in error.fields
        )
        return Unheard(str(error), problems, entry.part)


def looked_at(entry: Entry, now: datetime) -> Heard | Unheard:
    """A heard feedback as it would be stored, or why it would not."""
    if isinstance(entry, Unheard):
        return entry
    try:
        intake.incoming(entry.message, now, delivery="", edits=False)
    except InvalidInputError as error:
        problems = tuple(Problem(each.path, each.message) for each in error.fields)
        return Unheard(str(error), problems, entry.part)
    return entry


async def keep_apart(uow: UnitOfWork, source_id: UUID, delivery: Delivery, body: bytes) -> None:
    """Keep what is no feedback, of a body the part that it is in: up to 256 KiB of it, for 30 days.

    What its source masks is masked for good.
    """
    row = await source_store.enter(uow, source_id)
    if row is None:
        return
    is_one = len(delivery.entries) == 1
    masker = Masker.of(row, None)
    kept = [
        _kept(entry, delivery.id if is_one else f"{delivery.id}#{position}", body, masker)
        for position, entry in enumerate(delivery.entries)
        if isinstance(entry, Unheard)
    ]
    await store.keep(uow, row.workspace_id, row.id, kept)


def _kept(entry: Unheard, delivery: str, body: bytes, masker: Masker | None) -> store.Kept:
    raw = body if entry.part is None else entry.part
    problems: list[dict[str, Any]] = [
        {"path": list(each.path), "message": each.message} for each in entry.problems[:_MOST_TOLD]
    ]
    reason = entry.reason
    if masker is not None:
        raw, reason = masker.raw(raw), masker.text(reason)
        problems = [{**each, "message": masker.text(each["message"])} for each in problems]
    return store.Kept(
        delivery=delivery,
        reason=_storable(reason),
        problems=_storable(orjson.dumps(problems).decode()),
        raw=raw[:MOST_KEPT_BYTES],
        size=len(raw),
        is_part=entry.part is not None,
    )


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").replace("\\u0000", "\\ufffd")


def _snake(name: str) -> str:
    """A field's name as our webhooks write it."""
    return _CAPITAL.sub("_", name).lower()


async def take_in(
    uow: UnitOfWork, row: SourceRow, kept: QuarantinedRow, seals: Seals
) -> Unheard | bool:
    """Try what was kept apart once more, in a workspace that was entered: why not, or whether something was stored."""
    if kept.size > len(kept.raw):
        return Unheard("It was too large to be kept whole.")
    entries = read_again(kept, row, uow.now, seals)
    refused = next((entry for entry in entries if isinstance(entry, Unheard)), None)
    if refused is not None:
        return refused
    stored = False
    for entry in entries:
        assert isinstance(entry, Incoming)  # noqa: S101 - none was refused
        received = await intake.receive_one(uow, row.id, entry)
        stored = stored or not received.duplicate
    return stored
