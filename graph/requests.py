"""What became of requests, and how long they took: counted in a microsecond each, for metrics and tests."""

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import OperationType

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""In seconds: how many took at most so long."""


MOST_NAMES = 500
"""Of so many operations there are figures of their own; the rest are `OTHER`."""
OTHER = "other"


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
        self.points = dict.fromkeys((OperationType.QUERY, OperationType.MUTATION), 0)
        """What they cost."""
        self.operations: dict[tuple[str, Outcome], Times] = {}
        """By their names in trusted documents: those are few, and others may make up any number of names."""
        self._names: set[str] = set()
        self.times = {
            (kind, outcome): Times()
            for kind in (OperationType.QUERY, OperationType.MUTATION)
            for outcome in Outcome
        }

    def note(
        self,
        kind: OperationType,
        outcome: Outcome,
        seconds: float,
        points: int = 0,
        operation: str | None = None,
    ) -> None:
        """One more has taken so long and cost so much; `operation` is the name that it has in a trusted document."""
        self.points[kind] += points
        bound = bisect_left(BOUNDS, seconds)
        times = self.times[kind, outcome]
        times.numbers[bound] += 1
        times.seconds += seconds
        if operation is None:
            return
        if operation not in self._names:
            if len(self._names) >= MOST_NAMES:
                operation = OTHER
            self._names.add(operation)
        times = self.operations.setdefault((operation, outcome), Times())
        times.numbers[bound] += 1
        times.seconds += seconds
