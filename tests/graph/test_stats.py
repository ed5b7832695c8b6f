"""Statistics over GraphQL: what is counted, and what is refused."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.callers import Caller
from tests.factories import NEGATIVE, NEUTRAL, POSITIVE, Factory, GivenScore, Tenant
from tests.graph.stats_queries import HOUR, STATS, at, starts, stats, totals

EMPTY = {
    "total": 0,
    "negative": 0,
    "neutral": 0,
    "positive": 0,
    "unscored": 0,
    "averageScore": None,
    "averageRating": None,
}


async def refusal(tenant: Tenant, http: httpx.AsyncClient, **variables: str) -> tuple[str, str]:
    (error,) = await tenant.owner.on(http).errors(STATS, slug=tenant.slug, **variables)
    return error["extensions"]["code"], error["message"]


# Counts


async def test_totals_count_by_sentiment_with_exact_means(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    noon = at("2026-06-15T12:00")
    await factory.feedback(
        tenant, score=GivenScore("POSITIVE", 0.75, 0.9), rating=10, occurred_at=noon
    )
    await factory.feedback(
        tenant, score=GivenScore("POSITIVE", 0.5, 0.9), rating=9, occurred_at=noon
    )
    await factory.feedback(
        tenant, score=GivenScore("NEGATIVE", -0.5, 0.9), rating=0, occurred_at=noon
    )
    await factory.feedback(tenant, score=GivenScore("NEUTRAL", 0.25, 0.5), occurred_at=noon)
    await factory.feedback(tenant, rating=2, occurred_at=noon)
    await factory.feedback(stranger, score=NEGATIVE, rating=1, occurred_at=noon)

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-16T00:00:00Z")

    counts = {
        "total": 5,
        "negative": 1,
        "neutral": 1,
        "positive": 2,
        "unscored": 1,
        "averageScore": 0.25,
        "averageRating": 5.25,
    }
    assert answer == {
        "totals": counts,
        "buckets": [{"start": "2026-06-15T00:00:00Z", "counts": counts}],
    }


async def test_means_are_over_all_and_not_over_the_buckets(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    for day, rating in ((15, 10), (16, 1), (16, 1)):
        await factory.feedback(tenant, rating=rating, occurred_at=at(f"2026-06-{day}T12:00"))

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-17T00:00:00Z")

    assert answer["totals"]["averageRating"] == 4.0
    assert [bucket["counts"]["averageRating"] for bucket in answer["buckets"]] == [10.0, 1.0]


async def test_a_workspace_without_feedback_has_zeros_and_no_means(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-17T00:00:00Z")

    assert answer == {
        "totals": EMPTY,
        "buckets": [
            {"start": "2026-06-15T00:00:00Z", "counts": EMPTY},
            {"start": "2026-06-16T00:00:00Z", "counts": EMPTY},
        ],
    }


async def test_time_counts_from_from_to_before_to(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    start, end = at("2026-06-15T06:00"), at("2026-06-16T06:00")
    moment = timedelta(microseconds=1)
    for time in (start - moment, start, end - moment, end):
        await factory.feedback(tenant, occurred_at=time)

    answer = await stats(tenant, http, "2026-06-15T06:00:00Z", "2026-06-16T06:00:00Z")

    assert answer["totals"]["total"] == 2
    assert starts(answer) == ["2026-06-15T00:00:00Z", "2026-06-16T00:00:00Z"]
    assert totals(answer) == [1, 1]


async def test_a_bucket_begins_at_its_start(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    midnight = at("2026-06-16T00:00")
    for time in (midnight - timedelta(microseconds=1), midnight, midnight):
        await factory.feedback(tenant, occurred_at=time)

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-17T00:00:00Z")

    assert totals(answer) == [1, 2]


@pytest.mark.parametrize(
    ("filter", "total"),
    [
        ({}, 3),
        ({"sentiments": ["NEGATIVE"]}, 1),
        ({"sentiments": ["NEUTRAL", "POSITIVE"]}, 2),
        ({"ratingGte": 5}, 2),
        ({"ratingLte": 4}, 1),
        ({"search": "battery"}, 2),
        ({"occurredAfter": "2026-06-15T13:00:00Z"}, 2),
        ({"occurredBefore": "2026-06-15T13:00:00Z"}, 1),
        ({"sourceIds": []}, 0),
        ({"tagIds": [f"tag_{'0' * 32}"]}, 0),
    ],
)
async def test_filters_apply(
    factory: Factory, http: httpx.AsyncClient, filter: dict[str, Any], total: int
) -> None:
    tenant = await factory.tenant()
    given = (
        ("The batteries died.", NEGATIVE, 1),
        ("A battery.", NEUTRAL, 5),
        ("Great.", POSITIVE, 9),
    )
    for number, (body, score, rating) in enumerate(given):
        await factory.feedback(
            tenant,
            body,
            score=score,
            rating=rating,
            occurred_at=at("2026-06-15T12:00") + number * HOUR,
        )

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-16T00:00:00Z", **filter)

    assert answer["totals"]["total"] == total
    assert totals(answer) == [total]


async def test_several_workspaces_are_counted_apart(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    first = await factory.tenant("first")
    second = await factory.tenant("second", owner=first.owner)
    await factory.tenant("third", owner=first.owner)
    stranger = await factory.tenant()
    for tenant, number in ((first, 2), (second, 1), (stranger, 4)):
        for _ in range(number):
            await factory.feedback(tenant)

    answer = await first.owner.on(http).ask("""
        { viewer { workspaces { slug stats(from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z") {
            totals { total } buckets { counts { total } }
        } } } }
    """)

    assert answer["viewer"]["workspaces"] == [
        {"slug": slug, "stats": {"totals": {"total": n}, "buckets": [{"counts": {"total": n}}]}}
        for slug, n in (("first", 2), ("second", 1), ("third", 0))
    ]


# Refusals


async def test_from_after_to_is_refused(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await refusal(
        tenant, http, **{"from": "2026-06-16T00:00:00Z", "to": "2026-06-15T23:59:59Z"}
    )

    assert answer == ("INVALID_INPUT", "`from` must not be after `to`.")


async def test_no_time_at_all_has_no_bucket(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant, occurred_at=at("2026-06-15T00:00"))

    answer = await stats(tenant, http, "2026-06-15T00:00:00Z", "2026-06-15T00:00:00Z")

    assert answer == {"totals": EMPTY, "buckets": []}


async def test_2500_buckets_are_the_most(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    start = at("2020-01-01T00:00")
    span = {"from": start.isoformat(), "interval": "HOUR"}

    most = await stats(tenant, http, start.isoformat(), (start + 2_500 * HOUR).isoformat(), "HOUR")
    more = await refusal(
        tenant, http, **span, to=(start + 2_500 * HOUR + timedelta(microseconds=1)).isoformat()
    )

    assert len(starts(most)) == 2_500
    assert more == (
        "INVALID_INPUT",
        "That makes more than 2,500 buckets; choose a longer interval or a shorter time.",
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z"),
        ("9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
async def test_the_ends_of_time_are_refused(
    factory: Factory, http: httpx.AsyncClient, start: str, end: str
) -> None:
    tenant = await factory.tenant()

    code, _ = await refusal(
        tenant, http, **{"from": start, "to": end, "zone": "America/New_York", "interval": "MONTH"}
    )

    assert code == "INVALID_INPUT"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "europe/berlin",
        "Europe",
        "../../etc/passwd",
        "/etc/passwd",
        "x" * 9_999,
        "a\x00b",
        "zone.tab",
        "+02:00",
    ],
)
async def test_what_is_no_time_zone_is_refused(
    factory: Factory, http: httpx.AsyncClient, zone: str
) -> None:
    tenant = await factory.tenant()

    answer = await refusal(
        tenant, http, **{"from": "2026-06-15T00:00:00Z", "to": "2026-06-16T00:00:00Z", "zone": zone}
    )

    assert answer == (
        "INVALID_INPUT",
        f"{zone[:64]!r} is not a time zone; use an IANA name such as Europe/Berlin.",
    )


async def test_a_stranger_has_no_stats_and_nobody_signs_in(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    stranger = await factory.tenant()
    variables = {"slug": tenant.slug, "from": "2026-06-15T00:00:00Z", "to": "2026-06-16T00:00:00Z"}

    answer = await stranger.owner.on(http).ask(STATS, **variables)
    (error,) = await nobody.errors(STATS, **variables)

    assert answer == {"workspace": None}
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_viewer_has_stats(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    viewer = await factory.member(tenant, "VIEWER")
    variables = {"slug": tenant.slug, "from": "2026-06-15T00:00:00Z", "to": "2026-06-16T00:00:00Z"}

    answer = await viewer.on(http).ask(STATS, **variables)

    assert answer["workspace"]["stats"]["totals"] == EMPTY | {"total": 1, "unscored": 1}
