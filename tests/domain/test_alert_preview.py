"""Replaying a rule: its moments, and what they make of it."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.alert.judging import Reading
from domain.alert.preview import MOST_CHECKS, Firing, checks, replay, replay_matches
from domain.alert.rule import Definition, Kind, Metric
from domain.errors import InvalidInputError
from persistence.feedback import Filter

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_checks_are_at_whole_steps_from_the_start_to_the_end() -> None:
    assert checks(NOON, NOON + 2 * HOUR, HOUR) == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    second = timedelta(seconds=1)
    assert checks(NOON + second, NOON + 2 * HOUR - second, HOUR) == [NOON + HOUR]
    assert checks(NOON + second, NOON + HOUR - second, HOUR) == []


def test_too_many_checks_are_refused() -> None:
    assert len(checks(NOON, NOON + (MOST_CHECKS - 1) * HOUR, HOUR)) == MOST_CHECKS
    with pytest.raises(InvalidInputError, match="more than 10,000 checks"):
        checks(NOON, NOON + MOST_CHECKS * HOUR, HOUR)


def test_a_replay_fires_resolves_and_cools_down() -> None:
    definition = Definition(Kind.COUNT, metric=Metric.COUNT, threshold=10, cool_down_minutes=180)
    values = [9, 10, 12, 3, 11, 15, 20, 2]

    found = replay(
        definition,
        ((NOON + number * HOUR, Reading(value, 1, value)) for number, value in enumerate(values)),
    )

    assert found == [
        Firing(NOON + HOUR, NOON + 3 * HOUR, 10, 1),
        Firing(NOON + 4 * HOUR, NOON + 7 * HOUR, 11, 1),
    ]


def test_what_still_fires_in_the_end_is_not_resolved() -> None:
    definition = Definition(Kind.COUNT, metric=Metric.COUNT, threshold=10)

    assert replay(definition, [(NOON, Reading(10, None, 10))]) == [Firing(NOON, None, 10, None)]


def test_matches_fire_once_within_a_cool_down() -> None:
    definition = Definition(Kind.MATCH, Filter(search="refund"), cool_down_minutes=60)
    moments = [NOON, NOON + HOUR / 2, NOON + HOUR, NOON + 3 * HOUR]

    assert replay_matches(definition, moments, NOON + 3.5 * HOUR) == [
        Firing(NOON, NOON + HOUR, None, None),
        Firing(NOON + HOUR, NOON + 2 * HOUR, None, None),
        Firing(NOON + 3 * HOUR, None, None, None),
    ]
