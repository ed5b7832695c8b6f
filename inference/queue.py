"""Parts of texts that wait to be run, sorted by length, so that little of a batch is padding."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Generic, Protocol, TypeVar

from inference.graph import Tokens

BATCH_PARTS = 32
# One run is at most this much, padding included: under 100 ms even of a slow, shared core.
BATCH_TOKENS = 1024
# What has waited so long is run next, however few are of its length.
DEADLINE_SECONDS = 0.05
# The longest part of a bucket is longer than the shortest by this factor at most, and a few tokens.
_LONGER = 1.25
_LONGER_TOKENS = 8


class Waiter(Protocol):
    """Whose parts they are."""

    @property
    def done(self) -> bool:
        """Whether nobody waits for it."""


W = TypeVar("W", bound=Waiter)


@dataclass(frozen=True, slots=True)
class Part(Generic[W]):
    """One of the parts of a text, since when it waits."""

    text: W
    index: int
    tokens: Tokens
    since: float


class Queue(Generic[W]):
    """Buckets of parts of the same model and of similar length, the oldest first in each."""

    def __init__(self, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._buckets: dict[tuple[int, int], deque[Part[W]]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, text: W, model: int, parts: Sequence[Tokens], now: float) -> None:
        """Let all parts of a text wait for a run of the model of this number."""
        for index, tokens in enumerate(parts):
            key = (model, int(log(len(tokens) + _LONGER_TOKENS) / log(_LONGER)))
            self._buckets.setdefault(key, deque()).append(Part(text, index, tokens, now))
        self._length += len(parts)

    def take(self, now: float) -> list[Part[W]]:
        """The next batch: of the fullest bucket, or of the one with a part that has waited too long."""
        while self._buckets:
            oldest = min(self._buckets, key=lambda key: self._buckets[key][0].since)
            late = now - self._buckets[oldest][0].since > self._deadline
            chosen = oldest if late else max(self._buckets, key=lambda key: len(self._buckets[key]))
            batch = self._taken(chosen)
            if batch:
                return batch
        return []

    def clear(self) -> Iterator[W]:
        """Forget all; answers whose they were."""
        waiting = [part.text for bucket in self._buckets.values() for part in bucket]
        self._buckets.clear()
        self._length = 0
        return iter(dict.fromkeys(waiting))

    def _taken(self, key: tuple[int, int]) -> list[Part[W]]:
        bucket, batch = self._buckets[key], list[Part[W]]()
        longest = 0
        while bucket and len(batch) < BATCH_PARTS:
            longest = max(longest, len(bucket[0].tokens))
            if batch and longest * (len(batch) + 1) > BATCH_TOKENS:
                break
            part = bucket.popleft()
            self._length -= 1
            if not part.text.done:
                batch.append(part)
        if not bucket:
            del self._buckets[key]
        return batch
