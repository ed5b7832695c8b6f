"""A pool of connections that costs next to nothing while one of them is idle."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from persistence.connection import Connection

# Called with what a connection does when it finds its prepared statements outdated.
Open = Callable[[Callable[[], None]], Awaitable[Connection]]


@dataclass(frozen=True, slots=True)
class Usage:
    """Of `most` connections so many are `open`, `busy` of them in use; and how many wait for one, and had to so far."""

    most: int
    open: int
    busy: int
    waiting: int
    waits: int


class Pool:
    """Up to `most` connections; the last one used is used next, so that the others may be closed.

    Taking an idle connection and giving it back do not wait for anything. Who finds none idle opens one, or at
    `most` waits in turn: a connection that is given back goes to who has waited longest. A connection that is not
    as good as new is dropped, and its place goes to who has waited longest.
    """

    def __init__(
        self,
        open_: Open,
        *,
        least: int,
        most: int,
        wait_seconds: float = 10,
        idle_seconds: float = 300,
    ) -> None:
        self._open = open_
        self._least = least
        self._most = most
        self._wait_seconds = wait_seconds
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._places = 0  # taken: by open connections and by those being opened
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        # Each gets a connection, or None: a place to open one in.
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._waits = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._closing = False
        self._empty = asyncio.Event()

    @property
    def usage(self) -> Usage:
        """How much of it is used now, and how often somebody had to wait."""
        waiting = sum(not turn.done() for turn in self._waiting)
        busy = self._places - len(self._idle)
        return Usage(self._most, self._places, busy, waiting, self._waits)

    def take(self) -> Connection | None:
        """An idle connection, if there is one."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed:
                return connection
            self._drop(connection)
        return None

    async def acquire(self) -> Connection:
        """A connection; TimeoutError when none could be had in time, and whatever opening one raises."""
        connection = self.take()
        if connection is None:
            async with asyncio.timeout(self._wait_seconds):
                connection = await self._wait()
        return connection

    def release(self, connection: Connection) -> None:
        """Give it back; it is dropped unless it is as good as new."""
        if self._closing or not connection.is_reusable:
            self._drop(connection)
        elif not self._hand_on(connection):
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
            if self._sweeper is None and self._places > self._least:
                self._sweeper = self._loop.call_later(self._idle_seconds, self._sweep)

    async def fill(self) -> None:
        """Open the least number of connections."""
        while self._places < self._least:
            self._places += 1
            self.release(await self._open_in_place())

    async def close(self, seconds: float) -> None:
        """Close all connections; those still busy after some seconds are cut."""
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(_closed())
        self._waiting.clear()
        idle, self._idle = self._idle, []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._part(connection, seconds) for connection in idle))
                if self._places:
                    await self._empty.wait()
        for connection in list(self._connections):
            self._drop(connection)

    async def _wait(self) -> Connection:
        if self._closing:
            raise _closed()
        if self._places < self._most:
            self._places += 1
            return await self._open_in_place()
        turn: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append(turn)
        self._waits += 1
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):  # passed over by who had something to hand on
                    self._waiting.remove(turn)
            elif turn.exception() is None:
                # Cancelled in the moment it was served: the next one is served instead.
                self._pass_on(turn.result())
            raise
        return connection or await self._open_in_place()

    async def _open_in_place(self) -> Connection:
        try:
            connection = await self._open(self._forget_prepared)
        except BaseException:
            self._vacate()
            raise
        self._connections.add(connection)
        if self._closing:
            self._drop(connection)
            raise _closed()
        return connection

    def _pass_on(self, connection: Connection | None) -> None:
        if connection is None:
            self._vacate()
        else:
            self.release(connection)

    def _hand_on(self, connection: Connection | None) -> bool:
        """Whether somebody was waiting for it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _drop(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            with contextlib.suppress(Exception):
                connection.terminate()
            self._vacate()

    def _vacate(self) -> None:
        if self._closing or not self._hand_on(None):
            self._places -= 1
            if not self._places:
                self._empty.set()

    async def _part(self, connection: Connection, seconds: float) -> None:
        with contextlib.suppress(Exception):
            await connection.close(seconds)
        self._drop(connection)

    def _sweep(self) -> None:
        """Close what nobody has needed for long, and what has closed itself."""
        self._sweeper = None
        before = self._loop.time() - self._idle_seconds
        for connection in list(self._idle):
            unneeded = self._places > self._least and connection.idle_since <= before
            if unneeded or connection.is_closed:
                self._idle.remove(connection)
                self._drop(connection)
        if self._places > self._least:
            self._sweeper = self._loop.call_later(self._idle_seconds / 5, self._sweep)

    def _forget_prepared(self) -> None:
        for connection in self._connections:
            connection.forget_prepared()


def _closed() -> asyncpg.InterfaceError:
    return asyncpg.InterfaceError("the pool is closed")
