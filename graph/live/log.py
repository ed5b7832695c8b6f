"""Subscribers that get every event of a topic: executed once, encoded once, however many they are."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any, TypeVar

from graph.live.bus import Entry
from graph.live.counters import Counters
from graph.live.cursor import Cursor
from graph.live.index import Filter
from graph.live.member import Item, Member, Sink
from graph.live.topic import RING, Topic
from telemetry import trace
from telemetry.trace import Kind, Part

T = TypeVar("T")

SLICE = 256
"""Members that are served before the loop turns to other work."""
BATCH_BYTES = 65_536
"""What a member that is behind gets in one delivery, and one item more at most."""
_KEPT_BYTES = 2_097_152
_KEPT_ITEMS = 1_024
_AT_ONCE = 32
_NOTHING = nullcontext()

Execute = Callable[[Entry, Cursor], Awaitable[bytes | None]]
"""The answer to an event, or None where the members have none. Raises what ends the stream."""
ExecuteGap = Callable[[Cursor], Awaitable[bytes]]
"""The answer that says that events before the cursor are missing."""


class LogGroup:
    """Members of one topic that want the same of the same events, with the same permissions.

    Every member has received exactly what the topic had up to the member's `last`. Live members stand where the
    group stands, and get what happens as it is executed; others catch up by themselves from what is kept, each in
    bounded deliveries, and become live when they have. No `await` is between the last look and that.
    """

    def __init__(
        self,
        topic: Topic,
        filter: Filter,
        execute: Execute,
        execute_gap: ExecuteGap,
        *,
        counters: Counters,
        on_empty: Callable[[], None],
        describe: Callable[[Exception], bytes],
    ) -> None:
        self.topic = topic
        self.filter = filter
        self._execute = execute
        self._execute_gap = execute_gap
        self._counters = counters
        self._on_empty = on_empty
        self._describe = describe
        self._members: set[Member] = set()
        self._live: dict[Member, None] = {}
        self._late: list[Member] = []
        """Who became live while the others were being served."""
        # Entries for the live members, the first of them being executed and delivered now.
        self._pending: deque[Entry] = deque()
        self._work: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._kept: OrderedDict[int, asyncio.Task[Item | None]] = OrderedDict()
        self._kept_bytes = 0
        self._gap: tuple[Cursor, asyncio.Task[Item]] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def lag(self) -> tuple[int, int]:
        """How many members are behind, and by how many entries the last of them is."""
        topic = self.topic
        lags = [
            topic.last - member.last
            for member in self._members
            if member not in self._live and member.epoch == topic.epoch
        ]
        return len(lags), max((*lags, len(self._pending)))

    # What members do

    def join(self, sink: Sink, after: Cursor | None) -> Member:
        """A member that gets every event after the cursor, or from now on."""
        topic = self.topic
        cursor = topic.cursor if after is None else after
        member = Member(self, sink, cursor.epoch, cursor.offset)
        self._members.add(member)
        self.resume(member)
        return member

    def leave(self, member: Member) -> None:
        if member in self._members:
            member.last = self._reached(member)
            self._live.pop(member, None)
            self._members.remove(member)
            if not self._members:
                self._on_empty()

    def position(self, member: Member) -> Cursor:
        return Cursor(member.epoch, self._reached(member))

    def pause(self, member: Member) -> None:
        if member in self._members:
            member.last = self._reached(member)
            self._pause(member)

    def resume(self, member: Member) -> None:
        if member in self._live or member.is_catching_up:
            return
        if not self._go_live(member):
            member.is_catching_up = True
            self._start(self._catch_up(member))

    # What the topic does

    def on_entry(self, entry: Entry) -> None:
        if len(self._pending) >= RING:
            self._fall_behind()
        # While some are pending, whoever becomes live relies on the rest being pending too.
        if self._live or self._pending:
            self._pending.append(entry)

    def wake(self) -> None:
        if self._pending and self._work is None:
            self._work = self._start(self._run())

    def on_lost(self) -> None:
        """All entries up to now are of another life: every member is told that some are missing."""
        self._pending.clear()
        self._forget()
        self._live.clear()
        for member in self._members:
            member.epoch = ""
            if member.is_ready:
                self.resume(member)

    def close(self) -> None:
        """Stop working; for whoever has emptied the group."""
        for task in self._tasks:
            task.cancel()

    # Live members

    def _seen(self) -> int:
        """Up to where the live members have been served."""
        return self._pending[0].offset - 1 if self._pending else self.topic.last

    def _reached(self, member: Member) -> int:
        return max(member.last, self._seen()) if member in self._live else member.last

    def _go_live(self, member: Member) -> bool:
        if member.epoch == self.topic.epoch and self._seen() <= member.last <= self.topic.last:
            self._live[member] = None
            if self._work is not None:
                self._late.append(member)
            return True
        return False

    async def _run(self) -> None:
        """Execute and deliver what is pending, until nothing is."""
        try:
            while self._pending and self._live:
                life = self.topic.life
                entries = list(islice(self._pending, _AT_ONCE))
                items = await self._all(entries)
                for portion, last in _portions(BATCH_BYTES, items, entries[-1].offset):
                    if portion and self.topic.life == life:
                        with _pushing(portion, len(self._live)):
                            await self._fan_out(portion, last, life)
                    # Part by part: whoever becomes live meanwhile has none of those before.
                    while self.topic.life == life and self._pending and self._seen() < last:
                        self._pending.popleft()
            # Who is not live looks up by itself what it has missed.
            self._pending.clear()
        except Exception as error:  # noqa: BLE001 - whatever it is, the members must not wait for ever
            self._end(error)
        finally:
            self._work = None
            self._late = []

    async def _fan_out(self, items: Sequence[tuple[int, Item]], last: int, life: int) -> None:
        """Serve every live member, those that become live meanwhile too, in slices."""
        behind, self._late = list(self._live), []
        while behind:
            for begin in range(0, len(behind), SLICE):
                if begin:
                    await asyncio.sleep(0)
                    if self.topic.life != life:
                        return
                self._serve(behind[begin : begin + SLICE], items, last)
            behind, self._late = self._late, []

    def _serve(
        self, members: Sequence[Member], items: Sequence[tuple[int, Item]], last: int
    ) -> None:
        # Once for each client and event: no more is looked at than has to be.
        live, whole, first = self._live, [item for _, item in items], items[0][0]
        served = 0
        for member in members:
            # Any of them may have left or been paused since they were listed.
            if member.last >= last or member not in live:
                continue
            due = whole
            if member.last >= first:
                due = [item for offset, item in items if offset > member.last]
            member.last = last
            served += len(due)
            if due and not member.sink.deliver(due):
                self._pause(member)
        self._counters.delivered += served

    def _fall_behind(self) -> None:
        """More is pending than may be kept: the live members catch up by themselves."""
        seen = self._seen()
        self._pending.clear()
        live, self._live = self._live, {}
        for member in live:
            member.last = max(member.last, seen)
            self.resume(member)

    def _deliver(self, member: Member, items: Sequence[Item]) -> None:
        self._counters.delivered += len(items)
        if not member.sink.deliver(items):
            self._pause(member)

    def _pause(self, member: Member) -> None:
        """It stays where it is now until the sink takes more."""
        member.is_ready = False
        self._live.pop(member, None)

    # Members that are behind

    async def _catch_up(self, member: Member) -> None:
        """Deliver what the member has missed, until it is live or its sink takes no more."""
        try:
            while member in self._members and member.is_ready:
                if self._go_live(member):
                    return
                life = self.topic.life
                entries = await self._missed(member)
                if self.topic.life != life:
                    continue
                if not entries:
                    await self._tell_gap(member)
                    continue
                items = await self._all(entries)
                if self.topic.life == life and member in self._members:
                    portion, member.last = next(_portions(BATCH_BYTES, items, entries[-1].offset))
                    if portion:
                        with _pushing(portion, 1):
                            self._deliver(member, [item for _, item in portion])
                    await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - as above
            self.leave(member)
            member.sink.finish(self._describe(error))
        finally:
            member.is_catching_up = False

    async def _missed(self, member: Member) -> Sequence[Entry]:
        """Entries behind the member's; none where they are not kept."""
        topic = self.topic
        if member.epoch != topic.epoch or member.last > topic.last:
            return ()
        entries = topic.after(member.last, _AT_ONCE)
        if entries is not None:
            return entries
        kept = await topic.older(member.last, _AT_ONCE)
        # What the log has and the topic has not yet will come to the group as well.
        return [entry for entry in kept if entry.offset <= topic.last]

    async def _tell_gap(self, member: Member) -> None:
        topic = self.topic
        cursor, life = topic.cursor, topic.life
        if self._gap is None or self._gap[0] != cursor:
            self._gap = cursor, self._start(self._executed_gap(cursor))
        item = await asyncio.shield(self._gap[1])
        if member in self._members and topic.life == life:
            member.epoch, member.last = cursor.epoch, cursor.offset
            self._deliver(member, [item])

    async def _executed_gap(self, cursor: Cursor) -> Item:
        self._counters.gaps += 1
        return Item(await self._execute_gap(cursor), cursor)

    # Executing, once for an event

    async def _all(self, entries: Sequence[Entry]) -> list[tuple[int, Item]]:
        """The items of those entries that have any; executed at the same time, in their order."""
        executed = [self._executed_once(entry) for entry in entries]
        for work in executed:
            if not work.done():
                await asyncio.shield(work)
        items = [work.result() for work in executed]
        return [
            (entry.offset, item)
            for entry, item in zip(entries, items, strict=True)
            if item is not None
        ]

    def _executed_once(self, entry: Entry) -> "asyncio.Task[Item | None]":
        work = self._kept.get(entry.offset)
        if work is None:
            work = self._kept[entry.offset] = self._start(self._executed(entry))
            if len(self._kept) > _KEPT_ITEMS:
                self._drop_oldest()
        return work

    async def _executed(self, entry: Entry) -> Item | None:
        if not self.topic.index.concerns(self, entry):
            return None
        life = self.topic.life
        cursor = Cursor(self.topic.epoch, entry.offset)
        self._counters.executed += 1
        try:
            with trace.received(entry.payload, "subscription event") as span:
                payload = await self._execute(entry, cursor)
        except BaseException:
            self._kept.pop(entry.offset, None)
            raise
        if payload is None:
            return None
        if self.topic.life == life and entry.offset in self._kept:
            self._kept_bytes += len(payload)
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._drop_oldest()
        return Item(payload, cursor, None if span is None else span.place)

    def _drop_oldest(self) -> None:
        _, work = self._kept.popitem(last=False)
        if work.done() and not work.cancelled() and work.exception() is None:
            item = work.result()
            self._kept_bytes -= 0 if item is None else len(item.payload)

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0
        self._gap = None

    def _end(self, error: Exception) -> None:
        """The stream cannot go on for anybody."""
        reason = self._describe(error)
        for member in list(self._members):
            self.leave(member)
            member.sink.finish(reason)

    def _start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; nobody may wait any more


def _pushing(items: Sequence[tuple[int, Item]], members: int) -> AbstractContextManager[object]:
    """Spans around the way of answers to their sockets, for those that belong to recorded traces."""
    if not trace.is_on():
        return _NOTHING
    facts = {"earful.members": members}
    parts = {
        offset: Part("push to sockets", item.place.traceparent, facts)
        for offset, item in items
        if item.place is not None
    }
    return trace.each(parts, Kind.PRODUCER)


def _portions(
    most: int, items: Sequence[tuple[int, Item]], last: int
) -> Iterator[tuple[Sequence[tuple[int, Item]], int]]:
    """The items in parts of about so many bytes, each with the offset up to which that is all there was."""
    size = begin = 0
    for end, (offset, item) in enumerate(items, 1):
        size += len(item.payload)
        if size >= most and end < len(items):
            yield items[begin:end], offset
            size, begin = 0, end
    yield items[begin:], last
