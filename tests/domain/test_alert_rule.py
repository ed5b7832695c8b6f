"""What a rule may say, and when people want to hear of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.alert.rule import Comparison, Definition, Kind, Metric, QuietHours, checked, quiet_until
from domain.checks import Checks
from domain.errors import InvalidInputError
from persistence.feedback import Filter

SOURCE = Filter(source_ids=(UUID(int=1),))
COUNT = Definition(Kind.COUNT, threshold=10)
SHARE = Definition(Kind.SHARE, threshold=50)
AVERAGE = Definition(Kind.AVERAGE, threshold=-0.5)
CHANGE = Definition(Kind.CHANGE, threshold=50)
SILENCE = Definition(Kind.SILENCE, SOURCE)
MATCH = Definition(Kind.MATCH, Filter(search="refund"))
ALL = (COUNT, SHARE, AVERAGE, CHANGE, SILENCE, MATCH)


def refused(definition: Definition) -> list[str]:
    """The fields that are wrong."""
    checks = Checks()
    checked(definition, checks, "rule")
    try:
        checks.done()
    except InvalidInputError as error:
        return [".".join(field.path) for field in error.fields]
    return []


@pytest.mark.parametrize("definition", ALL, ids=lambda each: each.kind)
def test_a_rule_of_each_kind_needs_little(definition: Definition) -> None:
    assert refused(definition) == []


@pytest.mark.parametrize(
    ("definition", "metric"),
    [
        (COUNT, Metric.COUNT),
        (SHARE, Metric.SHARE),
        (AVERAGE, Metric.SCORE),
        (replace(AVERAGE, metric=Metric.RATING, threshold=5), Metric.RATING),
        (CHANGE, Metric.COUNT),
        (replace(CHANGE, metric=Metric.SHARE), Metric.SHARE),
    ],
)
def test_the_metric_follows_from_the_kind(definition: Definition, metric: Metric) -> None:
    assert checked(definition, Checks()).metric is metric


@pytest.mark.parametrize(
    ("definition", "changes", "wrong"),
    [
        (COUNT, {"threshold": None}, "threshold"),
        (COUNT, {"threshold": 0}, "threshold"),
        (COUNT, {"threshold": -1}, "threshold"),
        (COUNT, {"threshold": float("nan")}, "threshold"),
        (COUNT, {"threshold": float("inf")}, "threshold"),
        (COUNT, {"metric": Metric.SHARE}, "metric"),
        (COUNT, {"resolve_threshold": 11}, "resolveThreshold"),
        (
            COUNT,
            {"comparison": Comparison.AT_MOST, "resolve_threshold": 9},
            "resolveThreshold",
        ),
        (COUNT, {"window_minutes": 0}, "windowMinutes"),
        (COUNT, {"window_minutes": 7}, "windowMinutes"),
        (COUNT, {"window_minutes": 10_085}, "windowMinutes"),
        (COUNT, {"minimum_sample": 0}, "minimumSample"),
        (COUNT, {"cool_down_minutes": -1}, "coolDownMinutes"),
        (COUNT, {"cool_down_minutes": 10_081}, "coolDownMinutes"),
        (COUNT, {"minimum_change": -0.5}, "minimumChange"),
        (COUNT, {"time_zone": "Mars/Olympus"}, "timeZone"),
        (COUNT, {"quiet_hours": QuietHours("22:00", "24:00")}, "quietHours.to"),
        (COUNT, {"quiet_hours": QuietHours("7:00", "08:00")}, "quietHours.from"),
        (COUNT, {"quiet_hours": QuietHours("07:00", "07:00")}, "quietHours.to"),
        (COUNT, {"where": Filter(source_ids=())}, "filter.sourceIds"),
        (COUNT, {"where": Filter(tag_ids=(UUID(int=1),) * 101)}, "filter.tagIds"),
        (COUNT, {"where": Filter(sentiments=())}, "filter.sentiments"),
        (COUNT, {"where": Filter(occurred_after=datetime.now(UTC))}, "filter.occurredAfter"),
        (COUNT, {"where": Filter(occurred_before=datetime.now(UTC))}, "filter.occurredBefore"),
        (SHARE, {"threshold": 100.5}, "threshold"),
        (SHARE, {"share_of": ()}, "shareOf"),
        (SHARE, {"where": Filter(sentiments=("NEGATIVE",))}, "filter.sentiments"),
        (AVERAGE, {"threshold": -1.1}, "threshold"),
        (AVERAGE, {"metric": Metric.COUNT, "threshold": 5}, "metric"),
        (CHANGE, {"threshold": 0}, "threshold"),
        (CHANGE, {"baseline_weeks": 0}, "baselineWeeks"),
        (CHANGE, {"baseline_weeks": 13}, "baselineWeeks"),
        (CHANGE, {"comparison": Comparison.AT_MOST, "resolve_threshold": 51}, "resolveThreshold"),
        (SILENCE, {"where": Filter()}, "filter"),
        (SILENCE, {"where": Filter(source_ids=(UUID(int=1), UUID(int=2)))}, "filter"),
        (SILENCE, {"where": replace(SOURCE, search="x")}, "filter"),
        (SILENCE, {"threshold": 0.5}, "threshold"),
        (SILENCE, {"resolve_threshold": 1}, "resolveThreshold"),
        (MATCH, {"where": Filter()}, "filter"),
        (MATCH, {"threshold": 1}, "threshold"),
        (MATCH, {"metric": Metric.COUNT}, "metric"),
        (MATCH, {"cool_down_minutes": 0}, "coolDownMinutes"),
    ],
)
def test_what_makes_no_sense_is_refused(
    definition: Definition, changes: dict[str, Any], wrong: str
) -> None:
    assert refused(replace(definition, **changes)) == [f"rule.{wrong}"]


@pytest.mark.parametrize(
    ("definition", "changes"),
    [
        (COUNT, {"comparison": Comparison.AT_MOST, "threshold": 0}),
        (COUNT, {"resolve_threshold": 10}),
        (COUNT, {"window_minutes": 5}),
        (COUNT, {"window_minutes": 10_080}),
        (COUNT, {"cool_down_minutes": 0}),
        (AVERAGE, {"threshold": 0}),
        (CHANGE, {"baseline_weeks": 12}),
        (SILENCE, {"threshold": 1}),
    ],
)
def test_limits_themselves_are_allowed(definition: Definition, changes: dict[str, Any]) -> None:
    assert refused(replace(definition, **changes)) == []


@pytest.mark.parametrize(
    "definition",
    [
        *ALL,
        Definition(
            Kind.CHANGE,
            Filter("late", (UUID(int=1),), (UUID(int=2), UUID(int=3)), ("POSITIVE",), 1, 9),
            Metric.RATING,
            ("NEUTRAL", "POSITIVE"),
            35,
            Comparison.AT_MOST,
            12.5,
            10.25,
            3,
            0.5,
            7,
            11,
            QuietHours("22:00", "07:30"),
            "Europe/Berlin",
            False,
        ),
    ],
)
def test_a_rule_is_kept_as_it_was_said(definition: Definition) -> None:
    assert Definition.from_json(definition.to_json()) == definition


NIGHT = replace(COUNT, quiet_hours=QuietHours("22:00", "07:00"))
LUNCH = replace(COUNT, quiet_hours=QuietHours("12:00", "13:30"))


@pytest.mark.parametrize(
    ("definition", "moment", "until"),
    [
        (COUNT, "2026-06-15T23:00", None),
        (NIGHT, "2026-06-15T21:59", None),
        (NIGHT, "2026-06-15T22:00", "2026-06-16T07:00"),
        (NIGHT, "2026-06-15T23:59", "2026-06-16T07:00"),
        (NIGHT, "2026-06-16T00:00", "2026-06-16T07:00"),
        (NIGHT, "2026-06-16T06:59", "2026-06-16T07:00"),
        (NIGHT, "2026-06-16T07:00", None),
        (LUNCH, "2026-06-15T11:59", None),
        (LUNCH, "2026-06-15T12:00", "2026-06-15T13:30"),
        (LUNCH, "2026-06-15T13:29", "2026-06-15T13:30"),
        (LUNCH, "2026-06-15T13:30", None),
        # 21:00 in UTC is 23:00 in Berlin in summer, and 06:00 in Tokyo the next day.
        (replace(NIGHT, time_zone="Europe/Berlin"), "2026-06-15T21:00", "2026-06-16T05:00"),
        (replace(NIGHT, time_zone="Asia/Tokyo"), "2026-06-15T21:00", "2026-06-15T22:00"),
        # The night in which Berlin's clocks go forward, and the one in which they go back.
        (replace(NIGHT, time_zone="Europe/Berlin"), "2026-03-28T22:00", "2026-03-29T05:00"),
        (replace(NIGHT, time_zone="Europe/Berlin"), "2026-10-24T21:00", "2026-10-25T06:00"),
    ],
)
def test_messages_wait_until_the_quiet_hours_are_over(
    definition: Definition, moment: str, until: str | None
) -> None:
    found = quiet_until(definition, datetime.fromisoformat(f"{moment}:00Z"))

    assert found == (until and datetime.fromisoformat(f"{until}:00Z"))
