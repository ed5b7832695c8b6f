"""Subscribers that get the newest state: read once when it may have changed, however many they are."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from graph.live.bus import Entry
from graph.live.counters import Counters
from graph.live.index import Filter
from graph.live.log import SLICE
from graph.live.member import Item, Member, Sink
from graph.live.topic import Topic


@dataclass(frozen=True, slots=True)
class State:
    """What the members see; `is_final`: it will not change any more."""

    payload: bytes
    is_final: bool = False


Read = Callable[[], Awaitable[State]]
"""The state now. Raises what ends the stream."""


class StateGroup:
    """Members that watch the same state with the same permissions.

    An entry that passes the filter says that the state may have changed. It is read at most once in `pause`
    seconds, and sent when it has changed; states in between are left out. A member's `last` counts the states.
    """

    def __init__(
        self,
        topic: Topic,
        filter: Filter,
        read: Read,
        *,
        pause: float,
        counters: Counters,
        on_empty: Callable[[], None],
        describe: Callable[[Exception], bytes],
    ) -> None:
        self.topic = topic
        self.filter = filter
        self._read = read
        self._pause = pause
        self._counters = counters
        self._on_empty = on_empty
        self._describe = describe
        self._members: dict[Member, None] = {}
        self._item: Item | None = None
        self._number = 0
        self._is_stale = True
        self._work: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, sink: Sink) -> Member:
        """A member that gets the state at once, and whenever it has changed."""
        member = Member(self, sink)
        self._members[member] = None
        self.resume(member)
        return member

    def leave(self, member: Member) -> None:
        if member in self._members:
            del self._members[member]
            if not self._members:
                self._on_empty()

    def position(self, member: Member) -> None:  # noqa: ARG002 - the newest state is all there is
        return None

    def pause(self, member: Member) -> None:
        pass  # it is not ready

    def resume(self, member: Member) -> None:
        if not self._is_stale and self._item is not None:
            self._deliver(member, self._item)
        else:
            self.wake()

    def on_entry(self, entry: Entry) -> None:  # noqa: ARG002 - whichever it was
        self._is_stale = True

    def on_lost(self) -> None:
        self._is_stale = True
        self.wake()

    def wake(self) -> None:
        if self._is_stale and self._work is None:
            self._work = asyncio.ensure_future(self._run())

    def close(self) -> None:
        """Stop working; for whoever has emptied the group."""
        if self._work is not None:
            self._work.cancel()

    async def _run(self) -> None:
        try:
            while self._is_stale and self._members:
                self._is_stale = False
                self._counters.executed += 1
                state = await self._read()
                if self._item is None or self._item.payload != state.payload:
                    self._item = Item(state.payload)
                    self._number += 1
                await self._fan_out(self._item)
                if state.is_final and not self._is_stale:
                    self._finish(None)
                await asyncio.sleep(self._pause)
        except Exception as error:  # noqa: BLE001 - whatever it is, the members must not wait for ever
            self._finish(self._describe(error))
        finally:
            self._work = None

    async def _fan_out(self, item: Item) -> None:
        for served, member in enumerate(list(self._members), 1):
            if member in self._members:
                self._deliver(member, item)
            if served % SLICE == 0:
                await asyncio.sleep(0)

    def _deliver(self, member: Member, item: Item) -> None:
        if member.is_ready and member.last != self._number:
            member.last = self._number
            self._counters.delivered += 1
            member.is_ready = member.sink.deliver([item])

    def _finish(self, error: bytes | None) -> None:
        for member in list(self._members):
            if error is None and self._item is not None:
                # Who takes nothing for now gets the last state all the same: there is no later.
                member.is_ready = True
                self._deliver(member, self._item)
            self.leave(member)
            member.sink.finish(error)
