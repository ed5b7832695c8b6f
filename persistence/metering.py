"""How much operations read at once, in bytes, so that the memory for all answers is bounded.

What an operation costs is known before by how many objects it asks for, and not by how long they are: 25,000 messages
have 8 million characters as a rule, and may have a thousand million.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from sys import getsizeof
from typing import Any

from persistence.statement import R, Statement

MOST_READ = 20_000_000
"""By an operation. A page of the hundred longest messages has a fourth of it."""
MOST_HELD = 200_000_000
"""By all that are at work in a process."""
_AT_ONCE = 8
"""Statements of one operation that may bring long values at the same time."""
_AT_ONCE_TOGETHER = 32
"""Those of all operations of a process: what they bring is known when it is there."""

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
        self.turns = asyncio.Semaphore(_AT_ONCE_TOGETHER)

    def meter(self) -> "Meter":
        """For one operation, and as long as it is there."""
        return Meter(self)


class Meter:
    """What one operation holds."""

    __slots__ = ("_all", "_held", "_read", "_turns", "times")

    def __init__(self, all_: Meters) -> None:
        self._all = all_
        self._held = self._read = 0
        self._turns: asyncio.Semaphore | None = None
        self.times = 1
        """How often its answer may repeat a value."""

    def __del__(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        """The operation holds nothing any more."""
        self._all.held -= self._held
        self._held = 0

    async def __aenter__(self) -> None:
        """A turn to read what may be long; TooMuchReadError or TooMuchHeldError where no more may be."""
        if self._turns is None:
            self._turns = asyncio.Semaphore(_AT_ONCE)
        await self._turns.acquire()
        try:
            await self._all.turns.acquire()
        except BaseException:
            self._turns.release()
            raise
        try:
            self._check(0)
        except Exception:
            self._end()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        assert self._turns is not None  # noqa: S101 - a turn has begun
        self._turns.release()
        self._all.turns.release()

    def took(self, rows: list[R], long: Sequence[str]) -> list[R]:
        """The rows, counted by the columns that may be long; an error as above, and no rows, where that is too much."""
        size = sum(
            getsizeof(value) for row in rows for name in long if (value := row[name]) is not None
        )
        self._read += size
        try:
            self._check(size)
        except Exception:
            # What holds on to the error does not hold on to them.
            rows.clear()
            raise
        self._held += size
        self._all.held += size
        return rows

    def _check(self, size: int) -> None:
        if self._read * self.times > self._all.most_read:
            raise TooMuchReadError
        if self._all.held + size > self._all.most_held:
            raise TooMuchHeldError


@lru_cache(maxsize=2048)
def long_of(statement: Statement[Any]) -> tuple[str, ...]:
    """The columns of its rows that may be long."""
    return tuple(name for name in statement.names if name in _LONG)
