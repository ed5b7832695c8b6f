"""Keeps Earful's own processes and its embedded servers running, and stops them in order."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from app.embedded import EmbeddedParts
from app.embedded.process import Child, Command
from app.embedded.revival import Patience, Revival

_LOOK_EVERY = 0.05


class StopRequest:
    """Whether somebody wants us to stop: a signal, or, if so wished, the end of our parent."""

    def __init__(self, *, exit_with_parent: bool) -> None:
        self._parent = os.getppid() if exit_with_parent else None
        self._signals: list[int] = []
        # A shell's background job begins with SIGINT ignored, yet who sends it means it. A hangup that
        # is ignored stays so: that is what nohup is for.
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            wanted.append(signal.SIGHUP)
        for number in wanted:
            signal.signal(number, self._note)

    def asked(self) -> bool:
        return bool(self._signals) or self._parent not in (None, os.getppid())

    def hurried(self) -> bool:
        """Whether Ctrl-C was pressed again."""
        return len(self._signals) > 1 and self._signals[-1] == signal.SIGINT

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # Only this: a handler runs between any two steps of the program, locks held or not.
        self._signals.append(number)


class Supervisor:
    """Our own processes in the order in which they stop, and below them the stores."""

    def __init__(
        self,
        commands: Sequence[Command],
        parts: EmbeddedParts,
        *,
        report: Callable[[str], None],
        patience: Patience = Patience(),  # noqa: B008  # Frozen.
    ) -> None:
        self._parts = parts
        self._revivals = [
            Revival(Child(command, parts.guard), command.name, report, patience)
            for command in commands
        ]

    def start(self) -> None:
        for revival in self._revivals:
            revival.begin()

    def tend(self) -> None:
        """Start again what has died; raises GaveUpError when that is no use any more."""
        self._parts.tend()
        for revival in self._revivals:
            revival.tick()

    def tend_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.tend()
            time.sleep(_LOOK_EVERY)

    def stop(self, hurry: Callable[[], bool]) -> None:
        """End one after the other, each with its time to finish what it does; then the stores."""
        for revival in self._revivals:
            revival.child.end(hurry)
        self._parts.stop(hurry)
