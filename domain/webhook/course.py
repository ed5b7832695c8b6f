"""How patient Earful is with an endpoint: when it tries again, when it holds back, when it gives up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from persistence.webhook import Course

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The pauses between attempts: about three days in all."""
LONGEST_WAIT = timedelta(hours=24)
"""The most that a Retry-After is worth."""
MOST_FAILING = 5
"""After so many different deliveries failed without a success between them, one at a time is tried."""
GIVEN_UP_AFTER = timedelta(days=5)
# The longest pause between two attempts, and something: after a longer silence nobody knows since when it fails.
_SILENCE = timedelta(hours=36)
_FIRST_PROBE = timedelta(seconds=30)
_LONGEST_PROBE = timedelta(hours=1)
_JITTER = 0.2
_BUSY = (429, 503)
WELL = Course(failing_since=None, failed_at=None, failing=(), probes=0, resume_at=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one delivery went: the status that was answered, or None, and how long it asks us to wait."""

    delivery_id: UUID
    status: int | None
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - as HTTP has it

    @property
    def is_gone(self) -> bool:
        return self.status == 410  # noqa: PLR2004 - as HTTP has it


def pause(tries: int, outcome: Outcome, chance: float) -> timedelta | None:
    """How long after so many tries the next one is; None after the last. `chance` is from 0 to 1."""
    if tries > len(RETRIES):
        return None
    planned = _jittered(RETRIES[tries - 1], chance)
    return max(planned, outcome.retry_after or planned)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What a Retry-After asks for, in seconds or until a date, up to a day; None where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        asked = timedelta(seconds=min(int(value), LONGEST_WAIT.total_seconds()))
    else:
        try:
            asked = parsedate_to_datetime(value) - now
        except (TypeError, ValueError):
            return None
    return min(max(asked, timedelta(0)), LONGEST_WAIT)


def is_open(course: Course) -> bool:
    """Whether so much has failed that one delivery at a time is tried."""
    return len(course.failing) >= MOST_FAILING


def after(course: Course, outcomes: Sequence[Outcome], now: datetime, chance: float) -> Course:
    """How it goes after these outcomes, which were awaited together."""
    was_open = is_open(course)
    for outcome in outcomes:
        course = WELL if outcome.is_success else _failed(course, outcome, now)
    if not is_open(course):
        return course
    probes = course.probes + 1 if was_open else 0
    rest = _jittered(min(_FIRST_PROBE * 2 ** min(probes, 30), _LONGEST_PROBE), chance)
    return Course(
        course.failing_since,
        course.failed_at,
        course.failing,
        probes,
        max(now + rest, course.resume_at or now),
    )


def is_given_up(course: Course, now: datetime) -> bool:
    """Whether it has failed for five days, as far as it was tried, without one success."""
    return course.failing_since is not None and now - course.failing_since >= GIVEN_UP_AFTER


def _failed(course: Course, outcome: Outcome, now: datetime) -> Course:
    was_tried = course.failed_at is not None and now - course.failed_at <= _SILENCE
    since = course.failing_since if was_tried and course.failing_since else now
    failing = course.failing
    if outcome.delivery_id not in failing and len(failing) < MOST_FAILING:
        failing = (*failing, outcome.delivery_id)
    resume_at = course.resume_at
    # It is not this delivery that is too much for it.
    if outcome.status in _BUSY and outcome.retry_after:
        resume_at = max(now + outcome.retry_after, resume_at or now)
    return Course(since, now, failing, course.probes, resume_at)


def _jittered(length: timedelta, chance: float) -> timedelta:
    """A little less or more, so that not all come back at once."""
    return length * (1 - _JITTER + 2 * _JITTER * chance)
