"""What a scorer has done so far, for metrics."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


class Histogram:
    """How many values were how large."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Upper bounds, and how many values are not above them, as Prometheus counts."""
        names = (*(str(bound) for bound in self._bounds), "+Inf")
        return zip(names, accumulate(self._counts), strict=True)


@dataclass(slots=True)
class Counters:
    """Runs of the model and what was in them; what callers waited for; and what went wrong."""

    texts: int = 0
    parts: int = 0
    tokens: int = 0
    refused: int = 0
    failed: int = 0
    swaps: int = 0
    run_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    batch_parts: Histogram = field(default_factory=lambda: Histogram(SIZES))
    request_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
