"""How patient Earful is with an endpoint."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.webhook.course import (
    RETRIES,
    WELL,
    Outcome,
    after,
    is_given_up,
    is_open,
    pause,
    retry_after,
)
from persistence.webhook import Course

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MIDDLE = 0.5


def failed(delivery: int, status: int | None = 500, wait: timedelta | None = None) -> Outcome:
    return Outcome(UUID(int=delivery), status, wait)


def succeeded(delivery: int) -> Outcome:
    return Outcome(UUID(int=delivery), 204)


def course(*outcomes: Outcome, now: datetime = NOW, begin: Course = WELL) -> Course:
    """After one outcome at a time."""
    for outcome in outcomes:
        begin = after(begin, [outcome], now, MIDDLE)
    return begin


def test_it_is_tried_ten_times_over_about_three_days() -> None:
    pauses = [pause(tries, failed(1), MIDDLE) for tries in range(1, 12)]

    assert pauses == [*RETRIES, None, None]
    assert sum(RETRIES, timedelta(0)) == timedelta(days=3, hours=3, minutes=35, seconds=5)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
def test_a_pause_is_a_fifth_shorter_or_longer_by_chance(chance: float, seconds: float) -> None:
    assert pause(1, failed(1), chance) == timedelta(seconds=seconds)


def test_a_retry_after_makes_a_pause_longer_and_never_shorter() -> None:
    assert pause(1, failed(1, 503, HOUR), MIDDLE) == HOUR
    assert pause(4, failed(1, 503, SECOND), MIDDLE) == timedelta(hours=2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7 * SECOND),
        (" 7 ", 7 * SECOND),
        ("0", 0 * SECOND),
        ("9" * 400, DAY),
        ("Mon, 15 Jun 2026 12:00:30 GMT", 30 * SECOND),
        ("Mon, 15 Jun 2026 11:00:00 GMT", 0 * SECOND),
        ("Tue, 15 Jun 2027 12:00:00 GMT", DAY),
        ("-7", None),
        ("7.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Mon, 15 Jun 2026 12:00:30", None),
    ],
)
def test_what_a_retry_after_asks_for(value: str, expected: timedelta | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == expected


def test_an_answer_without_it_asks_for_nothing() -> None:
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize(
    ("status", "expected"), [(200, True), (299, True), (301, False), (404, False), (None, False)]
)
def test_only_a_2xx_is_a_success(status: int | None, expected: bool) -> None:
    assert Outcome(UUID(int=1), status).is_success is expected


def test_five_different_deliveries_without_a_success_between_them_open_the_circuit() -> None:
    four = course(*(failed(number) for number in range(1, 5)))
    five = course(failed(5), begin=four)

    assert not is_open(four)
    assert four.resume_at is None
    assert is_open(five)
    assert five.resume_at == NOW + 30 * SECOND


def test_one_delivery_that_fails_again_and_again_does_not() -> None:
    assert not is_open(course(*(failed(1) for _ in range(20))))


def test_a_success_makes_all_well() -> None:
    assert course(*(failed(number) for number in range(1, 6)), succeeded(6)) == WELL
    assert not is_open(course(*map(failed, (1, 2, 3, 4)), succeeded(5), failed(6)))


def test_probes_come_after_pauses_that_double_up_to_an_hour() -> None:
    opened = course(*map(failed, (1, 2, 3, 4, 5)))

    pauses, now = [], NOW
    for number in range(10):
        assert opened.resume_at is not None
        pauses.append((opened.resume_at - now).total_seconds())
        now = opened.resume_at
        opened = course(failed(6 + number), now=now, begin=opened)

    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_what_was_awaited_together_counts_as_one_probe() -> None:
    opened = after(WELL, [failed(number) for number in range(1, 9)], NOW, MIDDLE)

    assert (len(opened.failing), opened.probes) == (5, 0)
    assert opened.resume_at == NOW + 30 * SECOND


@pytest.mark.parametrize(
    ("status", "expected"), [(429, NOW + HOUR), (503, NOW + HOUR), (500, None), (302, None)]
)
def test_who_says_that_it_is_busy_gets_nothing_until_it_wants(
    status: int, expected: datetime | None
) -> None:
    assert course(failed(1, status, HOUR)).resume_at == expected


def test_a_retry_after_outlasts_the_pause_of_a_probe() -> None:
    assert course(*map(failed, (1, 2, 3, 4)), failed(5, 503, HOUR)).resume_at == NOW + HOUR


def test_it_is_given_up_after_five_days_without_a_success_and_not_before() -> None:
    failing = WELL
    for hours in range(0, 120, 24):
        failing = course(failed(hours), now=NOW + hours * HOUR, begin=failing)

    assert failing.failing_since == NOW
    assert not is_given_up(failing, NOW + 5 * DAY - SECOND)
    assert is_given_up(failing, NOW + 5 * DAY)


def test_a_success_begins_the_five_days_anew() -> None:
    failing = course(failed(1))
    failing = course(succeeded(2), failed(3), now=NOW + 4 * DAY, begin=failing)

    assert failing.failing_since == NOW + 4 * DAY


def test_what_nobody_tried_for_days_is_not_given_up_after_a_few_tries() -> None:
    failing = course(failed(1))

    later = course(failed(2), failed(3), now=NOW + 30 * DAY, begin=failing)

    assert later.failing_since == NOW + 30 * DAY
    assert not is_given_up(later, NOW + 30 * DAY)
