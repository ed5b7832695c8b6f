"""One timer for all sockets: a second is exact enough, and nothing is allocated for each."""

import asyncio
import time
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Timed(Protocol):
    """Something that has to be looked at again at a time of its own."""

    due: int

    def on_due(self) -> None:
        """Its second has come; it may ask for another."""


class Clock:
    """Seconds since it began, and who is due in which."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._due: dict[int, set[Timed]] = {}
        self._second = 0
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds since the clock began."""
        return time.monotonic() - self._began

    def ask(self, timed: Timed, at: float) -> None:
        """Look at it at this time, rounded up, and not before."""
        self.forget(timed)
        if self._timer is None:
            self._second = int(self.now())
            self._timer = asyncio.get_running_loop().call_later(1.0, self._tick)
        timed.due = max(int(at) + 1, self._second + 1)
        self._due.setdefault(timed.due, set()).add(timed)

    def forget(self, timed: Timed) -> None:
        """Do not look at it any more."""
        waiting = self._due.get(timed.due)
        if waiting is not None:
            waiting.discard(timed)
            if not waiting:
                del self._due[timed.due]

    def _tick(self) -> None:
        now = int(self.now())
        while self._second < now:
            self._second += 1
            for timed in self._due.pop(self._second, ()):
                try:
                    timed.on_due()
                except Exception:
                    # A fault of one socket's must not stop the time of all the others.
                    log.exception("a socket's timer failed")
        self._timer = asyncio.get_running_loop().call_later(1.0, self._tick) if self._due else None
