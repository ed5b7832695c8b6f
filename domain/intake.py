"""Many messages at once: what webhooks bring, new or changed, and what partners submit in batches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain import feedback
from domain.errors import InvalidInputError, NotFoundError
from domain.events import FEEDBACK_ADDED
from domain.masker import Masker
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import delivery as deliveries
from persistence import feedback as store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence.database import UnitOfWork
from persistence.delivery import NEVER
from telemetry import trace

MOST_AT_ONCE = 500
_TO_BE_FOUND = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that may be stored, and the delivery that brought it, in which trace. See `incoming`."""

    draft: store.Draft
    is_dated: bool
    delivery: str
    edits: bool
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What is stored of an incoming message now; its id is not known where its delivery was repeated."""

    id: UUID | None
    duplicate: bool
    updated: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """An edit of what is known, still to be made by `receive_one`; `is_recorded`: its delivery is remembered."""

    message: Incoming
    is_recorded: bool


@dataclass(frozen=True, slots=True)
class SubmitMany:
    workspace_id: UUID
    source_id: UUID | None
    messages: Sequence[feedback.Message]


async def submit_many(
    uow: UnitOfWork, viewer: Viewer, command: SubmitMany, seals: Seals
) -> list[feedback.Submitted | InvalidInputError]:
    """Store each of the messages that may be stored, once, and announce it; the others are answered with why not."""
    if not 0 < len(command.messages) <= MOST_AT_ONCE:
        raise InvalidInputError(
            f"1 to {MOST_AT_ONCE} messages at once; there are {len(command.messages):,}."
        )
    source = await feedback.destination(uow, viewer, command.workspace_id, command.source_id)
    masker = Masker.of(source, seals)
    refused: dict[int, InvalidInputError] = {}
    drafts: dict[int, store.Draft] = {}
    first: dict[str, int] = {}  # where an external id stands first
    for position, message in enumerate(command.messages):
        try:
            draft = feedback.drafted(message, uow.now, masker)
            if masker is not None:
                await asyncio.sleep(0)  # It takes its time, and others have their turn.
        except InvalidInputError as error:
            refused[position] = error
            continue
        external_id = draft["external_id"]
        if external_id is None or first.setdefault(external_id, position) == position:
            drafts[position] = draft
    arrivals = [_arrival(draft, source.id) for draft in drafts.values()]
    stored = await store.submit_many(
        uow, source.workspace_id, source.id, arrivals, event_kind=FEEDBACK_ADDED
    )
    outcomes = dict(zip(drafts, stored, strict=True))
    rows = await store.by_ids(uow, viewer.id, [each.id for each in stored if each.id is not None])
    answers: list[feedback.Submitted | InvalidInputError] = []
    for position, message in enumerate(command.messages):
        if position in refused:
            answers.append(refused[position])
            continue
        of = position if position in drafts else first[message.external_id or ""]
        row = rows.get(outcomes[of].id or _TO_BE_FOUND)
        if row is None:  # stored by somebody else in this moment
            row = (await feedback.store_once(uow, source, message, seals)).feedback
        answers.append(feedback.Submitted(row, duplicate=of != position or outcomes[of].is_known))
    return answers


def incoming(
    message: feedback.Message,
    now: datetime,
    *,
    delivery: str,
    edits: bool,
    masker: Masker | None = None,
) -> Incoming:
    """A verified webhook's message, masked as its source says; InvalidInputError unless it may be stored."""
    return Incoming(
        feedback.drafted(message, now, masker),
        message.occurred_at is not None,
        delivery,
        edits,
        trace.carried(),
    )


async def receive_many(
    uow: UnitOfWork, source_id: UUID, messages: Sequence[Incoming], *, forgotten: datetime = NEVER
) -> list[Received | Pending]:
    """Store what verified webhooks brought that is new: all of it or nothing, in one round trip.

    No two may be of the same delivery, or have the same external id. Deliveries before `forgotten` count as new.
    """
    drafts = [
        each.draft if each.is_dated else store.Draft(**(each.draft | {"occurred_at": uow.now}))
        for each in messages
    ]
    stored = await store.receive_many(
        uow,
        source_id,
        [_arrival(draft, source_id, each) for draft, each in zip(drafts, messages, strict=True)],
        event_kind=FEEDBACK_ADDED,
        forgotten=forgotten,
    )
    if stored is None:
        raise NotFoundError("There is no such source.")
    return [
        Pending(message, is_recorded=not each.is_repeated)
        if message.edits and each.is_known
        else Received(each.id, each.is_known)
        for message, each in zip(messages, stored, strict=True)
    ]


async def receive_one(
    uow: UnitOfWork,
    source_id: UUID,
    message: Incoming,
    *,
    forgotten: datetime = NEVER,
    is_recorded: bool = False,
) -> Received:
    """Store what a verified webhook brought. An edit takes the place of what is known by its external id."""
    source = await source_store.enter(uow, source_id)
    if source is None:
        raise NotFoundError("There is no such source.")
    if not is_recorded and not await deliveries.record(
        uow, source, message.delivery, forgotten=forgotten
    ):
        return Received(None, duplicate=True)
    stored = await _store_anew(uow, source, message.draft, edits=message.edits)
    return Received(stored.feedback.id, stored.duplicate, stored.updated)


def _arrival(draft: store.Draft, source_id: UUID, of: Incoming | None = None) -> store.Arrival:
    event = feedback.added_event(draft, source_id).to_json()
    if of is None:
        return store.Arrival(draft, event, None, trace=trace.carried())
    return store.Arrival(draft, event, of.delivery, of.edits, of.trace)


async def _store_anew(
    uow: UnitOfWork, source: source_store.SourceRow, draft: store.Draft, *, edits: bool
) -> feedback.Submitted:
    """Store it or, where its external id is known and it edits that, put it in the place of that."""
    workspace, external_id = source.workspace_id, draft["external_id"]
    while True:
        row = await store.add(uow, workspace=workspace, source=source.id, **draft)
        if row is not None:
            feedback.announce(uow, "ADDED", row)
            return feedback.Submitted(row, duplicate=False)
        assert external_id is not None  # noqa: S101 - only it can collide
        row = await store.lock_by_external_id(uow, workspace, source.id, external_id)
        if row is not None:
            break
    if not edits or _said(row) == _said(draft):
        return feedback.Submitted(row, duplicate=True)
    revised = await store.revise(uow, row, draft)
    tags = tuple(link.tag_id for link in await tag_store.links(uow, workspace, [row.id]))
    feedback.announce(uow, "UPDATED", revised, tags)
    return feedback.Submitted(revised, duplicate=True, updated=True)


def _said(of: Any) -> tuple[Any, ...]:
    """What a row or a draft says, to be compared."""
    metadata = of["metadata"]
    return (
        *(of[name] for name in ("author_name", "author_email", "author_external_id")),
        of["body"],
        of["rating"],
        None if metadata is None else orjson.loads(metadata),
    )
