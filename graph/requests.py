"""What became of requests, and how long they took: counted in a microsecond each, for metrics and tests."""

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import OperationType

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""In seconds: how many took at most so long."""


class Outcome(StrEnum):
    """What became of a request. ERRORS: it was executed, and something in it was refused or broke."""

    OK = "ok"
    ERRORS = "errors"
    REFUSED = "refused"
    LIMITED = "limited"
    TIMEOUT = "timeout"
    ABANDONED = "abandoned"


@dataclass(slots=True)
class Times:
    """How many took how long: for each bound, and beyond the last; and all of them together."""

    numbers: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Requests:
    """Queries and mutations by what became of them, and documents that were not valid, or not known."""

    def __init__(self) -> None:
        self.invalid = 0
        self.times = {
            (kind, outcome): Times()
            for kind in (OperationType.QUERY, OperationType.MUTATION)
            for outcome in Outcome
        }

    def note(self, kind: OperationType, outcome: Outcome, seconds: float) -> None:
        """One more has taken so long."""
        times = self.times[kind, outcome]
        times.numbers[bisect_left(BOUNDS, seconds)] += 1
        times.seconds += seconds
