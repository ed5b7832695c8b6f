"""When schedules run: each time once, whatever was missed, and by the clock on the wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import InvalidInputError
from domain.schedule import Cron, Every, Missed, following, runs_due

NINE = datetime(2026, 6, 15, 9, tzinfo=UTC)
HOURLY = Every(3600)
DAILY = Cron("0 9 * * *")


def hours(*numbers: float) -> list[datetime]:
    return [NINE + timedelta(hours=number) for number in numbers]


def berlin(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)  # type: ignore[misc,arg-type]


def test_so_many_seconds_are_so_many_seconds() -> None:
    assert following(Every(90), NINE) == NINE + timedelta(seconds=90)


def test_a_time_of_day_comes_after_the_moment_never_at_it() -> None:
    assert following(DAILY, NINE - timedelta(seconds=1)) == NINE
    assert following(DAILY, NINE) == NINE + timedelta(days=1)


def test_a_time_of_day_is_the_one_of_the_place() -> None:
    assert following(Cron("0 9 * * *", "Asia/Kolkata"), NINE) == datetime(
        2026, 6, 16, 3, 30, tzinfo=UTC
    )


def test_days_of_the_week_are_kept() -> None:
    friday = datetime(2026, 6, 19, 12, tzinfo=UTC)

    assert following(Cron("0 9 * * 1-5"), friday) == datetime(2026, 6, 22, 9, tzinfo=UTC)


def test_in_spring_a_day_has_23_hours() -> None:
    cron = Cron("0 9 * * *", "Europe/Berlin")
    before = berlin(2026, 3, 28, 9)

    after = following(cron, before)

    assert after == berlin(2026, 3, 29, 9)
    assert after - before == timedelta(hours=23)


def test_a_time_that_spring_leaves_out_comes_when_the_clock_has_been_put_forward() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")

    assert following(cron, berlin(2026, 3, 28, 12)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert following(cron, berlin(2026, 3, 29, 12)) == berlin(2026, 3, 30, 2, 30)


def test_a_time_that_autumn_has_twice_comes_once() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")
    first = following(cron, berlin(2026, 10, 24, 12))

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert following(cron, first) == berlin(2026, 10, 26, 2, 30)


@pytest.mark.parametrize(
    "expression", ["", "every day", "0 25 * * *", "* * * * * * * *", "0 0 31 2 *"]
)
def test_what_is_no_cron_or_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        following(Cron(expression), NINE)

    assert [field.path for field in refused.value.fields] == [("cron",)]


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        following(Cron("0 9 * * *", "Europe/Atlantis"), NINE)


@pytest.mark.parametrize("missed", Missed)
@pytest.mark.parametrize("rhythm", [HOURLY, Cron("0 * * * *")])
def test_what_is_due_now_runs_now(rhythm: Every | Cron, missed: Missed) -> None:
    now = NINE + timedelta(seconds=1)

    assert runs_due(rhythm, missed, NINE, now) == ([NINE], hours(1)[0])


@pytest.mark.parametrize("rhythm", [HOURLY, Cron("0 * * * *")])
@pytest.mark.parametrize(
    ("missed", "runs"),
    [(Missed.EVERY, hours(0, 1, 2, 3)), (Missed.ONCE, hours(3)), (Missed.SKIP, [])],
)
def test_what_was_missed_is_made_up_for_as_it_says(
    rhythm: Every | Cron, missed: Missed, runs: list[datetime]
) -> None:
    assert runs_due(rhythm, missed, NINE, hours(3.5)[0]) == (runs, hours(4)[0])


@pytest.mark.parametrize("rhythm", [HOURLY, Cron("0 * * * *")])
def test_to_skip_what_was_missed_is_not_to_skip_what_is_due(rhythm: Every | Cron) -> None:
    assert runs_due(rhythm, Missed.SKIP, NINE, hours(3)[0]) == (hours(3), hours(4)[0])


def test_so_many_at_once_are_made_up_for_and_then_the_next_so_many() -> None:
    minutely = Every(60)
    late = NINE + timedelta(minutes=150)

    first, after = runs_due(minutely, Missed.EVERY, NINE, late)
    second, following_ = runs_due(minutely, Missed.EVERY, after, late)

    assert (len(first), len(second)) == (100, 51)
    assert [*first, *second] == [NINE + timedelta(minutes=n) for n in range(151)]
    assert following_ == NINE + timedelta(minutes=151)


def test_delays_do_not_add_up() -> None:
    _, after = runs_due(Every(60), Missed.ONCE, NINE, NINE + timedelta(seconds=150))

    assert after == NINE + timedelta(seconds=180)
