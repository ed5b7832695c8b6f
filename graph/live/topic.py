"""A topic in this process: the newest entries in a ring, pages of older ones, and everybody who waits for the next."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from graph.live.bus import Entry, Head
from graph.live.cursor import Cursor
from graph.live.index import Index, Watcher

RING = 1024
PAGE = 512
_PAGES = 32
# Pages begin at multiples of this, so that those who stand near to each other share one, and overlap, so that one
# goes on long enough for most.
_ALIGNED = 64

ReadPage = Callable[[int, int], Awaitable[Sequence[Entry]]]


class Topic:
    """Holds the contiguous entries up to `last`. Only the hub moves it."""

    def __init__(self, name: str, read: ReadPage) -> None:
        self.name = name
        self.followers = 0
        self.epoch = ""
        self.last = 0
        self.life = 0
        """Counts the beginnings: what was awaited in an earlier life is not of this one."""
        self.confirmed = asyncio.Event()
        self.index = Index()
        self._read = read
        self._ring: list[Entry] = []
        self._pages: OrderedDict[int, asyncio.Future[Sequence[Entry]]] = OrderedDict()
        self._changed = asyncio.Event()

    @property
    def cursor(self) -> Cursor:
        """Where the topic stands."""
        return Cursor(self.epoch, self.last)

    def start(self, head: Head) -> None:
        """Begin, or begin anew after a loss that cannot be mended: what came before is not here."""
        self.epoch, self.last = head.epoch, head.offset
        self.life += 1
        self._ring.clear()
        self._pages.clear()
        for watcher in self.index.all():
            watcher.on_lost()
        self.wake()

    def append(self, entries: Sequence[Entry]) -> bool:
        """Take the entries that follow `last`; False when there is a hole before the first of them."""
        woken: set[Watcher] = set()
        whole = True
        for entry in entries:
            if entry.offset <= self.last:
                continue
            if entry.offset > self.last + 1:
                whole = False
                break
            self._ring.append(entry)
            self.last = entry.offset
            for watcher in self.index.watching(entry):
                watcher.on_entry(entry)
                woken.add(watcher)
        if len(self._ring) > 2 * RING:
            del self._ring[:-RING]
        for watcher in woken:
            watcher.wake()
        self.wake()
        return whole

    def after(self, offset: int, limit: int) -> Sequence[Entry] | None:
        """Up to `limit` entries after `offset`; None when the ring does not reach back so far."""
        if not self._ring or self._ring[0].offset > offset + 1:
            return None
        begin = offset + 1 - self._ring[0].offset
        return self._ring[begin : begin + limit]

    async def older(self, offset: int, limit: int) -> Sequence[Entry]:
        """Up to `limit` entries after `offset` from the log itself, all that follow; none when the first is not kept.

        However many ask for the same stretch, it is read once.
        """
        first, page = self._page_with(offset + 1)
        try:
            entries = await asyncio.shield(page)
        except BaseException:
            if page.done() and self._pages.get(first) is page:
                del self._pages[first]
            raise
        if not entries or not entries[0].offset <= offset + 1 <= entries[-1].offset:
            return ()
        begin = offset + 1 - entries[0].offset
        return entries[begin : begin + limit]

    def _page_with(self, offset: int) -> "tuple[int, asyncio.Future[Sequence[Entry]]]":
        """What begins behind the first offset and holds the second, or will when it is read."""
        for first, page in reversed(self._pages.items()):
            if first < offset <= first + PAGE and not self._is_short(page, offset):
                return first, page
        first = (offset - 1) - (offset - 1) % _ALIGNED
        page = self._pages[first] = asyncio.ensure_future(self._read(first, PAGE))
        self._pages.move_to_end(first)
        if len(self._pages) > _PAGES:
            self._pages.popitem(last=False)
        return first, page

    def _is_short(self, page: "asyncio.Future[Sequence[Entry]]", offset: int) -> bool:
        """Whether what was read does not come as far as the log by now."""
        if not page.done():
            return False
        if page.cancelled() or page.exception() is not None:
            return True
        entries = page.result()
        return not entries or entries[-1].offset < offset

    def wake(self) -> None:
        """Let everybody who waits look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def change(self) -> asyncio.Event:
        """Set when the topic next moves. Take it before looking, wait for it after."""
        return self._changed
