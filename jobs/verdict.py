"""What becomes of a job whose attempt has raised something."""

import random
from datetime import datetime, timedelta

from domain.errors import DomainError, RateLimitedError
from domain.job import Kind
from jobs.attempt import Attempt, FailedError, HopelessError, LostError, PostponedError
from persistence.database import StoreUnavailableError
from persistence.job import End

_LONGEST = 1_000
_STORE_PAUSE = timedelta(seconds=1)
_EXPECTED = (LostError, PostponedError, FailedError, DomainError, StoreUnavailableError)


class TookTooLongError(FailedError):
    """The attempt took longer than its kind allows."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"took longer than {kind.timeout.total_seconds():g} seconds")


class CancelledFromWithinError(Exception):
    """The attempt awaited something that was cancelled, and nobody had asked for that: a bug."""


def is_unexpected(error: Exception) -> bool:
    """Whether it is a bug, of which the log must have more than the job."""
    return not isinstance(error, _EXPECTED)


def verdict(attempt: Attempt, kind: Kind, error: Exception, now: datetime) -> End:
    """How the attempt ended.

    What was too early, or without Postgres, waits; so does what was lost, but that is recorded of nothing than what
    was to be cancelled. What is refused by a rule, or hopeless, has failed for good; whatever else is tried again,
    later each time, as often as the kind allows.
    """
    match error:
        case LostError():
            end = attempt.ended("QUEUED", run_at=now)
        case PostponedError(wait=wait):
            end = attempt.ended("QUEUED", run_at=now + wait)
        case RateLimitedError(retry_after=seconds):
            end = attempt.ended("QUEUED", run_at=now + timedelta(seconds=seconds))
        case StoreUnavailableError():
            end = attempt.ended("QUEUED", run_at=now + _STORE_PAUSE)
        case HopelessError() | DomainError():
            end = attempt.ended("FAILED", error=_text(error), failed=True)
        case _ if attempt.failures + 1 >= kind.most_failures:
            end = attempt.ended("FAILED", error=_text(error), failed=True)
        case _:
            # By chance, so that not all come back at once.
            run_at = now + kind.pause(attempt.failures, random.random())  # noqa: S311
            end = attempt.ended("QUEUED", error=_text(error), run_at=run_at, failed=True)
    return end


def _text(error: Exception) -> str:
    """What may be stored, and shown to the people whose job it is: of a bug no more than its kind."""
    if is_unexpected(error):
        return f"unexpected error ({type(error).__name__}); the worker's log has more"
    text = str(error).replace("\x00", "").encode(errors="replace").decode()
    return text[:_LONGEST] or type(error).__name__
