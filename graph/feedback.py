"""Feedback in the schema: the type, its lists, and the ways to add to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol
from uuid import UUID

import strawberry

from domain import feedback, file, history, similar, source, tag, triage
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped, signed_in
from graph.context import Info
from graph.cost import Cost, ListSize
from graph.engine import SPELLING
from graph.errors import Forbidden, InvalidInput, NotFound, RateLimited
from graph.feedback_filter import FeedbackStatus
from graph.feedback_page import total_counts
from graph.fields import batch, column, computed, rows
from graph.history import FeedbackAssignee, FeedbackChange
from graph.node import Node, id_field, read_id
from graph.note import FeedbackNoteConnection, notes_of
from graph.pagination import (
    PageInfo,
    edges_field,
    nodes_field,
    page_info_field,
)
from graph.scalars import JSON, json_text
from graph.sentiment import Sentiment, SentimentLabel, UnscoredReason, unscored_reason
from graph.source import Source
from graph.tag import Tag
from persistence.limits import Limit
from persistence.spelling import ASSIGNEE, CURSOR, SOURCE, TAGS, Embedded, Part

if TYPE_CHECKING:
    from graph.file import File

FeedbackOrder = strawberry.enum(
    feedback.Order,
    name="FeedbackOrder",
    description="How to sort feedback. Ties are broken by id; where the score decides, what is not "
    "scored yet comes last.",
)

SUBMISSIONS = Limit("submit-feedback", points=6_000, seconds=60)


@strawberry.type(description="Who wrote a message, as far as the source told.")
class Author:
    name: str | None = strawberry.field(description="As people call them.")
    email: str | None = strawberry.field(description="Their address.")
    external_id: str | None = strawberry.field(description="The sender's own id of them.")


def _author(root: strawberry.Parent[feedback.Feedback]) -> Author | None:
    if root.author_name is root.author_email is root.author_external_id is None:
        return None
    return Author(
        name=root.author_name, email=root.author_email, external_id=root.author_external_id
    )


def _sentiment(root: strawberry.Parent[feedback.Feedback]) -> Sentiment | None:
    if root.sentiment_label is None:
        return None
    assert root.sentiment_score is not None  # noqa: S101 - they are stored together
    assert root.sentiment_confidence is not None  # noqa: S101
    assert root.sentiment_model is not None  # noqa: S101
    return Sentiment(
        label=SentimentLabel(root.sentiment_label),
        score=root.sentiment_score,
        confidence=root.sentiment_confidence,
        model=root.sentiment_model,
        feedback_id=root.id,
    )


async def _source(parents: Sequence[feedback.Feedback], info: Info) -> Sequence[source.Source]:
    async with info.context.reader() as reader:
        found = await source.by_ids(
            reader,
            info.context.viewer,
            list({parent.source_id for parent in parents}),
            columns=info.columns("Source"),
        )
    return [found[parent.source_id] for parent in parents]


async def _tags(parents: Sequence[feedback.Feedback], info: Info) -> Sequence[Sequence[tag.Tag]]:
    async with info.context.reader() as reader:
        borne = await tag.borne(
            reader,
            info.context.viewer,
            list({parent.id for parent in parents}),
            columns=info.columns("Tag"),
        )
    return [borne.get(parent.id, ()) for parent in parents]


async def _attachments(
    parents: Sequence[feedback.Feedback], info: Info
) -> Sequence[Sequence[file.File]]:
    async with info.context.reader() as reader:
        attached = await file.attached(
            reader,
            info.context.viewer,
            list({parent.id for parent in parents}),
            columns=info.columns("File"),
        )
    return [attached.get(parent.id, ()) for parent in parents]


@strawberry.type(description="A feedback as it was before its source changed it.")
@rows(feedback.Revision)
class FeedbackRevision:
    body: str = strawberry.field(description="The text as it was.")
    rating: int | None = strawberry.field(description="The rating as it was.")
    author_name: str | None = strawberry.field(description="The author's name as it was.")
    author_email: str | None = strawberry.field(description="The author's address as it was.")
    metadata: JSON | None = column(
        "metadata",
        json_text,
        graphql_type=JSON | None,
        description="What else the sender had told.",
    )
    replaced_at: datetime = strawberry.field(description="When that changed.")


async def _revisions(
    parents: Sequence[feedback.Feedback], info: Info
) -> Sequence[Sequence[feedback.Revision]]:
    found: dict[UUID, list[feedback.Revision]] = {parent.id: [] for parent in parents}
    async with info.context.reader() as reader:
        revised = await feedback.revisions(
            reader, info.context.viewer, list(found), columns=info.columns("FeedbackRevision")
        )
    for row in revised:
        found[row.feedback_id].append(row)
    return [found[parent.id] for parent in parents]


async def _assignees(
    parents: Sequence[feedback.Feedback], info: Info
) -> Sequence[triage.Assignee | None]:
    wanted = {parent.assignee_id for parent in parents}
    async with info.context.reader() as reader:
        found = await triage.assignees(
            reader, info.context.viewer, [id_ for id_ in wanted if id_ is not None]
        )
    return [None if (id_ := parent.assignee_id) is None else found.get(id_) for parent in parents]


async def _history(
    parents: Sequence[feedback.Feedback], info: Info
) -> Sequence[Sequence[history.Changed]]:
    found: dict[UUID, list[history.Changed]] = {parent.id: [] for parent in parents}
    async with info.context.reader() as reader:
        changed = await history.of_feedback(reader, info.context.viewer, list(found))
    for row in changed:
        found[row.feedback_id].append(row)
    return [found[parent.id] for parent in parents]


async def _similar(
    parents: Sequence[feedback.Feedback], info: Info, first: int = 5
) -> Sequence[Sequence[feedback.Feedback]]:
    similar.check(first)
    async with info.context.reader() as reader:
        found = await similar.to_feedback(
            reader,
            info.context.viewer,
            list({parent.id for parent in parents}),
            limit=first,
            columns=info.columns("Feedback"),
        )
    return [found[parent.id] for parent in parents]


@strawberry.type(description="One message of a customer, stored as it was sent.")
@rows(feedback.Feedback, feedback.DeletedFeedback)
class Feedback(Node):
    id: strawberry.ID = id_field(Kind.FEEDBACK)
    source: Source = batch(
        _source,
        reads=("source_id",),
        brought="source",
        spelling=SOURCE,
        graphql_type=Source,
        description="Where it came from.",
    )
    external_id: str | None = strawberry.field(
        description="The sender's own id: the same id from the same source is stored once."
    )
    author: Author | None = computed(
        _author,
        reads=("author_name", "author_email", "author_external_id"),
        spelling=Part("author_", ("author_name", "author_email", "author_external_id")),
        description="Who wrote it; null where the source did not tell.",
    )
    body: str = strawberry.field(description="The text as it was sent. It may contain anything.")
    rating: int | None = strawberry.field(description="From 0 to 10, on the source's own scale.")
    language: str | None = strawberry.field(
        description="The text's language (BCP 47): what its source has said, or what was found out when it was "
        "scored; null where it is not known."
    )
    sentiment: Sentiment | None = computed(
        _sentiment,
        reads=(
            "id",
            "sentiment_label",
            "sentiment_score",
            "sentiment_confidence",
            "sentiment_model",
        ),
        spelling=Part("sentiment_", ("sentiment_label",)),
        description="Null until it has been scored, and where it cannot be: `unscoredReason` says why.",
    )
    unscored_reason: UnscoredReason | None = computed(
        unscored_reason,
        reads=("sentiment_label", "sentiment_model", "unscored_reason"),
        description="Why there is no sentiment; null where there is one.",
    )
    tags: list[Tag] = batch(
        _tags,
        reads=("id",),
        brought="tags",
        spelling=TAGS,
        directives=[ListSize(assumed_size=3)],
        graphql_type=list[Tag],
        description="Its tags, by name.",
    )
    attachments: list[Annotated["File", strawberry.lazy("graph.file")]] = batch(
        _attachments,
        reads=("id",),
        graphql_type=list[Annotated["File", strawberry.lazy("graph.file")]],
        description="The files attached to it, the oldest first.",
    )
    metadata: JSON | None = column(
        "metadata",
        json_text,
        spelling=Embedded("metadata"),
        graphql_type=JSON | None,
        description="Whatever else the sender told: a JSON object.",
    )
    occurred_at: datetime = strawberry.field(description="When the customer said it.")
    received_at: datetime = strawberry.field(description="When it was stored here.")
    revisions: list[FeedbackRevision] = batch(
        _revisions,
        reads=("id",),
        directives=[ListSize(assumed_size=1)],
        graphql_type=list[FeedbackRevision],
        description="What it was before its source changed it, the latest first: at most 20.",
    )
    status: triage.Status = column(
        "status",
        triage.Status,
        graphql_type=FeedbackStatus,
        description="How far people have come with it: `updateFeedback` sets it.",
    )
    assignee: FeedbackAssignee | None = batch(
        _assignees,
        reads=("assignee_id",),
        spelling=ASSIGNEE,
        graphql_type=FeedbackAssignee | None,
        description="Whose it is to work on; null for nobody's. Who leaves the workspace is assigned to nothing.",
    )
    notes: FeedbackNoteConnection = batch(
        notes_of,
        reads=("id",),
        access=signed_in,
        graphql_type=FeedbackNoteConnection,
        description="What people of the workspace have written on it, the newest first. Closed to API keys.",
    )
    similar: list[Annotated["Feedback", strawberry.lazy("graph.feedback")]] = batch(
        _similar,
        reads=("id",),
        directives=[Cost(weight="5"), ListSize(assumed_size=5, slicing_arguments=["first"])],
        graphql_type=list[Annotated["Feedback", strawberry.lazy("graph.feedback")]],
        description="What is most like it in the workspace, by rare words, tags and source: at most 20.",
    )
    history: list[FeedbackChange] = batch(
        _history,
        reads=("id",),
        directives=[ListSize(assumed_size=5)],
        graphql_type=list[FeedbackChange],
        description="What became another of it since it came, the latest first: at most 100.",
    )


@strawberry.type(description="A feedback in a list.")
class FeedbackEdge:
    cursor: str = strawberry.field(
        description="Pass it as `after` to go on behind this one.", metadata={SPELLING: CURSOR}
    )
    node: Feedback = strawberry.field(description="The feedback.", metadata={SPELLING: Part()})


@strawberry.type(description="A page of a workspace's feedback.")
class FeedbackConnection:
    edges: list[FeedbackEdge] = edges_field(FeedbackEdge)
    nodes: list[Feedback] = nodes_field(Feedback)
    page_info: PageInfo = page_info_field()
    total_count: int = batch(
        total_counts,
        reads=("workspace_id", "where"),
        graphql_type=int,
        description="How many there are on all pages. Counted only when it is selected.",
    )


@strawberry.input(description="Who wrote the message.")
class AuthorInput:
    name: str | None = strawberry.field(default=None, description="Up to 200 characters.")
    email: str | None = strawberry.field(default=None, description="An e-mail address.")
    external_id: str | None = strawberry.field(default=None, description="Your own id of them.")


class _Said(Protocol):
    """The fields of the inputs that are messages."""

    body: str
    external_id: str | None
    author: AuthorInput | None
    rating: int | None
    occurred_at: datetime | None
    metadata: JSON | None


def message_of(said: _Said) -> feedback.Message:
    """The message in an input."""
    author = said.author
    return feedback.Message(
        body=said.body,
        external_id=said.external_id,
        author=None
        if author is None
        else feedback.Author(author.name, author.email, author.external_id),
        rating=said.rating,
        occurred_at=said.occurred_at,
        metadata=said.metadata,
    )


@strawberry.input(description="A message to store.")
class SubmitFeedbackInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    source_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where it came from; the workspace's API source where missing."
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="Your own id of it, up to 500 characters: the same id from the same source is stored once.",
    )
    author: AuthorInput | None = strawberry.field(default=None, description="Who wrote it.")
    body: str = strawberry.field(
        description="The text, stored as it is: up to 50,000 characters, not blank, no NUL."
    )
    rating: int | None = strawberry.field(default=None, description="From 0 to 10.")
    occurred_at: datetime | None = strawberry.field(
        default=None,
        description="When the customer said it, from 1970 to a day from now; now where it is missing.",
    )
    metadata: JSON | None = strawberry.field(
        default=None, description="Anything else: a JSON object of up to 16,384 bytes."
    )

    def command(self) -> feedback.SubmitFeedback:
        return feedback.SubmitFeedback(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            source_id=None
            if self.source_id is None
            else read_id(Kind.SOURCE, self.source_id, "sourceId"),
            message=message_of(self),
        )


@strawberry.type(description="The message is stored.")
class SubmitFeedbackSuccess:
    feedback: Feedback = strawberry.field(description="What is stored.")
    duplicate: bool = strawberry.field(
        description="True when the same externalId was already stored: the stored one is returned, "
        "nothing is written."
    )


SubmitFeedbackResult = Annotated[
    SubmitFeedbackSuccess | InvalidInput | Forbidden | NotFound | RateLimited,
    strawberry.union("SubmitFeedbackResult"),
]


@strawberry.type
class FeedbackMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.FEEDBACK_WRITE)],
        description="Store one message. It is scored in the background. Needs the role ANALYST.",
    )
    async def submit_feedback(self, info: Info, input: SubmitFeedbackInput) -> SubmitFeedbackResult:
        await info.context.spend(SUBMISSIONS, info.context.viewer.id.hex)
        services = info.context.services
        stored = await services.submissions.submit(
            services.database, info.context.viewer, input.command(), services.seals
        )
        return SubmitFeedbackSuccess(feedback=stored.feedback, duplicate=stored.duplicate)  # type: ignore[arg-type]  # rows are feedback
