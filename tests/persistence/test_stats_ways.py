"""Counts from the hours are the counts of all rows, and are read where the hours know what is asked."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.settings import Settings
from app.stores import now, open_database
from domain import stats
from domain.stats import Interval
from domain.viewer import Viewer
from persistence.database import Database, Reader, new_id
from persistence.feedback import ALL, Filter
from persistence.stats import CountsRow, counting, counts
from persistence.stats.span import Span, is_counted
from tests.factories import NEGATIVE, NOON, Factory, GivenScore
from tests.persistence.stats_questions import DAY, crowd, told
from tests.statements import watched

ODD = timedelta(minutes=17, seconds=3, microseconds=1)


async def raw(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    *,
    where: Filter,
    totals: bool,
    boundaries: Sequence[datetime],
    **period: datetime | None,
) -> list[CountsRow]:
    """As `counts`, row by row."""
    statement = counting._raw(
        tuple(where.values()),
        bounded=period["end"] is not None,
        totals=totals,
        buckets=bool(boundaries),
        columns=None,
    )
    return await reader.fetch(
        statement,
        viewer=viewer,
        workspaces=workspaces,
        boundaries=boundaries,
        **period,
        **where.values(),
    )


@pytest.mark.parametrize("seed", range(4))
async def test_the_hours_and_all_rows_have_the_same_answer(
    seed: int, factory: Factory, database: Database
) -> None:
    all_ = await crowd(factory, database, seed)
    seen = set()

    async with database.reader() as reader:
        for _ in range(150):
            question = all_.asking.question()
            by_hours = await counts(reader, all_.owner, all_.workspaces, **question)
            one_by_one = await raw(reader, all_.owner, all_.workspaces, **question)
            assert (question, told(by_hours)) == (question, told(one_by_one))
            seen |= {row.workspace_id for row in by_hours}

    assert seen == all_.own


async def test_only_what_is_wanted_is_counted_from_the_hours(
    factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, score=GivenScore("POSITIVE", 0.25, 1), rating=3)
    await factory.feedback(tenant, score=NEGATIVE)

    async with database.reader() as reader:
        (row,) = await counts(
            reader,
            tenant.owner.id,
            [tenant.id],
            start=NOON,
            end=None,
            where=Filter(sentiments=("POSITIVE",)),
            columns=frozenset({"total", "average_rating", "average_score"}),
        )

    assert dict(row.items()) == {
        "workspace_id": tenant.id,
        "bucket": None,
        "total": 1,
        "average_score": 0.25,
        "average_rating": 3.0,
    }


# Which way


@pytest.fixture
async def watch(settings: Settings, factory: Factory) -> AsyncIterator[tuple[Database, list[str]]]:
    """A database whose statements are seen on their way to Postgres."""
    assert settings.database_url is not None
    async with watched(settings.database_url) as (url, executed):
        watched_settings = settings.model_copy(update={"database_url": url})
        async with open_database(watched_settings, "watched") as database:
            yield database, executed


HOURS, ROWS = "stats_hour", "feedback"
TAG, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("where", "zone", "interval", "read"),
    [
        (ALL, "UTC", Interval.HOUR, {HOURS}),
        (ALL, "Europe/Berlin", Interval.DAY, {HOURS}),
        (ALL, "Asia/Kolkata", Interval.DAY, {ROWS}),
        (Filter(source_ids=(TAG, OTHER)), "UTC", Interval.DAY, {HOURS}),
        (Filter(source_ids=()), "UTC", Interval.DAY, {HOURS}),
        (Filter(source_ids=(UUID(int=0),)), "UTC", Interval.DAY, {ROWS}),
        (Filter(sentiments=("NEGATIVE", "POSITIVE")), "UTC", Interval.DAY, {HOURS}),
        (Filter(sentiments=()), "UTC", Interval.DAY, {ROWS}),
        (Filter(tag_ids=(TAG,)), "UTC", Interval.DAY, {HOURS}),
        (Filter(tag_ids=(TAG, TAG)), "UTC", Interval.DAY, {HOURS}),
        (Filter(tag_ids=(TAG, OTHER)), "UTC", Interval.DAY, {ROWS}),
        (Filter(tag_ids=()), "UTC", Interval.DAY, {ROWS}),
        (Filter(tag_ids=(UUID(int=0),)), "UTC", Interval.DAY, {ROWS}),
        (Filter(search="fine"), "UTC", Interval.DAY, {ROWS}),
        (Filter(rating_gte=1), "UTC", Interval.DAY, {ROWS}),
        (Filter(rating_lte=1), "UTC", Interval.DAY, {ROWS}),
        (Filter(occurred_after=NOON), "UTC", Interval.DAY, {HOURS}),
        (Filter(occurred_after=NOON + ODD), "UTC", Interval.DAY, {HOURS, ROWS}),
        (Filter(occurred_before=NOON + DAY + ODD), "UTC", Interval.DAY, {HOURS, ROWS}),
        (Filter(occurred_before=NOON - DAY + ODD), "UTC", Interval.DAY, {ROWS}),
    ],
)
async def test_statistics_are_read_from_the_hours_where_they_know(
    where: Filter,
    zone: str,
    interval: Interval,
    read: set[str],
    factory: Factory,
    watch: tuple[Database, list[str]],
) -> None:
    database, executed = watch
    viewer = Viewer(new_id(), new_id(), now())
    within = stats.period(NOON - DAY, NOON + 2 * DAY, interval, zone)

    async with database.reader() as reader:
        await stats.over(reader, viewer, [new_id()], within, where)

    assert tables(executed) == read


@pytest.mark.parametrize(
    ("start", "where", "read"),
    [
        (NOON, ALL, {HOURS}),
        (NOON + ODD, ALL, {HOURS, ROWS}),
        (NOON, Filter(search="fine"), {ROWS}),
    ],
)
async def test_live_totals_are_read_from_the_hours_where_they_know(
    start: datetime,
    where: Filter,
    read: set[str],
    factory: Factory,
    watch: tuple[Database, list[str]],
) -> None:
    database, executed = watch
    viewer = Viewer(new_id(), new_id(), now())

    async with database.reader() as reader:
        await stats.totals(reader, viewer, new_id(), start, where)

    assert tables(executed) == read


def tables(executed: Sequence[str]) -> set[str]:
    """Which of the two kinds of tables the latest statement read."""
    return {name for name in (HOURS, ROWS) if f"FROM {name} " in executed[-1].replace("\n", " ")}


# What the hours cover


HOUR = timedelta(hours=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        (NOON, NOON + HOUR, Span(NOON, NOON, NOON + HOUR, NOON + HOUR)),
        (NOON, None, Span(NOON, NOON, None, None)),
        (NOON + ODD, None, Span(NOON + ODD, NOON + HOUR, None, None)),
        (
            NOON - ODD,
            NOON + HOUR + ODD,
            Span(NOON - ODD, NOON, NOON + HOUR, NOON + HOUR + ODD),
        ),
        (NOON + ODD, NOON + HOUR + ODD, None),
        (NOON + ODD, NOON + 2 * ODD, None),
        (NOON, NOON, None),
        (NOON + DAY, NOON, None),
        (LAST, None, None),
        (FIRST, None, Span(FIRST, FIRST, None, None)),
    ],
)
def test_a_span_goes_from_whole_hour_to_whole_hour(
    start: datetime, end: datetime | None, span: Span | None
) -> None:
    assert Span.of(start, end) == span


def test_a_span_is_of_hours_of_utc() -> None:
    kolkata = stats.zone("Asia/Kolkata")
    span = Span.of(NOON.astimezone(kolkata), (NOON + HOUR).astimezone(kolkata))

    assert span == Span(NOON, NOON, NOON + HOUR, NOON + HOUR)
    assert (span.has_head, span.has_tail) == (False, False)


def test_boundaries_within_hours_are_for_rows() -> None:
    assert is_counted(ALL, [NOON, NOON + HOUR])
    assert not is_counted(ALL, [NOON, NOON + 30 * HOUR / 60])
    assert not is_counted(ALL, [NOON + timedelta(seconds=1)])
    assert not is_counted(replace(ALL, tag_ids=(TAG, OTHER)), [NOON])
