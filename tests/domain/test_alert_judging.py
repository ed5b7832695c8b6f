"""When rules fire and when they are over: exactly at their boundaries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.alert.judging import (
    LEAST_HABIT,
    UNKNOWN,
    Reading,
    Standing,
    Step,
    Sums,
    is_met,
    longest_pause,
    measure,
    read,
    read_silence,
    silence_limit,
    spans,
    step,
)
from domain.alert.rule import Comparison, Definition, Kind, Metric
from persistence.feedback import Filter

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
COUNT = Definition(Kind.COUNT, metric=Metric.COUNT, threshold=10)
CHANGE = Definition(Kind.CHANGE, metric=Metric.COUNT, threshold=50)
SILENCE = Definition(Kind.SILENCE, Filter(source_ids=(UUID(int=1),)), window_minutes=60)
UP, DOWN = Comparison.AT_LEAST, Comparison.AT_MOST


@pytest.mark.parametrize(
    ("metric", "sums", "value"),
    [
        (Metric.COUNT, Sums(total=7), 7.0),
        (Metric.COUNT, Sums(), 0.0),
        (Metric.SHARE, Sums(total=9, negative=1, neutral=2, positive=1), 25.0),
        (Metric.SHARE, Sums(total=9, negative=1, neutral=1), None),
        (Metric.SCORE, Sums(total=3, negative=3, score=-1_500_000_000), -0.5),
        (Metric.SCORE, Sums(total=9, positive=2, score=2_000_000_000), None),
        (Metric.RATING, Sums(total=3, rated=3, rating=21), 7.0),
        (Metric.RATING, Sums(total=9, rated=2, rating=20), None),
    ],
)
def test_a_number_of_too_few_is_none(metric: Metric, sums: Sums, value: float | None) -> None:
    definition = replace(COUNT, metric=metric, minimum_sample=3)

    assert measure(definition, sums) == value


def test_a_share_is_of_the_sentiments_that_are_asked_for() -> None:
    definition = replace(COUNT, metric=Metric.SHARE, share_of=("NEUTRAL", "POSITIVE"))

    assert measure(definition, Sums(total=8, negative=1, neutral=1, positive=2)) == 75.0


@pytest.mark.parametrize(
    ("comparison", "resolve", "firing", "values"),
    [
        (UP, None, False, {9: False, 10: True, 11: True}),
        (UP, None, True, {9: False, 10: True}),
        (UP, 8, False, {8: False, 9: False, 10: True}),
        (UP, 8, True, {7: False, 8: True, 9: True}),
        (DOWN, None, False, {9: True, 10: True, 11: False}),
        (DOWN, 12, False, {11: False, 12: False}),
        (DOWN, 12, True, {12: True, 13: False}),
    ],
)
def test_a_threshold_counts_from_itself_on(
    comparison: Comparison, resolve: float | None, firing: bool, values: dict[int, bool]
) -> None:
    definition = replace(COUNT, comparison=comparison, resolve_threshold=resolve)

    found = {
        value: is_met(definition, Reading(value, None, value), firing=firing) for value in values
    }

    assert found == values


def weeks(*totals: int | None) -> list[Sums | None]:
    return [None if total is None else Sums(total=total) for total in totals]


@pytest.mark.parametrize(
    ("totals", "baseline"),
    [
        ((10, 10, 10, 10), 10.0),
        ((10, 20, 0, 30), 15.0),
        ((10, 20, None, None), 15.0),
        ((10, None, None, None), None),
        ((None, None, None, None), None),
        ((0, 0, 0, 0), 0.0),
    ],
)
def test_a_baseline_is_the_mean_of_at_least_half_of_the_weeks(
    totals: tuple[int | None, ...], baseline: float | None
) -> None:
    assert read(CHANGE, Sums(total=15), weeks(*totals)).baseline == baseline


def test_one_week_alone_can_be_asked_for() -> None:
    definition = replace(CHANGE, baseline_weeks=1)

    assert read(definition, Sums(total=15), weeks(10)).level == 50.0
    assert read(definition, Sums(total=15), weeks(None)).level is None


@pytest.mark.parametrize(
    ("comparison", "least", "now", "before", "met"),
    [
        (UP, 0, 149, 100, False),
        (UP, 0, 150, 100, True),
        (UP, 50, 150, 100, True),
        (UP, 51, 150, 100, False),
        (UP, 5, 2, 1, False),
        (UP, 0, 50, 100, False),
        (UP, 0, 1, 0, True),
        (UP, 2, 1, 0, False),
        (UP, 0, 0, 0, False),
        (DOWN, 0, 51, 100, False),
        (DOWN, 0, 50, 100, True),
        (DOWN, 51, 50, 100, False),
        (DOWN, 0, 150, 100, False),
        (DOWN, 0, 0, 0, False),
    ],
)
def test_a_change_is_of_percent_and_of_a_least_size(
    comparison: Comparison, least: float, now: int, before: int, met: bool
) -> None:
    definition = replace(CHANGE, comparison=comparison, minimum_change=least)
    reading = read(definition, Sums(total=now), weeks(before, before, before, before))

    assert is_met(definition, reading, firing=False) is met


def test_a_change_of_scores_below_zero_goes_by_their_size() -> None:
    definition = replace(CHANGE, metric=Metric.SCORE, comparison=DOWN)
    before = [Sums(total=1, negative=1, score=-400_000_000)] * 4
    fallen = read(definition, Sums(total=1, negative=1, score=-600_000_000), before)
    risen = read(definition, Sums(total=1, negative=1, score=-200_000_000), before)

    assert fallen.level == pytest.approx(-50)
    assert risen.level == pytest.approx(50)
    assert not is_met(definition, risen, firing=False)


def test_weeks_with_too_few_do_not_count() -> None:
    definition = replace(CHANGE, metric=Metric.SHARE, minimum_sample=10)
    few, enough = Sums(total=9, negative=9), Sums(total=10, negative=5, positive=5)

    assert read(definition, enough, [few, few, enough, enough]).baseline == 50.0
    assert read(definition, enough, [few, few, few, enough]).baseline is None
    assert read(definition, few, [enough] * 4) == Reading(None, 50.0)


def test_the_weeks_before_are_by_the_clock_on_the_wall() -> None:
    berlin = replace(CHANGE, time_zone="Europe/Berlin", baseline_weeks=2)
    at = datetime(2026, 4, 1, 10, tzinfo=UTC)  # noon; the clocks went forward on 29 March

    found = spans(berlin, at)

    assert found.now == (at - HOUR, at)
    assert [end for _, end in found.before] == [
        datetime(2026, 3, 25, 11, tzinfo=UTC),
        datetime(2026, 3, 18, 11, tzinfo=UTC),
    ]
    assert [end - start for start, end in found.before] == [HOUR, HOUR]
    assert spans(COUNT, at).before == ()


def active(*hours: int) -> list[datetime]:
    return [NOON + hour * HOUR for hour in hours]


def test_a_habit_needs_a_day_of_hours() -> None:
    assert longest_pause(active(*range(LEAST_HABIT - 1))) is None
    assert longest_pause(active(*range(LEAST_HABIT))) == 2 * HOUR
    assert longest_pause(active(*range(LEAST_HABIT), 35)) == 13 * HOUR


@pytest.mark.parametrize(("minutes", "met"), [(59, False), (60, True), (61, True)])
def test_a_source_is_silent_after_a_fixed_time(minutes: int, met: bool) -> None:
    reading = read_silence(SILENCE, NOON, NOON - minutes * MINUTE, None)

    assert is_met(SILENCE, reading, firing=False) is met
    assert reading.value == minutes


@pytest.mark.parametrize(
    ("usual", "minutes", "met"),
    [
        (5 * HOUR, 599, False),
        (5 * HOUR, 600, True),
        (10 * MINUTE, 59, False),
        (10 * MINUTE, 60, True),
        (None, 10_000, False),
    ],
)
def test_a_source_is_silent_for_longer_than_it_ever_is(
    usual: timedelta | None, minutes: int, met: bool
) -> None:
    definition = replace(SILENCE, threshold=2)
    reading = read_silence(definition, NOON, NOON - minutes * MINUTE, usual)

    assert is_met(definition, reading, firing=False) is met


def test_a_source_that_never_spoke_is_not_silent() -> None:
    assert read_silence(SILENCE, NOON, None, HOUR) == UNKNOWN
    assert not is_met(SILENCE, UNKNOWN, firing=False)


def test_the_limit_of_a_silence_is_said_in_minutes() -> None:
    definition = replace(SILENCE, threshold=2)

    assert silence_limit(SILENCE, Reading(90, None, 90)) == 60
    assert silence_limit(definition, Reading(90, 20, 90)) == 60
    assert silence_limit(definition, Reading(90, 45, 90)) == 90


HIGH, LOW = Reading(10, None, 10), Reading(9, None, 9)


@pytest.mark.parametrize(
    ("reading", "standing", "taken"),
    [
        (LOW, Standing(), Step.STAY),
        (HIGH, Standing(), Step.FIRE),
        (HIGH, Standing(NOON - HOUR, NOON - HOUR), Step.STAY),
        (LOW, Standing(NOON - MINUTE, NOON - MINUTE), Step.RESOLVE),
        (LOW, Standing(NOON + MINUTE, NOON + MINUTE), Step.STAY),
        (UNKNOWN, Standing(NOON - MINUTE, NOON - MINUTE), Step.RESOLVE),
        (HIGH, Standing(None, NOON - HOUR + MINUTE), Step.STAY),
        (HIGH, Standing(None, NOON - HOUR), Step.FIRE),
        (LOW, Standing(None, NOON - HOUR), Step.STAY),
    ],
)
def test_a_rule_fires_once_and_not_again_within_its_cool_down(
    reading: Reading, standing: Standing, taken: Step
) -> None:
    assert step(COUNT, reading, standing, NOON) is taken


@pytest.mark.parametrize(
    ("since", "taken"),
    [
        (None, Step.STAY),
        (NOON - HOUR + MINUTE, Step.STAY),
        (NOON - HOUR, Step.RESOLVE),
    ],
)
def test_a_match_stands_for_its_cool_down(since: datetime | None, taken: Step) -> None:
    definition = Definition(Kind.MATCH, Filter(search="refund"))

    assert step(definition, UNKNOWN, Standing(since, since), NOON) is taken
