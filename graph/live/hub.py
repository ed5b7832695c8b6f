"""Reads each followed topic once, over one connection, mends what a lost connection missed, and keeps the groups."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from graph.live.bus import Bus, Entry, Listener
from graph.live.counters import Counters
from graph.live.cursor import Cursor
from graph.live.index import Filter, Reading
from graph.live.log import Execute, ExecuteGap, LogGroup
from graph.live.member import Member, Sink
from graph.live.solo import Solo
from graph.live.state import Read, StateGroup
from graph.live.topic import PAGE, Topic

log = structlog.get_logger(__name__)

_HEARTBEAT = "heartbeat"
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


@dataclass(frozen=True, slots=True)
class LogWork:
    """What a group does with the events of a topic."""

    topic: str
    filter: Filter
    reading: Reading
    execute: Execute
    execute_gap: ExecuteGap


@dataclass(frozen=True, slots=True)
class StateWork:
    """What a group does when a topic moves."""

    topic: str
    filter: Filter
    reading: Reading
    read: Read
    pause: float


Group = LogGroup | StateGroup


class Hub:
    """Follows topics for subscribers. `run` it as a task; then `join` groups, or `follow` a topic.

    `unavailable` is what the bus raises while it is away; `describe` says what a subscriber is told of an error. After
    so many seconds of `silence` the bus is asked for a sign, and after as many again its connection is given up.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        unavailable: type[Exception],
        describe: Callable[[Exception], bytes],
        silence: float = 5.0,
    ) -> None:
        self._bus = bus
        self._silence = silence
        self._unavailable = unavailable
        self._describe = describe
        self._topics: dict[str, Topic] = {}
        self._groups: dict[Hashable, Group] = {}
        self._listener: Listener | None = None
        self._connected = asyncio.Event()
        self._doors = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.counters = Counters()

    @property
    def connected(self) -> bool:
        """Whether entries reach us."""
        return self._connected.is_set()

    async def join_log(
        self,
        key: Hashable,
        work: Callable[[], LogWork],
        topic_name: str,
        sink: Sink,
        after: Cursor | None,
    ) -> Member:
        """Have every event after the cursor, or from now on, as all members under this key have it.

        `work` is asked for where there is no such group yet.
        """
        topic = await self._open(topic_name)
        try:
            if after is not None:
                await self._reach(topic, after)
            group = self._groups.get(key)
            if group is None:
                todo = work()
                group = LogGroup(
                    topic,
                    todo.filter,
                    todo.execute,
                    todo.execute_gap,
                    counters=self.counters,
                    on_empty=partial(self._close_group, key),
                    describe=self._describe,
                )
                self._add(key, group, todo.reading)
            assert isinstance(group, LogGroup)  # noqa: S101 - a key is of one kind
            return group.join(sink, after)
        finally:
            self._release(topic)

    async def join_state(
        self, key: Hashable, work: Callable[[], StateWork], topic_name: str, sink: Sink
    ) -> Member:
        """Have the newest state, as all members under this key have it."""
        topic = await self._open(topic_name)
        try:
            group = self._groups.get(key)
            if group is None:
                todo = work()
                group = StateGroup(
                    topic,
                    todo.filter,
                    todo.read,
                    pause=todo.pause,
                    counters=self.counters,
                    on_empty=partial(self._close_group, key),
                    describe=self._describe,
                )
                self._add(key, group, todo.reading)
            assert isinstance(group, StateGroup)  # noqa: S101 - a key is of one kind
            if not self.connected:
                # Nobody has told it what happened since.
                group.on_lost()
            return group.join(sink)
        finally:
            self._release(topic)

    def join_alone(self, answers: AsyncGenerator[bytes], sink: Sink) -> Member:
        """Have the answers of an iterator that is nobody else's."""
        return Solo(answers, counters=self.counters, describe=self._describe).join(sink)

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def lag(self) -> tuple[int, int]:
        """How many members of logs are behind, and by how many entries the last of them is."""
        lags = [group.lag() for group in self._groups.values() if isinstance(group, LogGroup)]
        return sum(members for members, _ in lags), max((entries for _, entries in lags), default=0)

    @property
    def members(self) -> int:
        """How many subscribers they have."""
        return sum(map(len, self._groups.values()))

    async def follow(
        self, name: str, after: Cursor | None = None
    ) -> AsyncGenerator[Live | Gap, None]:
        """Every entry after the cursor, exactly once and in order, then what happens; or only what happens.

        A Gap stands where entries are missing. Ends only when the caller closes it.
        """
        topic = await self._open(name)
        try:
            if after is not None:
                await self._reach(topic, after)
            life, at = topic.life, topic.cursor if after is None else after
            while True:
                change = topic.change()
                if topic.life != life or at.epoch != topic.epoch or at.offset > topic.last:
                    life, at = topic.life, topic.cursor
                    yield Gap(at)
                elif at.offset == topic.last:
                    await change.wait()
                else:
                    entries = topic.after(at.offset, PAGE) or await topic.older(at.offset, PAGE)
                    if topic.life != life:
                        continue
                    if not entries:
                        at = topic.cursor
                        yield Gap(at)
                    for entry in entries:
                        # What the log has and the topic has not yet will come to both of us.
                        if entry.offset <= topic.last:
                            at = Cursor(at.epoch, entry.offset)
                            yield Live(at, entry)
        finally:
            self._release(topic)

    async def position(self, name: str) -> Cursor:
        """Where the topic stands: what has happened before this moment comes before or at this cursor."""
        topic = self._topics.get(name)
        if topic is not None and topic.confirmed.is_set() and self.connected:
            return topic.cursor
        head = await self._bus.head(name)
        return Cursor(head.epoch, head.offset)

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
            except self._unavailable as error:
                if self._connected.is_set():
                    attempt = 0
                    log.warning("live bus lost", error=str(error))
            except Exception:
                log.exception("live hub failed")
            self._connected.clear()
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1

    async def _listen(self, listener: Listener) -> None:
        # Whoever opens a topic from here on follows it too; following twice does no harm.
        self._listener = listener
        await listener.follow(_HEARTBEAT)
        for followed in list(self._topics.values()):
            followed.confirmed.clear()
            await listener.follow(followed.name)
        self._connected.set()
        is_asked = False
        while True:
            news = await listener.next(timeout=self._silence)
            if news is None:
                # A connection may be dead without a sign of it.
                if is_asked:
                    raise self._unavailable("there is no answer on the connection")
                await listener.follow(_HEARTBEAT)
            is_asked = news is None
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
            entries = await self._bus.read(topic.name, topic.last, PAGE)
            if not entries or not topic.append(entries):
                topic.start(head)

    async def _reach(self, topic: Topic, cursor: Cursor) -> None:
        """Come as far as a cursor that another process may have given first, if there is such a place."""
        if cursor.epoch == topic.epoch and cursor.offset > topic.last:
            with contextlib.suppress(self._unavailable):
                await self._catch_up(topic)

    async def _read(self, name: str, after: int, limit: int) -> Sequence[Entry]:
        """Read from the log, however long the bus is away: who waits is better off than with an error."""
        attempt = 0
        while True:
            try:
                return await self._bus.read(name, after, limit)
            except self._unavailable:
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1

    def _add(self, key: Hashable, group: Group, reading: Reading) -> None:
        self._groups[key] = group
        group.topic.followers += 1
        group.topic.index.add(group, reading)

    def _close_group(self, key: Hashable) -> None:
        group = self._groups.pop(key)
        group.topic.index.remove(group)
        self._release(group.topic)
        group.close()

    async def _open(self, name: str) -> Topic:
        """The topic, which is followed until it is released."""
        async with self._doors:
            topic = self._topics.get(name)
            if topic is None:
                topic = self._topics[name] = Topic(name, partial(self._read, name))
                if self._listener is not None:
                    with contextlib.suppress(self._unavailable):
                        # If it fails, the reconnect follows every topic there is.
                        await self._listener.follow(name)
            topic.followers += 1
        try:
            await topic.confirmed.wait()
        except BaseException:
            self._release(topic)
            raise
        return topic

    def _release(self, topic: Topic) -> None:
        topic.followers -= 1
        if topic.followers == 0:
            del self._topics[topic.name]
            self._start(self._unfollow(topic.name))

    async def _unfollow(self, name: str) -> None:
        async with self._doors:
            if name not in self._topics and self._listener is not None:
                with contextlib.suppress(self._unavailable):
                    await self._listener.unfollow(name)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
