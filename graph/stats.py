"""Statistics in the schema."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from domain import events, stats
from domain.feedback import Filter
from domain.ids import Kind
from domain.scopes import Scope
from domain.workspace import Workspace
from graph.access import scoped
from graph.context import Context, Info
from graph.events import FEEDBACK
from graph.feedback_filter import FeedbackFilter, where
from graph.node import read_id
from graph.outage import through_outages
from graph.scope import scope_of
from graph.source import Source
from graph.streams import Shared, State
from graph.tag import Tag

Interval = strawberry.enum(
    stats.Interval,
    name="Interval",
    description="How long a bucket is, by the calendar of the time zone; weeks begin on Monday.",
)

# The fields of FeedbackStats that count groups, and the types of these.
_GROUPS = (("sources", stats.Group.SOURCE, "Source"), ("tags", stats.Group.TAG, "Tag"))
# At most four times a second.
_PAUSE = 0.25


@strawberry.type(description="Feedback counted by sentiment.")
class SentimentCounts:
    total: int = strawberry.field(description="All, scored or not.")
    negative: int = strawberry.field(description="Scored NEGATIVE.")
    neutral: int = strawberry.field(description="Scored NEUTRAL.")
    positive: int = strawberry.field(description="Scored POSITIVE.")
    unscored: int = strawberry.field(description="Not scored yet, or in a language not known.")
    average_score: float | None = strawberry.field(
        description="The mean of the scores, -1 to 1; null where nothing is scored."
    )
    average_rating: float | None = strawberry.field(
        description="The mean of the ratings; null where nothing is rated."
    )


@strawberry.type(description="The counts of one stretch of time.")
class StatsBucket:
    start: datetime = strawberry.field(
        description="Where it begins by the calendar; it ends where the next one begins. "
        "The first may begin before `from`, and counts from there only."
    )
    counts: SentimentCounts = strawberry.field(description="What was said in it.")


@strawberry.type(description="How much a model has scored.")
class ModelCount:
    model: str = strawberry.field(description="The model and version.")
    count: int = strawberry.field(description="How much feedback has its score.")


@strawberry.type(description="What came from one source.")
class SourceCounts:
    source: Source = strawberry.field(description="Where it came from.")
    counts: SentimentCounts = strawberry.field(description="What came from there.")


@strawberry.type(description="What bears one tag.")
class TagCounts:
    tag: Tag = strawberry.field(description="The tag.")
    counts: SentimentCounts = strawberry.field(description="What bears it.")


@strawberry.type(
    description="Feedback counted in total, over time, by source and by tag; the time is when it was said."
)
class FeedbackStats:
    totals: SentimentCounts = strawberry.field(description="From `from` to before `to`.")
    buckets: list[StatsBucket] = strawberry.field(
        description="In order and without holes: empty ones are there, with zeros."
    )
    models: list[ModelCount] = strawberry.field(
        description="Which models have scored what was said in this time, by whole hours (UTC) and whatever `filter` "
        "says, most first. More than one: the counts mix what different models say, as they do until "
        "`rescoreFeedback` is done with it."
    )
    sources: list[SourceCounts] = strawberry.field(
        description="By where it came from, most first. A source that nothing came from in this time is not there."
    )
    tags: list[TagCounts] = strawberry.field(
        description="By tag, most first; what bears several counts for each of them. A tag that nothing of this time "
        "bears is not there."
    )


async def stats_of(
    parents: Sequence[Workspace],
    info: Info,
    from_: Annotated[datetime, strawberry.argument(name="from")],
    to: datetime,
    interval: stats.Interval = stats.Interval.DAY,
    time_zone: str = "UTC",
    filter: FeedbackFilter | None = None,
) -> Sequence[stats.Stats]:
    """The statistics of each workspace."""
    selected = info.columns("FeedbackStats")
    within = stats.period(from_, to, interval, time_zone)
    ids = [parent.id for parent in parents]
    viewer, wanted = info.context.viewer, where(filter)
    async with info.context.reader() as reader:
        found = await stats.over(
            reader,
            viewer,
            ids,
            within,
            wanted,
            totals=selected is None or "totals" in selected,
            buckets=selected is None or "buckets" in selected,
            models=selected is None or "models" in selected,
            columns=_counted(info),
        )
        groups: dict[str, Mapping[UUID, Sequence[stats.GroupCounts]]] = {"sources": {}, "tags": {}}
        for name, by, type_ in _GROUPS:
            if selected is None or name in selected:
                groups[name] = await stats.by_group(
                    reader,
                    viewer,
                    ids,
                    by,
                    within,
                    wanted,
                    columns=info.columns("SentimentCounts", name, "counts"),
                    of=info.columns(type_, name, by.value),
                )
    return [
        replace(each, sources=groups["sources"].get(id_, ()), tags=groups["tags"].get(id_, ()))
        for id_, each in zip(ids, found, strict=True)
    ]


def _counted(info: Info) -> frozenset[str] | None:
    in_totals = info.columns("SentimentCounts", "totals")
    in_buckets = info.columns("SentimentCounts", "buckets", "counts")
    return None if in_totals is None or in_buckets is None else in_totals | in_buckets


@strawberry.type
class StatsSubscription:
    @strawberry.subscription(
        extensions=[scoped(Scope.STATS_READ)],
        directives=[Shared()],
        graphql_type=SentimentCounts,
        description="The totals since `from`, at once and then whenever they change (at most four "
        "times a second).",
    )
    async def stats_changed(
        self,
        info: Info,
        workspace_id: strawberry.ID,
        from_: Annotated[datetime, strawberry.argument(name="from")],
        filter: FeedbackFilter | None = None,
    ) -> State:
        id_ = read_id(Kind.WORKSPACE, workspace_id, "workspaceId")
        wanted = where(filter)
        return State(
            topic=events.topic(id_, events.FEEDBACK_TOPIC),
            scope=await through_outages(partial(scope_of, info.context, id_)),
            reading=FEEDBACK,
            read=partial(_totals, id_, from_, wanted),
            pause=_PAUSE,
        )


async def _totals(
    workspace_id: UUID, start: datetime, wanted: Filter, context: Context
) -> stats.Counts:
    async with context.reader() as reader:
        return await stats.totals(reader, context.viewer, workspace_id, start, wanted)
