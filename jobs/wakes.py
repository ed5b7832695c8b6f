"""Tells the workers that jobs are due: at once, and while they stay due from time to time again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dramatiq.brokers.redis import RedisBroker

from domain.job import Priority
from jobs.broker import look_message
from persistence import job as store
from persistence.database import Reader

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


@dataclass(slots=True)
class _Due:
    """A priority with jobs that are due: when the workers are told again, and how long after that."""

    again_at: float
    pause: float


class Wakes:
    """What one leader has told the workers."""

    def __init__(self, broker: RedisBroker, clock: Callable[[], datetime]) -> None:
        self._broker = broker
        self._clock = clock
        self._due: dict[str, _Due] = {}

    async def look(self, reader: Reader) -> float:
        """Wake the workers if there is something to do; answers after how many seconds to look again at the latest."""
        now, moment = self._clock(), asyncio.get_running_loop().time()
        waits = {
            priority: (run_at - now).total_seconds()
            for priority, run_at in (await store.due(reader)).items()
        }
        self._due = {name: due for name, due in self._due.items() if waits.get(name, 1) <= 0}
        for priority, wait in waits.items():
            if wait <= 0:
                waits[priority] = await self._wake(reader, priority, moment)
        return min(_LONGEST_PAUSE, *waits.values()) if waits else _LONGEST_PAUSE

    async def _wake(self, reader: Reader, priority: str, moment: float) -> float:
        """One worker at first; when that was not enough, all of them, after pauses that grow."""
        due = self._due.get(priority)
        if due is None:
            due = self._due[priority] = _Due(moment + _FIRST_PAUSE, _FIRST_PAUSE)
            await self._send(priority, 1)
        elif moment >= due.again_at:
            due.pause = min(2 * due.pause, _LONGEST_PAUSE)
            due.again_at = moment + due.pause
            await self._send(priority, await store.workers(reader))
        return due.again_at - moment

    async def _send(self, priority: str, times: int) -> None:
        def enqueue() -> None:
            for _ in range(times):
                self._broker.enqueue(look_message(Priority(priority)))

        await asyncio.to_thread(enqueue)
