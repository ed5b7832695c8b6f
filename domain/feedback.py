"""Feedback: stored once, as it was sent, and announced."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain import roles, sentiment
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import InvalidInputError, NotFoundError
from domain.events import FEEDBACK_ADDED, Facets, FeedbackEvent
from domain.masker import Masker
from domain.roles import Action
from domain.seals import Seals
from domain.sentiment import Judgement, Sentence
from domain.sentiment import Unscored as NoScore
from domain.viewer import Viewer
from persistence import delivery as deliveries
from persistence import feedback as store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence.database import Columns, Reader, UnitOfWork, new_id
from persistence.spelling import Outline

Feedback = store.FeedbackRow
Filter = store.Filter
ALL = store.ALL
Order = store.Order
After = store.After
Source = source_store.SourceRow
Along = store.Along
WrittenPage = store.WrittenPage
Unscored = store.UnscoredRow
Revision = store.RevisionRow
MOST_REVISIONS = store.MOST_REVISIONS

LONGEST_BODY = 50_000
LARGEST_METADATA = 16_384
RATINGS = (0, 10)
_TO_BE_FOUND = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Author:
    name: str | None = None
    email: str | None = None
    external_id: str | None = None


_NOBODY = Author()


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer said, as any way in brings it."""

    body: str
    external_id: str | None = None
    author: Author | None = None
    rating: int | None = None
    occurred_at: datetime | None = None
    metadata: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedFeedback:
    """What is still known of a feedback that is gone: nothing that anybody wrote."""

    id: UUID
    source: Source
    rating: int | None
    occurred_at: datetime
    external_id: None = None
    author_name: None = None
    author_email: None = None
    author_external_id: None = None
    body: str = ""
    language: None = None
    metadata: None = None
    sentiment_label: None = None
    sentiment_model: None = None
    unscored_reason: None = None
    status: str
    assignee_id: None = None
    tags: tuple[()] = ()

    @property
    def source_id(self) -> UUID:
        return self.source.id

    @property
    def received_at(self) -> datetime:
        """As the id tells it, to the millisecond."""
        return datetime.fromtimestamp((self.id.int >> 80) / 1_000, UTC)


@dataclass(frozen=True, slots=True)
class SubmitFeedback:
    workspace_id: UUID
    source_id: UUID | None
    message: Message


@dataclass(frozen=True, slots=True)
class Submitted:
    """`duplicate`: the source had sent it before; the stored one is answered, changed if it was `updated`."""

    feedback: Feedback
    duplicate: bool
    updated: bool = False


async def submit(
    uow: UnitOfWork, viewer: Viewer, command: SubmitFeedback, seals: Seals | None = None
) -> Submitted:
    """Store one message, once, and announce it. Without a source it goes to the workspace's API source.

    `seals` are for sources that keep the originals of what they mask.
    """
    with suppress(InvalidInputError):  # refused below, and not before it is known who asks
        draft = drafted(command.message, uow.now)
        event = added_event(draft, command.source_id)
        row = await store.submit(
            uow,
            viewer.id,
            roles.sufficient(viewer, Action.SUBMIT_FEEDBACK),
            workspace=command.workspace_id,
            source=command.source_id,
            event_kind=event.kind,
            event=event.to_json(),
            **draft,
        )
        if row is not None:
            return Submitted(row, duplicate=False)
    # Something stands in the way; step by step it shows.
    source = await destination(uow, viewer, command.workspace_id, command.source_id)
    return await store_once(uow, source, command.message, seals)


async def submit_together(
    uow: UnitOfWork,
    viewer: Viewer,
    commands: Sequence[SubmitFeedback],
    traces: Sequence[str | None],
) -> list[Submitted | None]:
    """Store and announce messages of one source by one statement; None for each that something stands in the way of.

    `traces` are those that the messages belong to.
    """
    workspace, source = commands[0].workspace_id, commands[0].source_id
    arrivals: dict[int, store.Arrival] = {}
    for position, (command, trace) in enumerate(zip(commands, traces, strict=True)):
        with suppress(InvalidInputError):
            draft = drafted(command.message, uow.now)
            event = added_event(draft, source).to_json()
            arrivals[position] = store.Arrival(draft, event, None, trace=trace)
    rows = await store.submit_together(
        uow,
        viewer.id,
        roles.sufficient(viewer, Action.SUBMIT_FEEDBACK),
        list(arrivals.values()),
        workspace=workspace,
        source=source,
        event_kind=FEEDBACK_ADDED,
    )
    stored = {row.id: row for row in rows}
    ids = {position: arrival.draft["id"] for position, arrival in arrivals.items()}
    return [
        Submitted(stored[ids[position]], duplicate=False) if ids.get(position) in stored else None
        for position in range(len(commands))
    ]


async def receive(
    uow: UnitOfWork, source_id: UUID, delivery: str, message: Message, seals: Seals | None = None
) -> Submitted | None:
    """Store what a verified webhook brought; None when this delivery was stored before."""
    with suppress(InvalidInputError):
        draft = drafted(message, uow.now)
        event = added_event(draft, source_id)
        row = await store.receive(
            uow,
            source=source_id,
            webhook=delivery,
            event_kind=event.kind,
            event=event.to_json(),
            **draft,
        )
        if row is not None:
            return Submitted(row, duplicate=False)
    source = await source_store.enter(uow, source_id)
    if source is None:
        raise NotFoundError("There is no such source.")
    if not await deliveries.record(uow, source, delivery):
        return None
    return await store_once(uow, source, message, seals)


def check(message: Message, now: datetime) -> str | None:
    """Raise InvalidInputError unless the message may be stored; answers its metadata as JSON text."""
    checks = Checks()
    checks.text(message.body, "body", longest=LONGEST_BODY, required=True)
    checks.text(message.external_id, "externalId", longest=500)
    if message.external_id is not None and not message.external_id.strip():
        checks.refuse(["externalId"], "must not be blank")
    checks.number(message.rating, "rating", least=RATINGS[0], most=RATINGS[1])
    checks.moment(message.occurred_at, "occurredAt", now=now)
    if message.author is not None:
        checks.text(message.author.name, "author", "name", longest=200)
        checks.email(message.author.email, "author", "email")
        checks.text(message.author.external_id, "author", "externalId", longest=500)
    metadata = checks.json(message.metadata, "metadata", largest=LARGEST_METADATA)
    checks.done()
    return metadata


async def pages(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    *,
    where: Filter,
    order: Order,
    limit: int,
    after: After | None,
    columns: Columns | None = None,
    along: Along = store.NOTHING,
) -> list[Feedback]:
    """The first `limit` rows after `after` of each workspace, in the workspaces' order, with what is to come along."""
    return await store.pages(
        reader,
        viewer.id,
        workspace_ids,
        where=where,
        order=order,
        limit=limit,
        after=after,
        columns=columns,
        along=along,
    )


async def written_pages(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    outline: Outline,
    *,
    where: Filter,
    order: Order,
    size: int,
    after: After | None,
) -> Mapping[UUID, WrittenPage] | None:
    """The same as JSON, by workspace, without those that have none; None where it cannot be written so."""
    return await store.written_pages(
        reader, viewer.id, workspace_ids, outline, where=where, order=order, size=size, after=after
    )


async def counts(
    reader: Reader, viewer: Viewer, workspace_ids: Sequence[UUID], where: Filter
) -> Mapping[UUID, int]:
    """How many each workspace has; a workspace without any is missing."""
    return await store.counts(reader, viewer.id, workspace_ids, where)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, Feedback]:
    return await store.by_ids(reader, viewer.id, ids, columns=columns)


async def deleted(reader: Reader, viewer: Viewer, event: FeedbackEvent) -> DeletedFeedback | None:
    """What the event says of a feedback that is gone; None for who may not know, or when its source is gone too."""
    facets = event.facets
    sources = await source_store.by_ids(reader, viewer.id, [facets.source_id])
    if facets.source_id not in sources:
        return None
    return DeletedFeedback(
        id=event.feedback_id,
        source=sources[facets.source_id],
        rating=facets.rating,
        occurred_at=facets.occurred_at,
        status=facets.status,
    )


async def matching(reader: Reader, viewer: Viewer, ids: Sequence[UUID], where: Filter) -> set[UUID]:
    """Those of the ids that pass the filter."""
    return await store.matching(reader, viewer.id, ids, where)


async def revisions(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Revision]:
    """What each of them was before its source changed it, the latest first."""
    return await store.revisions(reader, viewer.id, ids, columns=columns)


async def spans(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Sentence]]:
    """What a model has said of each sentence of these."""
    found = await store.spans(reader, viewer.id, ids)
    return {id_: sentiment.read_spans(text) for id_, text in found.items()}


async def unscored(reader: Reader, workspace: UUID, ids: Sequence[UUID]) -> list[Unscored]:
    """Those of a workspace's feedback that wait for a score."""
    return await store.unscored(reader, workspace, ids)


async def record_scores(
    uow: UnitOfWork,
    workspace: UUID,
    scores: Sequence[tuple[UUID, Judgement | NoScore]],
    model: str,
    traces: Mapping[UUID, str] = {},
    *,
    texts: Mapping[UUID, str] = {},
) -> int:
    """Store scores where there are none yet and announce them; answers how many were stored.

    A text that has no score counts as looked at. `texts` are what was scored: of another text by now, which is still
    to be scored, nothing is stored. `traces` are those that single feedback belong to.
    """
    await uow.enter(workspace)
    given = [said_by_model(id_, score, texts.get(id_)) for id_, score in scores]
    rows = await store.score(uow, workspace, given, model=model)
    stored = {row.id: row for row in rows}
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, list(stored)) if stored else ():
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    for feedback, _ in scores:  # in the order of arrival, which RETURNING does not keep
        if feedback in stored:
            of = tuple(tags.get(feedback, ()))
            announce(uow, "SCORED", stored[feedback], of, traces.get(feedback))
    return len(rows)


def said_by_model(id_: UUID, score: Judgement | NoScore, text: str | None) -> store.Given:
    """What a model says of a text, to be stored."""
    digest = None
    if text is not None:
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    if isinstance(score, NoScore):
        return store.Given(id_, digest, reason=score.reason, language=score.language)
    return store.Given(
        id_,
        digest,
        score.label,
        score.score,
        score.confidence,
        sentiment.write_spans(score.spans),
        language=score.language,
    )


def announce(
    uow: UnitOfWork,
    type: str,
    row: Feedback,
    tag_ids: tuple[UUID, ...] = (),
    trace: str | None = None,
) -> None:
    """Tell everybody what happened to this feedback, when the transaction commits."""
    facets = Facets(
        row.source_id,
        row.rating,
        row.sentiment_label,
        row.occurred_at,
        tag_ids,
        row.status,
        row.assignee_id,
    )
    event = FeedbackEvent(type, row.id, facets)
    uow.emit(row.workspace_id, event.kind, event.to_json(), trace=trace)


def drafted(message: Message, now: datetime, masker: Masker | None = None) -> store.Draft:
    """What is stored of a message; InvalidInputError unless it may be."""
    metadata = check(message, now)
    author = message.author or _NOBODY
    draft = store.Draft(
        id=new_id(),
        external_id=message.external_id,
        author_name=author.name,
        author_email=author.email,
        author_external_id=author.external_id,
        body=message.body,
        rating=message.rating,
        metadata=metadata,
        occurred_at=(message.occurred_at or now).astimezone(UTC),
        sealed=None,
    )
    return draft if masker is None else masker.draft(draft)


def added_event(draft: store.Draft, source_id: UUID | None) -> FeedbackEvent:
    """The event of a feedback that is still to be stored; the statement that stores it says from which source."""
    facets = Facets(source_id or _TO_BE_FOUND, draft["rating"], None, draft["occurred_at"])
    return FeedbackEvent("ADDED", draft["id"], facets)


async def destination(
    uow: UnitOfWork, viewer: Viewer, workspace_id: UUID, source_id: UUID | None
) -> source_store.SourceRow:
    """Where the viewer's feedback goes, in a workspace that is entered with it."""
    await workspaces.enter(uow, viewer, workspace_id, Action.SUBMIT_FEEDBACK)
    if source_id is None:
        source = await source_store.default_api(uow, workspace_id)
    else:
        source = await source_store.in_workspace(uow, workspace_id, source_id)
    if source is None:
        raise NotFoundError("There is no such source in this workspace.")
    return source


async def store_once(
    uow: UnitOfWork, source: source_store.SourceRow, message: Message, seals: Seals | None
) -> Submitted:
    draft = drafted(message, uow.now, Masker.of(source, seals))
    workspace, stored = source.workspace_id, None
    # What collides may be gone before it can be read.
    while stored is None:
        row = await store.add(uow, workspace=workspace, source=source.id, **draft)
        if row is not None:
            announce(uow, "ADDED", row)
            return Submitted(row, duplicate=False)
        assert message.external_id is not None  # noqa: S101 - only it can collide
        stored = await store.by_external_id(uow, workspace, source.id, message.external_id)
    return Submitted(stored, duplicate=True)
