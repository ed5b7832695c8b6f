"""Reads each followed topic once, over one connection, and mends what a lost connection missed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import structlog

from graph.live.cursor import Cursor
from graph.live.topic import Topic
from persistence.bus import Bus, BusUnavailableError, Entry, Listener

log = structlog.get_logger(__name__)

_BATCH = 500
_RETRY_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Live:
    """An entry and the cursor that goes on after it."""

    cursor: Cursor
    entry: Entry


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries before this cursor are no longer kept: what is live goes on from it."""

    cursor: Cursor


class Hub:
    """Follows topics for subscribers. `run` it as a task; then `follow`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._topics: dict[str, Topic] = {}
        self._listener: Listener | None = None
        self._connected = asyncio.Event()
        self._doors = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Whether entries reach us."""
        return self._connected.is_set()

    async def follow(
        self, name: str, after: Cursor | None = None
    ) -> AsyncGenerator[Live | Gap, None]:
        """Every entry after the cursor, exactly once and in order, then what happens; or only what happens.

        A Gap stands where entries are missing. Ends only when the caller closes it.
        """
        topic = await self._open(name)
        try:
            known = after is None or await self._reaches(topic, after)
            epoch, last = topic.epoch, topic.last
            if not known:
                yield Gap(Cursor(epoch, last))
            elif after is not None:
                last = after.offset
            while True:
                change = topic.change()
                if topic.epoch != epoch:
                    epoch, last = topic.epoch, topic.last
                    yield Gap(Cursor(epoch, last))
                elif last == topic.last:
                    await change.wait()
                else:
                    entries = topic.after(last, _BATCH)
                    if entries is None:
                        kept = await self._replay(topic, last)
                        if topic.epoch != epoch:
                            continue
                        # What the log has and the topic has not yet will come to both of us.
                        entries = [entry for entry in kept if entry.offset <= topic.last]
                    if not entries or entries[0].offset != last + 1:
                        last = topic.last
                        yield Gap(Cursor(epoch, last))
                        continue
                    for entry in entries:
                        last = entry.offset
                        yield Live(Cursor(epoch, last), entry)
        finally:
            await self._close(topic)

    async def position(self, name: str) -> Cursor:
        """Where the topic stands: what happens after this moment comes after this cursor."""
        topic = await self._open(name)
        try:
            return topic.cursor
        finally:
            await self._close(topic)

    async def wakes(self, name: str) -> AsyncGenerator[Cursor, None]:
        """Where the topic stands: at once, and again after it has moved, however often it did meanwhile."""
        topic = await self._open(name)
        try:
            while True:
                change = topic.change()
                yield topic.cursor
                await change.wait()
        finally:
            await self._close(topic)

    async def _reaches(self, topic: Topic, cursor: Cursor) -> bool:
        """Whether the topic has come as far as the cursor, which another process may have given first."""
        if cursor.epoch == topic.epoch and cursor.offset > topic.last:
            with contextlib.suppress(BusUnavailableError):
                await self._catch_up(topic)
        return cursor.epoch == topic.epoch and cursor.offset <= topic.last

    async def _replay(self, topic: Topic, last: int) -> list[Entry]:
        for pause in (*_RETRY_SECONDS, None):
            try:
                return await self._bus.read(topic.name, last, _BATCH)
            except BusUnavailableError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        return []

    async def run(self) -> None:
        """Read until cancelled, through every loss of the connection."""
        attempt = 0
        while True:
            try:
                async with self._bus.listen() as listener:
                    try:
                        await self._listen(listener)
                    finally:
                        self._listener = None
            except BusUnavailableError as error:
                if self._connected.is_set():
                    attempt = 0
                    log.warning("live bus lost", error=str(error))
            except Exception:
                log.exception("live hub failed")
            self._connected.clear()
            self._listener = None
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1

    async def _listen(self, listener: Listener) -> None:
        # Whoever opens a topic from here on follows it too; following twice does no harm.
        self._listener = listener
        await listener.follow("heartbeat")
        for followed in list(self._topics.values()):
            followed.confirmed.clear()
            await listener.follow(followed.name)
        self._connected.set()
        while True:
            news = await listener.next(timeout=30)
            topic = None if news is None else self._topics.get(news.topic)
            if news is None or topic is None:
                continue
            if news.entry is None:
                # From here on nothing is missed; what was before is read from the log.
                await self._catch_up(topic)
                topic.confirmed.set()
            elif topic.confirmed.is_set() and (
                news.epoch != topic.epoch or not topic.append([news.entry])
            ):
                await self._catch_up(topic)

    async def _catch_up(self, topic: Topic) -> None:
        head = await self._bus.head(topic.name)
        if topic.epoch != head.epoch or head.offset < topic.last:
            topic.start(head)
            return
        while topic.last < head.offset:
            entries = await self._bus.read(topic.name, topic.last, _BATCH)
            if not entries or not topic.append(entries):
                topic.start(head)

    async def _open(self, name: str) -> Topic:
        async with self._doors:
            topic = self._topics.get(name)
            if topic is None:
                topic = self._topics[name] = Topic(name)
                if self._listener is not None:
                    with contextlib.suppress(BusUnavailableError):
                        # If it fails, the reconnect follows every topic there is.
                        await self._listener.follow(name)
            topic.followers += 1
        try:
            await topic.confirmed.wait()
        except BaseException:
            await self._close(topic)
            raise
        return topic

    async def _close(self, topic: Topic) -> None:
        async with self._doors:
            topic.followers -= 1
            if topic.followers == 0:
                del self._topics[topic.name]
                if self._listener is not None:
                    with contextlib.suppress(BusUnavailableError):
                        await self._listener.unfollow(topic.name)
