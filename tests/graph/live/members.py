"""Groups without a bus: a log that a test writes, and sinks that take what they want."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from graph.live.bus import Entry, Head
from graph.live.counters import Counters
from graph.live.cursor import Cursor
from graph.live.index import EVERYTHING, Filter, Reading
from graph.live.log import LogGroup
from graph.live.member import Item, Member
from graph.live.topic import Topic
from persistence.bus import Entry as BusEntry
from persistence.bus import Head as BusHead

NUMBERS = Reading(int, lambda number: (number % 10,))
"""Events that are numbers; their terms are their last digits."""


@dataclass
class World:
    """A topic and what its log keeps."""

    kept: list[Entry] = field(default_factory=list)
    reads: int = 0
    epoch: str = "a"
    last: int = 0
    counters: Counters = field(default_factory=Counters)
    closed: int = 0
    history: list[tuple[str, int, int]] = field(default_factory=list)
    """Epoch, offset and number of all there ever was."""

    def __post_init__(self) -> None:
        self.topic = Topic("t", self.read)
        self.topic.start(self.head)

    @property
    def head(self) -> Head:
        return BusHead(self.epoch, self.last)

    async def read(self, after: int, limit: int) -> Sequence[Entry]:
        self.reads += 1
        await asyncio.sleep(0)
        return [entry for entry in self.kept if entry.offset > after][:limit]

    def happen(self, *numbers: int) -> None:
        """Entries are written and announced."""
        self.topic.append(self.written(*numbers))

    def written(self, *numbers: int) -> list[Entry]:
        """Entries are written."""
        entries: list[Entry] = []
        for number in numbers:
            self.last += 1
            entries.append(BusEntry(self.last, b"%d" % number))
            self.history.append((self.epoch, self.last, number))
        self.kept += entries
        return entries

    def since(self, epoch: str, offset: int) -> list[tuple[str, int, int]]:
        """What there was in an epoch after an offset."""
        return [entry for entry in self.history if entry[0] == epoch and entry[1] > offset]

    def lose(self, epoch: str) -> None:
        """The log is emptied and begins anew."""
        self.kept.clear()
        self.epoch, self.last = epoch, 0
        self.topic.start(self.head)

    def group(self, filter: Filter = EVERYTHING, *, padding: int = 0) -> LogGroup:
        """A group whose items say what was executed, and have so many spaces more."""

        async def execute(entry: Entry, cursor: Cursor) -> bytes:
            await asyncio.sleep(0)
            return orjson.dumps([cursor.epoch, cursor.offset, int(entry.payload)]) + b" " * padding

        async def execute_gap(cursor: Cursor) -> bytes:
            await asyncio.sleep(0)
            return orjson.dumps([cursor.epoch, cursor.offset])

        def close() -> None:
            self.closed += 1
            self.topic.index.remove(group)
            group.close()

        group = LogGroup(
            self.topic,
            filter,
            execute,
            execute_gap,
            counters=self.counters,
            on_empty=close,
            describe=lambda error: repr(error).encode(),
        )
        self.topic.index.add(group, NUMBERS)
        return group


@dataclass
class Taker:
    """A sink that takes one delivery and, when it is full, no more."""

    is_full: bool = False
    items: list[list[object]] = field(default_factory=list)
    deliveries: int = 0
    error: bytes | None = None
    is_over: bool = False
    member: Member | None = None

    def deliver(self, items: Sequence[Item]) -> bool:
        self.deliveries += 1
        self.items += [orjson.loads(item.payload) for item in items]
        return not self.is_full

    def finish(self, error: bytes | None) -> None:
        self.is_over, self.error = True, error

    @property
    def joined(self) -> Member:
        assert self.member is not None
        return self.member

    @property
    def numbers(self) -> list[object]:
        """What came, gaps as "gap"."""
        return [item[2] if len(item) == 3 else "gap" for item in self.items]


async def settled() -> None:
    """Until everything that can happen by itself has happened."""
    for _ in range(200):
        await asyncio.sleep(0)
