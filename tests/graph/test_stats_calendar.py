"""Statistics over GraphQL: buckets along a calendar with its odd days."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.factories import Factory
from tests.graph.stats_queries import HOUR, at, starts, stats, totals


async def test_every_interval_cuts_by_the_calendar(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    span = "2026-02-27T22:30:00Z", "2026-03-02T01:00:00Z"

    hours = await stats(tenant, http, *span, "HOUR")
    days = await stats(tenant, http, *span, "DAY")
    weeks = await stats(tenant, http, *span, "WEEK")
    months = await stats(tenant, http, *span, "MONTH")

    assert (len(starts(hours)), starts(hours)[0], starts(hours)[-1]) == (
        51,
        "2026-02-27T22:00:00Z",
        "2026-03-02T00:00:00Z",
    )
    assert starts(days) == [
        "2026-02-27T00:00:00Z",
        "2026-02-28T00:00:00Z",
        "2026-03-01T00:00:00Z",
        "2026-03-02T00:00:00Z",
    ]
    assert starts(weeks) == ["2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"]
    assert starts(months) == ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]


async def test_months_are_as_long_as_they_are(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    for time in ("2028-02-29T23:59", "2028-03-01T00:00", "2028-12-31T23:59"):
        await factory.feedback(tenant, occurred_at=at(time))

    answer = await stats(tenant, http, "2028-01-31T00:00:00Z", "2029-01-01T00:00:00Z", "MONTH")

    assert starts(answer) == [f"2028-{month:02}-01T00:00:00Z" for month in range(1, 13)]
    assert totals(answer) == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


async def test_months_begin_at_local_midnight(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await stats(
        tenant, http, "2026-02-28T23:00:00Z", "2026-04-30T22:00:00Z", "MONTH", "Europe/Berlin"
    )

    assert starts(answer) == ["2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"]


async def test_weeks_begin_on_monday_at_local_midnight(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=at("2026-03-29T21:59"))
    await factory.feedback(tenant, occurred_at=at("2026-03-29T22:00"))

    answer = await stats(
        tenant, http, "2026-03-29T20:00:00Z", "2026-03-30T20:00:00Z", "WEEK", "Europe/Berlin"
    )

    assert starts(answer) == ["2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"]
    assert totals(answer) == [1, 1]


async def test_the_year_ends_within_a_week(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await stats(tenant, http, "2026-12-31T00:00:00Z", "2027-01-05T00:00:00Z", "WEEK")

    assert starts(answer) == ["2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", 24),
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
    ],
)
async def test_a_day_in_berlin_has_as_many_hours_as_the_clock_runs(
    factory: Factory, http: httpx.AsyncClient, start: str, end: str, hours: int
) -> None:
    tenant = await factory.tenant()
    first = datetime.fromisoformat(start).astimezone(UTC)
    for hour in range(-1, hours + 1):
        await factory.feedback(tenant, occurred_at=first + hour * HOUR)

    by_hour = await stats(tenant, http, start, end, "HOUR", "Europe/Berlin")
    by_day = await stats(tenant, http, start, end, "DAY", "Europe/Berlin")

    assert [datetime.fromisoformat(text) for text in starts(by_hour)] == [
        first + hour * HOUR for hour in range(hours)
    ]
    assert totals(by_hour) == [1] * hours
    assert [datetime.fromisoformat(text) for text in starts(by_day)] == [first]
    assert totals(by_day) == [hours]


async def test_days_in_berlin_begin_at_local_midnight_across_the_shift(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    spring = await stats(
        tenant, http, "2026-03-28T12:00:00Z", "2026-03-31T00:00:00Z", "DAY", "Europe/Berlin"
    )
    autumn = await stats(
        tenant, http, "2026-10-24T12:00:00Z", "2026-10-27T00:00:00Z", "DAY", "Europe/Berlin"
    )

    assert starts(spring) == [
        "2026-03-27T23:00:00Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
        "2026-03-30T22:00:00Z",
    ]
    assert starts(autumn) == [
        "2026-10-23T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
        "2026-10-26T23:00:00Z",
    ]


async def test_an_hour_that_comes_twice_is_counted_apart(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=at("2026-10-25T00:30"))
    await factory.feedback(tenant, occurred_at=at("2026-10-25T01:30"))

    answer = await stats(
        tenant, http, "2026-10-25T01:10:00Z", "2026-10-25T03:00:00Z", "HOUR", "Europe/Berlin"
    )

    assert starts(answer) == ["2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]
    assert totals(answer) == [1, 0]


async def test_hours_and_days_in_kolkata_begin_at_the_half_hour(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=at("2026-06-15T18:29"))
    await factory.feedback(tenant, occurred_at=at("2026-06-15T18:30"))

    hours = await stats(
        tenant, http, "2026-06-15T18:00:00Z", "2026-06-15T20:00:00Z", "HOUR", "Asia/Kolkata"
    )
    days = await stats(
        tenant, http, "2026-06-15T18:00:00Z", "2026-06-15T20:00:00Z", "DAY", "Asia/Kolkata"
    )

    assert starts(hours) == ["2026-06-15T17:30:00Z", "2026-06-15T18:30:00Z", "2026-06-15T19:30:00Z"]
    assert totals(hours) == [1, 1, 0]
    assert starts(days) == ["2026-06-14T18:30:00Z", "2026-06-15T18:30:00Z"]
    assert totals(days) == [1, 1]


async def test_the_half_hour_shift_of_lord_howe_makes_one_long_and_one_short_hour(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    zone = "Australia/Lord_Howe"

    back = await stats(tenant, http, "2026-04-04T13:00:00Z", "2026-04-04T17:30:00Z", "HOUR", zone)
    forward = await stats(
        tenant, http, "2026-10-03T13:30:00Z", "2026-10-03T18:00:00Z", "HOUR", zone
    )
    days = await stats(tenant, http, "2026-04-04T13:00:00Z", "2026-04-06T13:30:00Z", "DAY", zone)

    assert starts(back) == [
        "2026-04-04T13:00:00Z",  # 00:00 at +11:00
        "2026-04-04T14:00:00Z",  # 01:00, until the second 02:00
        "2026-04-04T15:30:00Z",  # 02:00 at +10:30
        "2026-04-04T16:30:00Z",
    ]
    assert starts(forward) == [
        "2026-10-03T13:30:00Z",  # 00:00 at +10:30
        "2026-10-03T14:30:00Z",  # 01:00
        "2026-10-03T15:30:00Z",  # 02:30 at +11:00
        "2026-10-03T16:00:00Z",  # 03:00
        "2026-10-03T17:00:00Z",
    ]
    assert starts(days) == ["2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"]


async def test_a_midnight_that_does_not_exist_is_when_the_day_begins(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await stats(
        tenant, http, "2026-04-22T22:00:00Z", "2026-04-25T21:00:00Z", "DAY", "Africa/Cairo"
    )

    assert starts(answer) == [
        "2026-04-22T22:00:00Z",
        "2026-04-23T22:00:00Z",  # 01:00 on the 24th: the clock jumps over 00:00
        "2026-04-24T21:00:00Z",
    ]


async def test_a_day_that_does_not_exist_has_no_bucket(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=at("2011-12-30T10:00"))

    answer = await stats(
        tenant, http, "2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z", "DAY", "Pacific/Apia"
    )

    assert starts(answer) == [
        "2011-12-29T10:00:00Z",  # the 29th
        "2011-12-30T10:00:00Z",  # the 31st
        "2011-12-31T10:00:00Z",
    ]
    assert totals(answer) == [0, 1, 0]
