"""The stream of feedback events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from domain import events, feedback, workspace
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.feedback import Feedback, FeedbackFilter, where
from graph.live.cursor import BadCursorError, Cursor
from graph.live.hub import Gap, Live
from graph.node import read_id
from graph.outage import through_outages


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
    feedback: Feedback = strawberry.field(description="The feedback as it is now.")


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

    def passes(self, facets: events.Facets) -> bool:
        where = self.where
        rating, when = facets.rating, facets.occurred_at
        return (
            (where.source_ids is None or facets.source_id in where.source_ids)
            and (where.tag_ids is None or not set(where.tag_ids).isdisjoint(facets.tag_ids))
            and (where.sentiments is None or facets.label in where.sentiments)
            and (where.rating_gte is None or (rating is not None and rating >= where.rating_gte))
            and (where.rating_lte is None or (rating is not None and rating <= where.rating_lte))
            and (where.occurred_after is None or when >= where.occurred_after)
            and (where.occurred_before is None or when < where.occurred_before)
        )


@strawberry.type
class EventsSubscription:
    @strawberry.subscription(
        extensions=[signed_in],
        description="Everything that happens to a workspace's feedback, as it happens, in order and "
        "once. With `after` it begins behind that event, across reconnects and restarts.",
    )
    async def feedback_events(
        self,
        info: Info,
        workspace_id: strawberry.ID,
        filter: FeedbackFilter | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[FeedbackStreamItem, None]:
        id_ = read_id(Kind.WORKSPACE, workspace_id, "workspaceId")
        matcher = _Matcher(where(filter))
        cursor = _read_cursor(after)
        await through_outages(partial(require_member, info, id_))
        topic = events.topic(id_, events.FEEDBACK_TOPIC)
        async with aclosing(info.context.services.hub.follow(topic, cursor)) as stream:
            async for item in stream:
                if isinstance(item, Gap):
                    yield StreamGap(cursor=str(item.cursor))
                elif (
                    event := await through_outages(partial(_load, info, matcher, item))
                ) is not None:
                    yield event


async def require_member(info: Info, workspace_id: UUID) -> None:
    """NotFoundError unless the caller belongs to the workspace."""
    async with info.context.reader() as reader:
        await workspace.require(reader, info.context.viewer, workspace_id)


def _read_cursor(after: str | None) -> Cursor | None:
    try:
        return None if after is None else Cursor.parse(after)
    except BadCursorError:
        message = "must be a cursor of an earlier event"
        raise InvalidInputError(f"`after` {message}.", [FieldError(("after",), message)]) from None


async def _load(info: Info, matcher: _Matcher, item: Live) -> FeedbackEvent | None:
    event = events.FeedbackEvent.from_json(item.entry.payload)
    if not matcher.passes(event.facets):
        return None
    row = await _row(info, event.feedback_id, matcher.where.search)
    if row is None:
        return None
    return FeedbackEvent(
        cursor=str(item.cursor),
        type=FeedbackEventType(event.type),
        feedback=row,  # type: ignore[arg-type]  # rows are feedback
    )


async def _row(info: Info, id_: UUID, search: str | None) -> feedback.Feedback | None:
    viewer = info.context.viewer
    async with info.context.reader() as reader:
        if search is not None:
            words = feedback.Filter(search=search)
            if id_ not in await feedback.matching(reader, viewer, [id_], words):
                return None
        return (await feedback.by_ids(reader, viewer, [id_])).get(id_)
