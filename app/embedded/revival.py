"""Starts a dead child again: soon the first time, later and later when it keeps dying."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.embedded.process import Child, ending


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait before a restart, and when to stop hoping."""

    first_wait: float = 0.5
    longest_wait: float = 10.0
    healthy: float = 30.0
    early: float = 20.0
    early_deaths: int = 5


class GaveUpError(Exception):
    """A child died too often too soon; the message names it."""


class Revival:
    """One child that is to live on."""

    def __init__(
        self, child: Child, title: str, report: Callable[[str], None], patience: Patience
    ) -> None:
        self.child = child
        self._title = title
        self._report = report
        self._patience = patience
        self._started = time.monotonic()
        self._wait = patience.first_wait
        self._due: float | None = None
        self._early_deaths = 0

    def begin(self) -> None:
        self._started = time.monotonic()
        self.child.start()

    def tick(self) -> None:
        """Look after it; to be called many times a second."""
        now = time.monotonic()
        if self._due is not None:
            if now >= self._due:
                self._due = None
                self.begin()
            return
        code = self.child.exit_code()
        if code is None:
            if now - self._started > self._patience.healthy:
                self._wait = self._patience.first_wait
            return
        self._early_deaths = (
            self._early_deaths + 1 if now - self._started < self._patience.early else 0
        )
        died = f"{self._title} died ({ending(code)})"
        if self._early_deaths > self._patience.early_deaths:
            raise GaveUpError(f"{died}, {self._early_deaths} times in a row right after its start")
        self._report(f"  {died}; starting it again in {self._wait:g} s")
        self._due = now + self._wait
        self._wait = min(2 * self._wait, self._patience.longest_wait)
