"""A topic in this process: the newest entries in a ring, and everybody who waits for the next."""

import asyncio
from collections.abc import Sequence

from graph.live.cursor import Cursor
from persistence.bus import Entry, Head

RING = 1024


class Topic:
    """Holds the contiguous entries up to `last`. Only the hub moves it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.followers = 0
        self.epoch = ""
        self.last = 0
        self.confirmed = asyncio.Event()
        self._ring: list[Entry] = []
        self._changed = asyncio.Event()

    @property
    def cursor(self) -> Cursor:
        """Where the topic stands."""
        return Cursor(self.epoch, self.last)

    def start(self, head: Head) -> None:
        """Begin, or begin anew after a loss that cannot be mended: what came before is not here."""
        self.epoch, self.last = head.epoch, head.offset
        self._ring.clear()
        self.wake()

    def append(self, entries: Sequence[Entry]) -> bool:
        """Take the entries that follow `last`; False when there is a hole before the first of them."""
        for entry in entries:
            if entry.offset <= self.last:
                continue
            if entry.offset > self.last + 1:
                return False
            self._ring.append(entry)
            self.last = entry.offset
        if len(self._ring) > 2 * RING:
            del self._ring[:-RING]
        self.wake()
        return True

    def after(self, offset: int, limit: int) -> Sequence[Entry] | None:
        """Up to `limit` entries after `offset`; None when the ring does not reach back so far."""
        if not self._ring or self._ring[0].offset > offset + 1:
            return None
        begin = offset + 1 - self._ring[0].offset
        return self._ring[begin : begin + limit]

    def wake(self) -> None:
        """Let everybody who waits look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def change(self) -> asyncio.Event:
        """Set when the topic next moves. Take it before looking, wait for it after."""
        return self._changed
