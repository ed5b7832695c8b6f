"""How much operations read at once, in characters, so that the memory for all answers is bounded.

What an operation costs is known before by how many objects it asks for, and not by how long they are: 25,000 messages
have 8 million characters as a rule, and may have a thousand million.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from persistence.statement import Record, Statement

MOST_READ = 20_000_000
"""By an operation. A page of the hundred longest messages has a fourth of it."""
MOST_HELD = 200_000_000
"""By all that are at work in a process."""
_AT_ONCE = 8
"""Statements of one operation that may bring long values at the same time."""

_LONG = frozenset(
    (
        "after",
        "before",
        "body",
        "columns",
        "metadata",
        "original",
        "payload",
        "request_body",
        "response_body",
        "sealed",
        "sentiment_spans",
        "written",
    )
)
"""Columns whose values may be longer than a kilobyte."""


class TooMuchReadError(Exception):
    """An operation reads more than its answer may have room for."""


class TooMuchHeldError(Exception):
    """All operations together hold more than there is room for."""


class Meters:
    """Of all operations of a process."""

    def __init__(self, *, most_read: int = MOST_READ, most_held: int = MOST_HELD) -> None:
        self.most_read = most_read
        self.most_held = most_held
        self.held = 0

    def meter(self) -> "Meter":
        """For one operation, and as long as it is there."""
        return Meter(self)


class Meter:
    """What one operation holds."""

    __slots__ = ("_all", "_held", "_turns", "times")

    def __init__(self, all_: Meters) -> None:
        self._all = all_
        self._held = 0
        self._turns: asyncio.Semaphore | None = None
        self.times = 1
        """How often its answer may repeat a value."""

    def __del__(self) -> None:
        self._all.held -= self._held

    async def turn(self) -> asyncio.Semaphore:
        """Wait for it, and release it; TooMuchReadError or TooMuchHeldError where no more may be read."""
        if self._turns is None:
            self._turns = asyncio.Semaphore(_AT_ONCE)
        await self._turns.acquire()
        try:
            self._check()
        except Exception:
            self._turns.release()
            raise
        return self._turns

    def took(self, rows: Sequence[Record], long: Sequence[str]) -> None:
        """Count what these rows have in the columns that may be long; an error as above where that is too much."""
        size = sum(len(value) for row in rows for name in long if (value := row[name]) is not None)
        self._held += size
        self._all.held += size
        self._check()

    def _check(self) -> None:
        if self._held * self.times > self._all.most_read:
            raise TooMuchReadError
        if self._all.held > self._all.most_held:
            raise TooMuchHeldError


@lru_cache(maxsize=2048)
def long_of(statement: Statement[Any]) -> tuple[str, ...]:
    """The columns of its rows that may be long."""
    return tuple(name for name in statement.names if name in _LONG)
