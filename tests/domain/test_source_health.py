"""What is a habit of a source, and when it has gone quiet."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.source_health import is_quiet, per_hour, usual_pause

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def every(minutes: float, count: int, *, ago: float = 0) -> list[datetime]:
    """So many times, so many minutes apart, the last so many minutes ago."""
    return [NOW - timedelta(minutes=ago + minutes * number) for number in range(count)]


def test_the_longest_pause_is_the_habit() -> None:
    times = [*every(5, 9), *every(5, 3, ago=100)]

    assert usual_pause(times) == timedelta(minutes=60)


def test_a_few_times_are_no_habit() -> None:
    assert usual_pause(every(5, 9)) is None


@pytest.mark.parametrize(
    ("pause", "silence", "quiet"),
    [(1, 59, False), (1, 61, True), (60, 119, False), (60, 121, True)],
)
def test_who_is_silent_for_more_than_twice_its_pause_and_an_hour_is_quiet(
    pause: float, silence: float, *, quiet: bool
) -> None:
    last = NOW - timedelta(minutes=silence)

    assert is_quiet(last, timedelta(minutes=pause), NOW) is quiet


def test_who_never_sent_is_not_quiet() -> None:
    assert not is_quiet(None, None, NOW)


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([], 0.0),
        (every(60, 12), 0.5),
        (every(60, 48), 1.0),
        (every(1, 200), 200 / (199 / 60)),
        (every(60, 5, ago=1441), 0.0),
    ],
    ids=["none", "half a day", "two days", "more than are known", "long ago"],
)
def test_the_rate_is_that_of_a_day_or_of_what_is_known(times: list[datetime], rate: float) -> None:
    assert per_hour(times, NOW) == pytest.approx(rate)
