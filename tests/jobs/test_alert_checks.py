"""Checks of rules over real rows: each kind fires and is over exactly where it says."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain import stats
from domain.alert import Comparison, Definition, Kind, Metric, QuietHours
from domain.sentiment import Judgement
from persistence.database import Database, UniqueViolationError
from persistence.feedback import Filter
from tests.alerting import Alerting, Raised, read
from tests.factories import NEGATIVE, POSITIVE, Factory, Tenant

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR, MINUTE, WEEK = timedelta(hours=1), timedelta(minutes=1), timedelta(weeks=1)
SECOND = timedelta(seconds=1)
COUNT = Definition(Kind.COUNT, threshold=3, cool_down_minutes=0)
SHARE = Definition(Kind.SHARE, threshold=50, minimum_sample=4, cool_down_minutes=0)
CHANGE = Definition(
    Kind.CHANGE, threshold=100, minimum_change=2, baseline_weeks=3, cool_down_minutes=0
)


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


async def said(
    factory: Factory, tenant: Tenant, *moments: datetime, score: Judgement | None = None
) -> None:
    for moment in moments:
        await factory.feedback(tenant, occurred_at=moment, score=score)


async def test_a_count_fires_when_it_is_reached_and_is_over_when_the_window_has_passed(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT)
    await said(factory, tenant, NOON - HOUR, NOON - 30 * MINUTE, NOON - MINUTE)

    before = await alerting.check(tenant, NOON - MINUTE)
    fired = await alerting.check(tenant, NOON)
    again = await alerting.check(tenant, NOON)
    over = await alerting.check(tenant, NOON + timedelta(microseconds=1))

    assert (before, fired, again, over) == (0, 1, 0, 1)
    assert await alerting.raised(tenant) == [
        Raised("RESOLVED", NOON, NOON + timedelta(microseconds=1), 3.0, 3.0, None)
    ]
    assert alerting.events(tenant) == [
        ("alert.fired", "FIRING"),
        ("alert.resolved", "RESOLVED"),
    ]


async def test_feedback_of_the_future_does_not_count_yet(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT)
    await said(factory, tenant, NOON, NOON - SECOND, NOON - 2 * SECOND)

    assert await alerting.check(tenant, NOON) == 0
    assert await alerting.check(tenant, NOON + SECOND) == 1


async def test_few_can_be_an_alert_too(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, replace(COUNT, comparison=Comparison.AT_MOST, threshold=1))
    await said(factory, tenant, NOON - 2 * MINUTE, NOON - MINUTE)

    assert await alerting.check(tenant, NOON) == 0
    assert await alerting.check(tenant, NOON + HOUR - 2 * MINUTE) == 0
    assert await alerting.check(tenant, NOON + HOUR - 2 * MINUTE + SECOND) == 1
    assert [each.value for each in await alerting.raised(tenant)] == [1.0]


async def test_a_share_counts_what_is_scored_and_enough_of_it(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, SHARE)
    await said(factory, tenant, NOON - MINUTE, NOON - MINUTE, score=NEGATIVE)
    await said(factory, tenant, NOON - MINUTE, score=POSITIVE)
    await said(factory, tenant, NOON - MINUTE, NOON - MINUTE, NOON - MINUTE)

    assert await alerting.check(tenant, NOON) == 0
    await said(factory, tenant, NOON - MINUTE, score=POSITIVE)
    assert await alerting.check(tenant, NOON) == 1
    await said(factory, tenant, NOON - MINUTE, score=POSITIVE)
    assert await alerting.check(tenant, NOON + SECOND) == 1

    assert [each.value for each in await alerting.raised(tenant)] == [50.0]


@pytest.mark.parametrize("compacted", [0, 1])
async def test_averages_of_scores_and_ratings(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database, compacted: int
) -> None:
    low = Definition(
        Kind.AVERAGE, comparison=Comparison.AT_MOST, window_minutes=180, threshold=-0.2
    )
    await alerting.rule(tenant, low)
    await alerting.rule(tenant, replace(low, metric=Metric.RATING, threshold=4))
    for hour, score in enumerate((NEGATIVE, POSITIVE, NEGATIVE)):
        moment = NOON - hour * HOUR - 30 * MINUTE
        await factory.feedback(tenant, occurred_at=moment, score=score, rating=hour + 3)
    for _ in range(compacted):
        await stats.compact(database)

    assert await alerting.check(tenant, NOON) == 2

    values = sorted(each.value or 0 for each in await alerting.raised(tenant))
    assert values == [pytest.approx(-0.2), 4.0]


async def test_a_change_is_against_the_same_weekday_and_time(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, CHANGE)
    for week in (1, 2, 3):
        moment = NOON - week * WEEK
        # The hour before and the one after do not count.
        await said(factory, tenant, moment - MINUTE, moment - 61 * MINUTE, moment)
    await said(factory, tenant, NOON - 3 * WEEK - 2 * HOUR)
    await said(factory, tenant, NOON - MINUTE, NOON - 2 * MINUTE)

    assert await alerting.check(tenant, NOON) == 0
    await said(factory, tenant, NOON - 3 * MINUTE)
    assert await alerting.check(tenant, NOON) == 1

    assert await alerting.raised(tenant) == [Raised("FIRING", NOON, None, 3.0, 100.0, 1.0)]


async def test_weeks_before_the_first_feedback_are_missing_and_not_empty(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, CHANGE)
    await said(factory, tenant, NOON - WEEK - MINUTE, NOON - WEEK - HOUR)
    await said(factory, tenant, *[NOON - MINUTE] * 9)

    assert await alerting.check(tenant, NOON) == 0
    # Now there are two of three weeks.
    await said(factory, tenant, NOON - 2 * WEEK - HOUR)
    assert await alerting.check(tenant, NOON) == 1
    assert [each.baseline for each in await alerting.raised(tenant)] == [1.5]


async def test_a_new_source_has_no_weeks_of_its_own_yet(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    ((api,),) = await factory.rows(
        "SELECT id FROM source WHERE workspace_id = :w AND kind = 'API'", w=tenant.id
    )
    await alerting.rule(tenant, replace(CHANGE, where=Filter(source_ids=(api,))))
    await said(factory, tenant, NOON - 4 * WEEK)
    for _ in range(9):
        await factory.feedback(tenant, occurred_at=NOON - MINUTE, source_id=api)

    assert await alerting.check(tenant, NOON) == 0
    await factory.feedback(tenant, occurred_at=NOON - 4 * WEEK, source_id=api)
    assert await alerting.check(tenant, NOON) == 1
    assert [each.baseline for each in await alerting.raised(tenant)] == [0.0]


async def test_a_source_gone_quiet_fires_and_is_over_with_its_next_word(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    where = Filter(source_ids=(tenant.source_id,))
    await alerting.rule(tenant, Definition(Kind.SILENCE, where, cool_down_minutes=0))
    never = await alerting.check(tenant, NOON)
    await received(factory, tenant, NOON)

    assert never == 0
    assert await alerting.check(tenant, NOON + HOUR - SECOND) == 0
    assert await alerting.check(tenant, NOON + HOUR) == 1
    await received(factory, tenant, NOON + 2 * HOUR)
    assert await alerting.check(tenant, NOON + 2 * HOUR) == 1

    assert await alerting.raised(tenant) == [
        Raised("RESOLVED", NOON + HOUR, NOON + 2 * HOUR, 60.0, 60.0, None)
    ]


@pytest.mark.parametrize("compacted", [0, 1])
async def test_a_silence_may_be_as_long_as_ever(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database, compacted: int
) -> None:
    where = Filter(source_ids=(tenant.source_id,))
    await alerting.rule(tenant, Definition(Kind.SILENCE, where, threshold=1.5))
    # One word an hour, but for a night of nine hours: ten from the first minute to the last.
    for hour in (*range(-34, -20), *range(-11, 1)):
        await received(factory, tenant, NOON + hour * HOUR)
    for _ in range(compacted):
        await stats.compact(database)

    assert await alerting.check(tenant, NOON + 16.5 * HOUR - SECOND) == 0
    assert await alerting.check(tenant, NOON + 16.5 * HOUR) == 1

    assert await alerting.raised(tenant) == [
        Raised("FIRING", NOON + 16.5 * HOUR, None, 990.0, 990.0, 660.0)
    ]


async def received(factory: Factory, tenant: Tenant, moment: datetime) -> None:
    id_ = await factory.feedback(tenant, occurred_at=moment)
    await factory.change(
        "UPDATE feedback SET received_at = :moment WHERE id = :id",
        within=tenant,
        moment=moment,
        id=read(id_),
    )


async def test_after_firing_a_rule_cools_down(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, replace(COUNT, window_minutes=5, cool_down_minutes=60))
    await said(factory, tenant, *[NOON] * 3, *[NOON + 55 * MINUTE] * 3, *[NOON + HOUR] * 3)

    changes = [
        await alerting.check(tenant, NOON + minutes * MINUTE) for minutes in (1, 30, 56, 60, 61)
    ]

    assert changes == [1, 1, 0, 0, 1]
    assert [each.fired_at for each in await alerting.raised(tenant)] == [
        NOON + MINUTE,
        NOON + 61 * MINUTE,
    ]


async def test_the_second_threshold_says_when_it_is_over(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, replace(COUNT, resolve_threshold=2))
    await said(factory, tenant, *(NOON - minutes * MINUTE for minutes in (60, 40, 20)))

    assert await alerting.check(tenant, NOON) == 1
    assert await alerting.check(tenant, NOON + 20 * MINUTE) == 0
    assert await alerting.check(tenant, NOON + 20 * MINUTE + SECOND) == 1


@pytest.mark.parametrize(
    "where",
    [
        Filter(search="refund"),
        Filter(sentiments=("NEGATIVE",)),
        Filter(rating_gte=2),
        Filter(rating_lte=1),
        Filter(search="refund", sentiments=("NEGATIVE", "POSITIVE")),
    ],
)
@pytest.mark.parametrize("window", [60, 240])
async def test_only_what_passes_the_filter_counts(
    alerting: Alerting, factory: Factory, tenant: Tenant, where: Filter, window: int
) -> None:
    await alerting.rule(tenant, Definition(Kind.COUNT, where, threshold=1, window_minutes=window))
    other = await factory.tenant()
    rating = where.rating_lte or 2
    for of, moment in ((tenant, NOON), (other, NOON - MINUTE)):
        await factory.feedback(of, "a refund", score=NEGATIVE, rating=rating, occurred_at=moment)
    await factory.feedback(tenant, score=POSITIVE, occurred_at=NOON - MINUTE)
    unmet = replace(where, rating_lte=1, rating_gte=None) if where.rating_gte else where
    assert unmet.values()

    assert await alerting.check(tenant, NOON) == 0
    assert await alerting.check(tenant, NOON + MINUTE) == 1


@pytest.mark.parametrize("window", [60, 240])
async def test_one_of_several_tags_counts_once(
    alerting: Alerting, factory: Factory, tenant: Tenant, window: int
) -> None:
    first = await factory.feedback(tenant, occurred_at=NOON - MINUTE)
    second = await factory.feedback(tenant, occurred_at=NOON - 2 * HOUR)
    await factory.tag(tenant, "a", first, second)
    await factory.tag(tenant, "b", first)
    tags = tuple(id_ for (id_,) in await factory.rows("SELECT id FROM tag ORDER BY name"))
    for chosen in (tags, tags[:1]):
        await alerting.rule(
            tenant,
            Definition(Kind.COUNT, Filter(tag_ids=chosen), threshold=1, window_minutes=window),
        )

    assert await alerting.check(tenant, NOON) == 2

    assert [each.value for each in await alerting.raised(tenant)] == [window // 120 or 1] * 2


async def test_an_alert_keeps_what_it_went_by_and_five_samples(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    rule = await alerting.rule(tenant, replace(SHARE, threshold=60), name="Angry")
    await said(factory, tenant, NOON - SECOND, score=POSITIVE)
    angry = [
        await factory.feedback(tenant, occurred_at=NOON - minutes * MINUTE, score=NEGATIVE)
        for minutes in range(1, 8)
    ]

    await alerting.check(tenant, NOON)
    await alerting.change(tenant, rule, name="Calm", definition=replace(SHARE, threshold=99))

    rows = await factory.rows(
        "SELECT name, kind, (query->>'threshold')::int, window_start, window_end, sample_ids FROM alert"
    )
    assert rows == [("Angry", "SHARE", 60, NOON - HOUR, NOON, [read(id_) for id_ in angry[:5]])]


async def test_two_checks_at_once_fire_once(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT)
    await said(factory, tenant, *[NOON - MINUTE] * 3)

    changes = await asyncio.gather(*(alerting.check(tenant, NOON) for _ in range(8)))

    assert sorted(changes) == [0] * 7 + [1]
    assert await alerting.states(tenant) == ["FIRING"]
    assert alerting.events(tenant) == [("alert.fired", "FIRING")]
    over = await asyncio.gather(*(alerting.check(tenant, NOON + 2 * HOUR) for _ in range(8)))
    assert sorted(over) == [0] * 7 + [1]


async def test_the_store_lets_a_rule_fire_once(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    await alerting.rule(tenant, COUNT)
    await said(factory, tenant, *[NOON - MINUTE] * 3)
    await alerting.check(tenant, NOON)

    with pytest.raises(UniqueViolationError) as refused:
        await factory.change(
            "INSERT INTO alert SELECT gen_random_uuid(), workspace_id, rule_id, name, kind, state,"
            " fired_at, resolved_at, value, threshold, baseline, window_start, window_end, query,"
            " sample_ids, notified FROM alert",
            within=tenant,
        )

    assert refused.value.constraint == "alert_firing_idx"


async def test_a_rule_that_is_off_is_not_checked_and_its_alert_is_resolved(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    rule = await alerting.rule(tenant, COUNT)
    await said(factory, tenant, *[NOON - MINUTE] * 3)
    await alerting.check(tenant, NOON)

    await alerting.change(tenant, rule, enabled=False)

    assert await alerting.states(tenant) == ["RESOLVED"]
    assert alerting.events(tenant) == [
        ("alert.fired", "FIRING"),
        ("alert.resolved", "RESOLVED"),
    ]
    assert await alerting.check(tenant, NOON) == 0
    await alerting.change(tenant, rule, enabled=True)
    assert await alerting.check(tenant, NOON) == 1


async def test_a_rule_that_asks_something_else_begins_anew(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    cooling = replace(COUNT, cool_down_minutes=600)
    rule = await alerting.rule(tenant, cooling)
    await said(factory, tenant, *[NOON - MINUTE] * 3)
    await alerting.check(tenant, NOON)

    await alerting.change(tenant, rule, name="Another name")
    quieter = replace(cooling, quiet_hours=QuietHours("22:00", "07:00"), notify_resolved=False)
    await alerting.change(tenant, rule, definition=quieter)
    assert await alerting.states(tenant) == ["FIRING"]
    await alerting.change(tenant, rule, definition=replace(cooling, threshold=2))
    assert await alerting.states(tenant) == ["RESOLVED"]

    assert await alerting.check(tenant, NOON) == 1
    assert sorted(await alerting.states(tenant)) == ["FIRING", "RESOLVED"]


async def test_alerts_outlive_their_rule(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    rule = await alerting.rule(tenant, COUNT)
    await said(factory, tenant, *[NOON - MINUTE] * 3)
    await alerting.check(tenant, NOON)

    await alerting.remove(tenant, rule)

    assert await factory.rows("SELECT rule_id, name, state FROM alert") == [
        (None, "Rule", "RESOLVED")
    ]
    assert await alerting.check(tenant, NOON) == 0


async def test_a_change_of_a_rule_waits_for_its_check(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    rule = await alerting.rule(tenant, COUNT)
    await said(factory, tenant, *[NOON - MINUTE] * 3)

    await asyncio.gather(
        *(alerting.check(tenant, NOON) for _ in range(4)), alerting.remove(tenant, rule)
    )

    # Whichever was first: nothing fires that has no rule.
    assert [each.state for each in await alerting.raised(tenant)] in ([], ["RESOLVED"])
    assert await factory.rows("SELECT 1 FROM alert WHERE state = 'FIRING'") == []


async def test_rules_of_other_workspaces_are_left_alone(
    alerting: Alerting, factory: Factory, tenant: Tenant
) -> None:
    other = await factory.tenant()
    await alerting.rule(other, COUNT)
    await said(factory, other, *[NOON - MINUTE] * 3)

    assert await alerting.check(tenant, NOON) == 0
    assert await alerting.raised(other) == []
    assert await alerting.check(other, NOON) == 1
