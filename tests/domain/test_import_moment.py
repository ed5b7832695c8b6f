"""Dates in files: what is read, and what is not guessed."""

from datetime import UTC, datetime

import pytest

from domain.imports import moment

DAY = datetime(2026, 3, 14, tzinfo=UTC)
HALF_PAST = DAY.replace(hour=15, minute=30)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14",
        "2026/3/14",
        "2026.03.14",
        "14.3.2026",
        "14/03/2026",
        "3/14/2026",
        "03-14-2026",
        "14 March 2026",
        "14-Mar-2026",
        "Mar 14, 2026",
        "March 14 2026",
        " 2026-03-14 00:00 ",
        "2026-03-14T00:00:00Z",
        "2026-03-14T05:30:00+05:30",
    ],
)
def test_days_are_read(text: str) -> None:
    assert moment.read(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T15:30:00Z",
        "2026-03-14 15:30:00",
        "2026-03-14 15:30:00 +00:00",
        "2026-03-14T16:30:00.000+01:00",
        "14.03.2026 15:30",
        "3/14/2026 3:30 PM",
        "14/3/2026, 15:30:00",
        "Mar 14, 2026 03:30:00 pm",
        "14 Mar 2026 15:30 UTC",
        "Sat, 14 Mar 2026 16:30:00 +0100",
    ],
)
def test_times_are_read(text: str) -> None:
    assert moment.read(text) == HALF_PAST


@pytest.mark.parametrize("text", ["03/04/2026", "3-4-2026", "12/11/2026 10:00"])
def test_what_may_be_two_days_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="may be read as two dates"):
        moment.read(text)


def test_the_same_number_twice_is_one_day() -> None:
    assert moment.read("4/4/2026") == datetime(2026, 4, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-02-30",
        "2026-13-01",
        "14.3.26",
        "3/14/26",
        "14 Foo 2026",
        "1773500000",
        "3/14/2026 13:30 PM",
        "3/14/2026 25:00",
        "2026-03-14Tnoon",
        "14/3.2026",
        f"14.3.2026{' ' * 60}15:30",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a date"):
        moment.read(text)
