"""What a report says: totals, sentiment over time, sources, tags and quotes, read from one snapshot."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain import feedback, stats
from domain.export.asking import Wanted
from domain.feedback import Along, Feedback, Filter, Order
from domain.stats import Bucket, Counts, Interval
from domain.workspace import Workspace
from persistence import export as store
from persistence import feedback as feedback_store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence.database import Reader

MOST_PARTS = 10
MOST_QUOTES = 5
_MOST_BARS = 93
_MOMENT = timedelta(microseconds=1)
_NAMES = Along(frozenset({"name"}))
_SHOWN = frozenset({"body", "author_name", "occurred_at", "sentiment_score", "rating", "source_id"})
# Up to that long it is shown by that.
_INTERVALS = (
    (timedelta(days=3), Interval.HOUR),
    (timedelta(days=92), Interval.DAY),
    (timedelta(weeks=92), Interval.WEEK),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a source has brought, or a tag is on."""

    name: str
    total: int
    negative: int
    neutral: int
    positive: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What occurred from `start` to the next bar's."""

    start: datetime
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    unscored: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """Sentiment over time: a bar for each `number` intervals."""

    interval: Interval
    number: int
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of what passes the filter, `conditions` in words; `end` is in it, and `course` is None where there is nothing."""

    workspace: str
    start: datetime | None
    end: datetime | None
    conditions: Sequence[str]
    totals: Counts
    course: Course | None
    sources: Sequence[Part]
    tags: Sequence[Part]
    most_negative: Sequence[Feedback]
    most_positive: Sequence[Feedback]


async def figures(reader: Reader, wanted: Wanted, workspace: Workspace) -> Figures:
    """Read all that the report says."""
    viewer, where = wanted.viewer, wanted.where
    span = await store.span(reader, viewer.id, workspace.id, where)
    totals: Counts = stats.NOTHING
    course = None
    if span.first is not None and span.last is not None:
        interval = _interval(span.last - span.first)
        # The end is not in it any more.
        within = stats.period(span.first, span.last + _MOMENT, interval, "UTC")
        (found,) = await stats.over(reader, viewer, [workspace.id], within, where)
        totals, course = found.totals, _course(interval, found.buckets)
    of = (reader, viewer.id, workspace.id, where)
    sources = [_part(row) for row in await store.by_source(*of, limit=MOST_PARTS)]
    return Figures(
        workspace=workspace.name,
        start=where.occurred_after or span.first,
        end=span.last if where.occurred_before is None else where.occurred_before - _MOMENT,
        conditions=[line async for line in _in_words(reader, wanted)],
        totals=totals,
        course=course,
        sources=[*sources, *_others(totals, sources)],
        tags=[_part(row) for row in await store.by_tag(*of, limit=MOST_PARTS)],
        most_negative=await _quotes(reader, wanted, Order.MOST_NEGATIVE, "NEGATIVE"),
        most_positive=await _quotes(reader, wanted, Order.MOST_POSITIVE, "POSITIVE"),
    )


def _interval(length: timedelta) -> Interval:
    return next((each for longest, each in _INTERVALS if length <= longest), Interval.MONTH)


def _course(interval: Interval, buckets: Sequence[Bucket]) -> Course:
    """As many buckets in one bar as it takes for the bars to be seen."""
    number = -(-len(buckets) // _MOST_BARS)
    groups = [buckets[first : first + number] for first in range(0, len(buckets), number)]
    return Course(interval, number, [_bar(group) for group in groups])


def _bar(buckets: Sequence[Bucket]) -> Bar:
    counts = [bucket.counts for bucket in buckets]
    return Bar(
        buckets[0].start,
        sum(each.negative for each in counts),
        sum(each.neutral for each in counts),
        sum(each.positive for each in counts),
        sum(each.unscored for each in counts),
    )


def _part(row: store.PartRow) -> Part:
    return Part(row.name, row.total, row.negative, row.neutral, row.positive)


def _others(totals: Counts, parts: Sequence[Part]) -> Iterator[Part]:
    """What is in none of the parts, if anything is."""
    rest = Part(
        "All others",
        totals.total - sum(part.total for part in parts),
        totals.negative - sum(part.negative for part in parts),
        totals.neutral - sum(part.neutral for part in parts),
        totals.positive - sum(part.positive for part in parts),
    )
    if rest.total:
        yield rest


async def _quotes(reader: Reader, wanted: Wanted, order: Order, label: str) -> list[Feedback]:
    """The most negative or positive ones, of those that are."""
    where: Filter = wanted.where
    if where.sentiments is not None and label not in where.sentiments:
        return []
    return await feedback.pages(
        reader,
        wanted.viewer,
        [wanted.workspace_id],
        where=replace(where, sentiments=(label,)),
        order=order,
        limit=MOST_QUOTES,
        after=None,
        columns=_SHOWN,
        along=_NAMES,
    )


async def _in_words(reader: Reader, wanted: Wanted) -> AsyncIterator[str]:
    """What the filter asks for, but for the period."""
    where, viewer = wanted.where, wanted.viewer.id
    if where.search is not None:
        yield f"contains {where.search}"
    if where.source_ids is not None:
        sources = await source_store.by_ids(reader, viewer, where.source_ids)
        yield f"source is {_either(sorted(row.name for row in sources.values()))}"
    if where.tag_ids is not None:
        tags = await tag_store.by_ids(reader, viewer, where.tag_ids)
        yield f"tag is {_either(sorted(row.name for row in tags))}"
    if where.sentiments is not None:
        yield f"sentiment is {_either([label.lower() for label in where.sentiments])}"
    if where.rating_gte is not None:
        yield f"rated at least {where.rating_gte}"
    if where.rating_lte is not None:
        yield f"rated at most {where.rating_lte}"
    if where.statuses is not None:
        yield f"status is {_either([_said(status) for status in where.statuses])}"
    if where.assignee_ids is not None:
        members = await feedback_store.assignees(reader, viewer, where.assignee_ids)
        names = sorted(row.name for row in members.values())
        yield f"assigned to {_either([*names, *(['nobody'] if where.unassigned else [])])}"


def _said(status: str) -> str:
    return status.lower().replace("_", " ")


def _either(words: Sequence[str]) -> str:
    return " or ".join(words) or "none"
