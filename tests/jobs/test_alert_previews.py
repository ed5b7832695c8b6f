"""A preview says what live checks would have done: over the same rows, the same alerts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from domain import alert, stats
from domain.alert import Comparison, Definition, Firing, Kind, Metric
from domain.alert.preview import checks
from persistence.database import Database
from persistence.feedback import Filter
from tests.alerting import Alerting, viewer
from tests.factories import NEGATIVE, NEUTRAL, POSITIVE, Factory, Tenant

START = datetime(2026, 3, 27, tzinfo=UTC)  # Berlin's clocks go forward two days later.
END = START + timedelta(days=4)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
COUNT = Definition(Kind.COUNT, threshold=3, cool_down_minutes=120, window_minutes=120)
CHANGE = Definition(
    Kind.CHANGE,
    threshold=40,
    minimum_change=2,
    baseline_weeks=3,
    window_minutes=180,
    time_zone="Europe/Berlin",
    cool_down_minutes=0,
)
RULES = {
    "count": COUNT,
    "few": replace(COUNT, comparison=Comparison.AT_MOST, threshold=0, window_minutes=60),
    "with a second threshold": replace(COUNT, threshold=4, resolve_threshold=2),
    "of words": replace(COUNT, where=Filter(search="late"), threshold=2),
    "of ratings": replace(COUNT, where=Filter(rating_lte=4), threshold=2),
    "of sentiments": replace(COUNT, where=Filter(sentiments=("NEGATIVE", "NEUTRAL"))),
    "share": Definition(Kind.SHARE, threshold=40, minimum_sample=3, window_minutes=720),
    "score": Definition(
        Kind.AVERAGE, threshold=-0.1, comparison=Comparison.AT_MOST, minimum_sample=2
    ),
    "rating": Definition(Kind.AVERAGE, metric=Metric.RATING, threshold=7, window_minutes=600),
    "rise": CHANGE,
    "fall": replace(CHANGE, comparison=Comparison.AT_MOST, window_minutes=360),
    "share rises": replace(CHANGE, metric=Metric.SHARE, minimum_change=10, window_minutes=720),
    "odd zone": replace(CHANGE, time_zone="Australia/Lord_Howe", window_minutes=60),
}


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


async def history(factory: Factory, tenant: Tenant, seed: int, database: Database) -> None:
    """Four weeks and some days of bursts and lulls, the older part folded into hours."""
    random = Random(seed)  # noqa: S311 - so that it is the same each time
    moments = [START - 3 * WEEK - 6 * HOUR]
    while moments[-1] < END:
        minutes = random.choice((5, 20, 45, 90, 600)) * random.uniform(0.5, 1.5)
        moments.append(moments[-1] + timedelta(minutes=int(minutes)))
    folded = int(len(moments) * random.uniform(0.3, 0.9))
    for part in (moments[:folded], moments[folded:]):
        await stats.compact(database)
        scores = [random.choice((NEGATIVE, NEUTRAL, POSITIVE, None)) for _ in part]
        await factory.change(
            _INSERT,
            within=tenant,
            workspace=tenant.id,
            source=tenant.source_id,
            bodies=[random.choice(("It works.", "late again", "so late")) for _ in part],
            ratings=[random.choice((None, 1, 4, 9, 10)) for _ in part],
            labels=[score and score.label for score in scores],
            scores=[score and score.score for score in scores],
            moments=part,
        )


_INSERT = """
    INSERT INTO feedback (id, workspace_id, source_id, body, rating, sentiment_label,
        sentiment_score, occurred_at, received_at)
    SELECT gen_random_uuid(), :workspace, :source, body, rating, label, score, moment, moment
    FROM unnest(:bodies ::text[], :ratings ::smallint[], :labels ::text[], :scores ::float8[])
        WITH ORDINALITY AS given(body, rating, label, score, number)
    JOIN unnest(:moments ::timestamptz[]) WITH ORDINALITY AS at(moment, number) USING (number)
"""


async def previewed(
    alerting: Alerting, tenant: Tenant, definition: Definition, start: datetime = START
) -> Sequence[Firing]:
    command = alert.PreviewRule(tenant.id, definition, start, END)
    async with alerting.database.transaction() as uow:
        preview = await alert.preview(uow, viewer(tenant), command)
    assert (preview.start, preview.end) == (start, END)
    return preview.firings


async def lived(
    alerting: Alerting,
    tenant: Tenant,
    definition: Definition,
    step: timedelta = HOUR,
    start: datetime = START,
) -> list[Firing]:
    """What checks of a rule at the preview's moments do."""
    await alerting.rule(tenant, definition)
    for at in checks(start, END, step):
        await alerting.check(tenant, at)
    return [
        Firing(each.fired_at, each.resolved_at, each.value, each.baseline)
        for each in await alerting.raised(tenant)
    ]


@pytest.mark.parametrize("name", RULES)
async def test_a_preview_is_what_checks_do(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database, name: str
) -> None:
    await history(factory, tenant, 7, database)

    expected = await lived(alerting, tenant, RULES[name])

    assert expected, "the history has nothing to tell"
    assert await previewed(alerting, tenant, RULES[name]) == expected


async def test_a_preview_of_a_short_window_has_short_steps(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database
) -> None:
    definition = replace(COUNT, window_minutes=25, threshold=2)
    await history(factory, tenant, 7, database)
    start = END - 30 * HOUR

    expected = await lived(alerting, tenant, definition, timedelta(minutes=5), start)

    assert expected, "the history has nothing to tell"
    assert await previewed(alerting, tenant, definition, start) == expected


@pytest.mark.parametrize("threshold", [None, 1])
async def test_a_preview_of_silences_is_what_checks_do(
    alerting: Alerting,
    factory: Factory,
    tenant: Tenant,
    database: Database,
    threshold: float | None,
) -> None:
    where = Filter(source_ids=(tenant.source_id,))
    definition = Definition(
        Kind.SILENCE, where, threshold=threshold, window_minutes=120, cool_down_minutes=0
    )
    await history(factory, tenant, 3, database)
    # So that the last days have a longer silence than all before.
    await factory.change(
        "DELETE FROM feedback WHERE occurred_at BETWEEN :start AND :end",
        within=tenant,
        start=END - timedelta(hours=40),
        end=END - HOUR,
    )

    expected = await lived(alerting, tenant, definition)

    assert expected, "the history has nothing to tell"
    assert await previewed(alerting, tenant, definition) == expected


async def test_a_preview_of_matches_is_what_events_do(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database
) -> None:
    definition = Definition(Kind.MATCH, Filter(search="late"), cool_down_minutes=240)
    await history(factory, tenant, 5, database)
    await alerting.rule(tenant, definition)
    rows = await factory.rows(
        "SELECT 'feedback_' || replace(id::text, '-', ''), occurred_at FROM feedback"
        " WHERE occurred_at >= :start AND occurred_at < :end ORDER BY occurred_at, id",
        start=START,
        end=END,
    )
    for id_, moment in rows:
        await alerting.match(tenant, moment, ADDED=[id_])
    expected = [each.fired_at for each in await alerting.raised(tenant)]

    found = await previewed(alerting, tenant, definition)

    assert expected
    assert [each.fired_at for each in found] == expected


async def test_a_preview_changes_nothing(
    alerting: Alerting, factory: Factory, tenant: Tenant, database: Database
) -> None:
    await factory.feedback(tenant, occurred_at=END - HOUR)

    await previewed(alerting, tenant, CHANGE)

    assert await factory.rows("SELECT 1 FROM alert UNION ALL SELECT 1 FROM alert_rule") == []
