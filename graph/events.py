"""The stream of feedback events."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from domain import events, feedback
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Context, Info
from graph.feedback import Feedback
from graph.feedback_filter import FeedbackFilter, where
from graph.live.bus import Entry
from graph.live.cursor import BadCursorError, Cursor
from graph.live.index import Filter, Reading
from graph.node import read_id
from graph.outage import through_outages
from graph.scope import scope_of
from graph.streams import Log, Shared


@strawberry.enum(description="What happened to a feedback.")
class FeedbackEventType(StrEnum):
    ADDED = "ADDED"
    UPDATED = "UPDATED"
    SCORED = "SCORED"
    DELETED = "DELETED"


@strawberry.type(description="Something happened to a feedback.")
class FeedbackEvent:
    cursor: str = strawberry.field(
        description="Pass the last one seen as `after` to go on without a gap or a repeat."
    )
    type: FeedbackEventType = strawberry.field(description="What happened.")
    feedback: Feedback = strawberry.field(
        description="The feedback as it is now. Of one that is DELETED there are its id, source, rating and times; "
        "its body is empty."
    )


@strawberry.type(
    description="Events between `after` and now are no longer kept: refetch, then go on from cursor."
)
class StreamGap:
    cursor: str = strawberry.field(description="Where the stream goes on.")


FeedbackStreamItem = Annotated[FeedbackEvent | StreamGap, strawberry.union("FeedbackStreamItem")]


@dataclass(frozen=True, slots=True)
class _Matcher:
    """Whether an event passes a filter, by its facets; words need the body, and so the database."""

    where: feedback.Filter

    def terms(self) -> frozenset[Hashable] | None:
        """Of the most specific condition: an event that passes has one of them. None where there is none."""
        where = self.where
        for kind, wanted in (
            ("assignee", _assignees(where)),
            ("tag", where.tag_ids),
            ("source", where.source_ids),
            ("label", where.sentiments),
        ):
            if wanted is not None:
                return frozenset((kind, value) for value in wanted)
        if where.rating_gte is not None or where.rating_lte is not None:
            least, most = feedback.RATINGS
            low = least if where.rating_gte is None else where.rating_gte
            high = most if where.rating_lte is None else where.rating_lte
            return frozenset(("rating", value) for value in range(low, high + 1))
        if where.statuses is not None:
            return frozenset(("status", value) for value in where.statuses)
        return None

    def passes(self, event: events.FeedbackEvent) -> bool:
        where, facets = self.where, event.facets
        rating, when, assignees = facets.rating, facets.occurred_at, _assignees(where)
        return (
            (where.source_ids is None or facets.source_id in where.source_ids)
            and (where.tag_ids is None or not set(where.tag_ids).isdisjoint(facets.tag_ids))
            and (where.sentiments is None or facets.label in where.sentiments)
            and (where.rating_gte is None or (rating is not None and rating >= where.rating_gte))
            and (where.rating_lte is None or (rating is not None and rating <= where.rating_lte))
            and (where.occurred_after is None or when >= where.occurred_after)
            and (where.occurred_before is None or when < where.occurred_before)
            and (where.statuses is None or facets.status in where.statuses)
            and (assignees is None or facets.assignee_id in assignees)
        )


def _assignees(where: feedback.Filter) -> tuple[UUID | None, ...] | None:
    """Whose feedback is asked for; None among them is nobody."""
    nobody = (None,) if where.unassigned else ()
    if where.assignee_ids is None:
        return nobody or None
    return (*where.assignee_ids, *nobody)


def _terms(event: events.FeedbackEvent) -> Iterator[Hashable]:
    facets = event.facets
    yield "source", facets.source_id
    yield "label", facets.label
    yield "rating", facets.rating
    yield "status", facets.status
    yield "assignee", facets.assignee_id
    for tag in facets.tag_ids:
        yield "tag", tag


FEEDBACK = Reading(events.FeedbackEvent.from_json, _terms)
"""How the events of a workspace's feedback are read."""


def passing(where: feedback.Filter) -> Filter:
    """Those events whose feedback passes, as far as they tell."""
    matcher = _Matcher(where)
    return Filter(matcher.terms(), matcher.passes)


@strawberry.type
class EventsSubscription:
    @strawberry.subscription(
        extensions=[scoped(Scope.FEEDBACK_READ)],
        directives=[Shared()],
        graphql_type=FeedbackStreamItem,
        description="Everything that happens to a workspace's feedback, as it happens, in order and "
        "once. With `after` it begins behind that event, across reconnects and restarts.",
    )
    async def feedback_events(
        self,
        info: Info,
        workspace_id: strawberry.ID,
        filter: FeedbackFilter | None = None,
        after: str | None = None,
    ) -> Log:
        id_ = read_id(Kind.WORKSPACE, workspace_id, "workspaceId")
        wanted = where(filter)
        cursor = read_cursor(after)
        return Log(
            topic=events.topic(id_, events.FEEDBACK_TOPIC),
            scope=await through_outages(partial(scope_of, info.context, id_)),
            reading=FEEDBACK,
            filter=passing(wanted),
            event=partial(_event, wanted.search),
            gap=gap,
            after=cursor,
        )


def read_cursor(after: str | None) -> Cursor | None:
    """The cursor that a stream is to go on behind; InvalidInputError for anything else."""
    try:
        return None if after is None else Cursor.parse(after)
    except BadCursorError:
        message = "must be a cursor of an earlier event"
        raise InvalidInputError(f"`after` {message}.", [FieldError(("after",), message)]) from None


def gap(cursor: Cursor) -> StreamGap:
    """What is told where entries before the cursor are missing."""
    return StreamGap(cursor=str(cursor))


async def _event(
    search: str | None, context: Context, entry: Entry, cursor: Cursor
) -> FeedbackEvent | None:
    event = events.FeedbackEvent.from_json(entry.payload)
    viewer, id_ = context.viewer, event.feedback_id
    row: feedback.Feedback | feedback.DeletedFeedback | None
    async with context.reader() as reader:
        if event.type == FeedbackEventType.DELETED:
            # Whoever watches for words is told, too: which there were, nobody knows any more.
            row = await feedback.deleted(reader, viewer, event)
        elif search is not None and id_ not in await feedback.matching(
            reader, viewer, [id_], feedback.Filter(search=search)
        ):
            row = None
        else:
            row = (await feedback.by_ids(reader, viewer, [id_])).get(id_)
    if row is None:
        return None
    return FeedbackEvent(
        cursor=str(cursor),
        type=FeedbackEventType(event.type),
        feedback=row,  # type: ignore[arg-type]  # rows are feedback
    )
