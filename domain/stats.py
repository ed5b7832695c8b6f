"""Statistics: feedback counted by sentiment, in total and along a calendar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import source as sources
from domain import tag as tags
from domain.errors import FieldError, InvalidInputError
from domain.source import Source
from domain.tag import Tag
from domain.viewer import Viewer
from persistence import stats as store
from persistence.database import Columns, Database, Reader
from persistence.feedback import Filter

N = TypeVar("N")
C = TypeVar("C")

MOST_BUCKETS = 2_500
_HALF_HOUR = timedelta(minutes=30)
# One transaction's worth, some 100 ms.
_FOLDED_AT_ONCE = 10_000


class Interval(StrEnum):
    """How long a bucket is, by the calendar of a time zone; weeks begin on Monday."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


# How long the intervals are that are always as long, where no clock is ever changed.
_FIXED = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class _NoCounts:
    """Where there is nothing to count."""

    total: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    unscored: int = 0
    average_score: None = None
    average_rating: None = None


NOTHING = _NoCounts()
ModelCount = store.ModelCountRow
Group = store.Group
Counts = store.CountsRow | store.GroupRow | _NoCounts


class Bucket(NamedTuple):
    start: datetime
    counts: Counts


class SourceCounts(NamedTuple):
    source: Source
    counts: Counts


class TagCounts(NamedTuple):
    tag: Tag
    counts: Counts


GroupCounts = SourceCounts | TagCounts


@dataclass(frozen=True, slots=True)
class Stats:
    """What was not asked for has no counts."""

    totals: Counts
    buckets: Sequence[Bucket]
    models: Sequence[ModelCount] = ()
    sources: Sequence[GroupCounts] = ()
    tags: Sequence[GroupCounts] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to before `end`, cut at `boundaries`: the starts of the buckets, the first at or before `start`."""

    start: datetime
    end: datetime
    boundaries: tuple[datetime, ...]


def zone(name: str) -> ZoneInfo:
    """A zone of the IANA time zone database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(
            f"{name[:64]!r} is not a time zone; use an IANA name such as Europe/Berlin.",
            [FieldError(("timeZone",), "must be an IANA time zone name")],
        ) from None


# Dashboards ask for the same times all day; one of 2,500 buckets takes some 150 KB.
@lru_cache(maxsize=64)
def period(start: datetime, end: datetime, interval: Interval, time_zone: str) -> Period:
    """Cut the time from start to before end by the calendar; InvalidInputError for too many buckets."""
    local = zone(time_zone)
    if start > end:
        raise InvalidInputError(
            "`from` must not be after `to`.", [FieldError(("from",), "must not be after `to`")]
        )
    if start == end:
        return Period(start, end, ())
    boundaries: list[datetime] = []
    try:
        moment = _floor(start.astimezone(local), interval)
        if time_zone == "UTC" and interval in _FIXED:
            return Period(start, end, tuple(_evenly(moment, end, _FIXED[interval])))
        while (begin := moment.astimezone(UTC)) < end:
            # A day that the zone skipped (Apia, 30 December 2011) begins when the next one does.
            if begin not in boundaries[-1:]:
                boundaries.append(begin)
            if len(boundaries) > MOST_BUCKETS:
                raise _too_many_buckets()
            moment = _next(moment, interval)
    except OverflowError:
        raise InvalidInputError(
            "`from` and `to` must be within the years 1 to 9999.",
            [FieldError(("from",), "is out of range")],
        ) from None
    return Period(start, end, tuple(boundaries))


def _evenly(first: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The moments from `first` to before `end`, in UTC, where no clock is ever changed."""
    number = -((first - end) // step)
    if number > MOST_BUCKETS:
        raise _too_many_buckets()
    first = first.astimezone(UTC)
    return [first + i * step for i in range(number)]


def _too_many_buckets() -> InvalidInputError:
    return InvalidInputError(
        f"That makes more than {MOST_BUCKETS:,} buckets; choose a longer interval or a shorter time.",
        [FieldError(("interval",), f"makes more than {MOST_BUCKETS} buckets")],
    )


async def over(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    within: Period,
    where: Filter,
    *,
    totals: bool = True,
    buckets: bool = True,
    models: bool = False,
    columns: Columns | None = None,
) -> list[Stats]:
    """The statistics of each workspace, in their order; empty buckets are there, with zeros.

    Of `totals`, `buckets` and `models` only what is true is counted, and in the first two only `columns`.
    """
    rows: list[store.CountsRow] = []
    if totals or buckets:
        rows = await store.counts(
            reader,
            viewer.id,
            workspace_ids,
            start=within.start,
            end=within.end,
            boundaries=within.boundaries if buckets else (),
            where=where,
            totals=totals,
            columns=columns,
        )
    by_model: dict[UUID, list[ModelCount]] = {}
    if models:
        for scored in await store.models(
            reader, viewer.id, workspace_ids, start=within.start, end=within.end
        ):
            by_model.setdefault(scored.workspace_id, []).append(scored)
    by_workspace: dict[UUID, dict[int | None, Counts]] = {
        workspace: {} for workspace in workspace_ids
    }
    for row in rows:
        by_workspace[row.workspace_id][row.bucket] = row
    return [
        _stats(by_workspace[workspace], within, by_model.get(workspace, ()))
        for workspace in workspace_ids
    ]


async def by_group(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    by: Group,
    within: Period,
    where: Filter,
    *,
    columns: Columns | None = None,
    of: Columns | None = None,
) -> Mapping[UUID, Sequence[GroupCounts]]:
    """What is of each source or tag of each workspace, most first; what has nothing is not there.

    Of the counts only `columns` are read, and of the sources or tags only the columns `of`.
    """
    rows = await _grouped(reader, viewer, workspace_ids, by, within, where, columns)
    ids = [row.group_id for row in rows]
    if not ids:
        return {}
    if by is Group.SOURCE:
        return _named(rows, await sources.by_ids(reader, viewer, ids, columns=of), SourceCounts)
    found = await tags.by_ids(reader, viewer, ids, columns=of)
    return _named(rows, {tag.id: tag for tag in found}, TagCounts)


def _named(
    rows: Sequence[store.GroupRow],
    known: Mapping[UUID, N],
    counts: Callable[[N, store.GroupRow], C],
) -> dict[UUID, list[C]]:
    """Each workspace's rows with what they are of; what was deleted meanwhile is left out."""
    found: dict[UUID, list[C]] = {}
    for row in rows:
        if (of := known.get(row.group_id)) is not None:
            found.setdefault(row.workspace_id, []).append(counts(of, row))
    return found


async def _grouped(
    reader: Reader,
    viewer: Viewer,
    workspace_ids: Sequence[UUID],
    by: Group,
    within: Period,
    where: Filter,
    columns: Columns | None,
) -> list[store.GroupRow]:
    rows = await store.grouped(
        reader,
        viewer.id,
        workspace_ids,
        by,
        start=within.start,
        end=within.end,
        where=where,
        columns=None if columns is None else columns | {"total"},
    )
    # Of what came and was taken away nothing is left.
    left = [row for row in rows if row.total]
    return sorted(left, key=lambda row: (-row.total, row.group_id))


async def totals(
    reader: Reader, viewer: Viewer, workspace_id: UUID, start: datetime, where: Filter
) -> Counts:
    """The totals of what occurred since `start`."""
    rows = await store.counts(reader, viewer.id, [workspace_id], start=start, end=None, where=where)
    return rows[0] if rows else NOTHING


async def compact(database: Database) -> int:
    """Fold what has changed in the counts into their hours, so that reading them stays cheap; how many changes it were.

    The counts are the same before, meanwhile and after. Several may do so at once, and any may be stopped at any time.
    """
    folded, latest = 0, _FOLDED_AT_ONCE
    while latest == _FOLDED_AT_ONCE:
        async with database.transaction() as uow:
            latest = await store.compact(uow, most=_FOLDED_AT_ONCE)
        folded += latest
    latest = _FOLDED_AT_ONCE
    while latest == _FOLDED_AT_ONCE:
        async with database.transaction() as uow:
            latest = await store.fold_models(uow, most=_FOLDED_AT_ONCE)
    return folded


def _stats(
    counts: Mapping[int | None, Counts], within: Period, models: Sequence[ModelCount]
) -> Stats:
    numbered = enumerate(within.boundaries, start=1)
    return Stats(
        counts.get(None, NOTHING),
        [Bucket(start, counts.get(number, NOTHING)) for number, start in numbered],
        models,
    )


def _floor(moment: datetime, interval: Interval) -> datetime:
    """The start of the bucket that the local time is in."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if interval is Interval.HOUR:
        return hour
    day = hour.replace(hour=0, fold=0)
    if interval is Interval.DAY:
        return day
    if interval is Interval.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _next(start: datetime, interval: Interval) -> datetime:
    """The start of the next bucket: hours by the clock on the wall as it really runs, the rest by date."""
    if interval is Interval.HOUR:
        # In half hours, for the zones that shift by one (Lord Howe Island).
        later = start.astimezone(UTC)
        following = start
        while following.astimezone(UTC) <= start.astimezone(UTC):
            later += _HALF_HOUR
            following = _floor(later.astimezone(start.tzinfo), interval)
        return following
    if interval is Interval.DAY:
        return start + timedelta(days=1)
    if interval is Interval.WEEK:
        return start + timedelta(weeks=1)
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
