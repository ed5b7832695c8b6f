"""What becomes of a job, by what its attempt has raised."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from domain.errors import ForbiddenError, NotFoundError, RateLimitedError
from domain.job import Kind
from jobs import verdict as verdicts
from jobs.attempt import Attempt, FailedError, HopelessError, LostError, PostponedError
from jobs.verdict import TookTooLongError, verdict
from persistence.database import StoreUnavailableError
from persistence.job import ClaimedRow, End
from tests.factories import NOON

KIND = Kind(
    "test",
    timeout=timedelta(seconds=90),
    most_failures=5,
    first_pause=timedelta(seconds=10),
    longest_pause=timedelta(seconds=60),
)
NEVER = "unexpected error (KeyError); the worker's log has more"


class Row(dict[str, Any]):
    """What a claim answers."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def attempt(failures: int = 0) -> Attempt:
    row = Row(
        id=UUID(int=1),
        workspace_id=None,
        arguments="{}",
        state=None,
        created_by=None,
        created_at=NOON,
        attempts=7,
        failures=failures,
    )
    return Attempt(cast("ClaimedRow", row), UUID(int=2), cast("Any", None))


def end(error: Exception, failures: int = 0) -> End:
    found = verdict(attempt(failures), KIND, error, NOON)
    assert (found.job, found.attempts, found.result) == (UUID(int=1), 7, None)
    return found


def paused(error: Exception, failures: int) -> float:
    found = end(error, failures)
    assert (found.status, found.failed) == ("QUEUED", True)
    assert found.run_at is not None
    return (found.run_at - NOON).total_seconds()


@pytest.mark.parametrize(("failures", "pause"), [(0, 10), (1, 20), (2, 40), (3, 60)])
def test_the_pause_doubles_to_its_longest_and_is_shortened_by_chance(
    failures: int, pause: float
) -> None:
    pauses = [paused(FailedError("no"), failures) for _ in range(200)]

    assert pause / 2 <= min(pauses) < 0.6 * pause
    assert 0.9 * pause < max(pauses) <= pause


def test_a_pause_is_never_longer_than_the_longest_however_often_it_failed() -> None:
    patient = Kind("patient", most_failures=10_000)

    found = verdict(attempt(5_000), patient, FailedError("no"), NOON)

    assert found.run_at is not None
    assert timedelta(minutes=30) <= found.run_at - NOON <= timedelta(hours=1)


@pytest.mark.parametrize("error", [FailedError("no"), KeyError("no"), TookTooLongError(KIND)])
def test_the_last_failure_is_the_end(error: Exception) -> None:
    assert (end(error, 4).status, end(error, 3).status) == ("FAILED", "QUEUED")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HopelessError("nobody there"), "nobody there"),
        (ForbiddenError("You may not."), "You may not."),
        (NotFoundError("There is no such job."), "There is no such job."),
    ],
)
def test_what_would_not_help_is_the_end_at_once(error: Exception, text: str) -> None:
    found = end(error)

    assert (found.status, found.error, found.failed) == ("FAILED", text, True)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (PostponedError(timedelta(minutes=3)), timedelta(minutes=3)),
        (RateLimitedError(20), timedelta(seconds=20)),
        (StoreUnavailableError("away"), timedelta(seconds=1)),
        (LostError(), timedelta(0)),
    ],
)
def test_what_is_nobodys_fault_waits_and_counts_for_nothing(
    error: Exception, wait: timedelta
) -> None:
    found = end(error, 4)

    assert (found.status, found.error, found.failed) == ("QUEUED", None, False)
    assert found.run_at == NOON + wait


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("a secret"), NEVER),
        (FailedError("n\x00l \ud800"), "nl ?"),
        (FailedError("x" * 2_000), "x" * 1_000),
        (FailedError(""), "FailedError"),
        (TookTooLongError(KIND), "took longer than 90 seconds"),
    ],
)
def test_what_is_said_can_be_stored_and_shown(error: Exception, text: str) -> None:
    assert end(error).error == text


@pytest.mark.parametrize(
    ("error", "unexpected"),
    [
        (KeyError(), True),
        (verdicts.CancelledFromWithinError(), True),
        (FailedError(), False),
        (LostError(), False),
        (StoreUnavailableError(), False),
    ],
)
def test_only_mistakes_are_unexpected(error: Exception, unexpected: bool) -> None:
    assert verdicts.is_unexpected(error) is unexpected
