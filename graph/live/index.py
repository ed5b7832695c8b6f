"""Which watchers an entry concerns, found by the entry's terms rather than by asking each."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from graph.live.bus import Entry


def _anything(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events somebody wants: those that have one of the terms, and then pass.

    Without terms each event is asked whether it passes: give terms wherever there are any.
    """

    terms: frozenset[Hashable] | None = None
    passes: Callable[[Any], bool] = _anything


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a topic's entries are read: an event of an entry's payload, and the terms of an event."""

    event: Callable[[bytes], Any]
    terms: Callable[[Any], Iterable[Hashable]]


class Watcher(Protocol):
    """Whom a topic tells of its entries."""

    filter: Filter

    def on_entry(self, entry: Entry) -> None:
        """An entry that passes the filter was appended."""

    def wake(self) -> None:
        """All entries that came together have been told."""

    def on_lost(self) -> None:
        """The topic began anew: entries may be missing."""


class Index:
    """The watchers of one topic by the terms they want."""

    def __init__(self) -> None:
        self._by_term: dict[Hashable, dict[Watcher, None]] = {}
        self._unspecific: dict[Watcher, None] = {}
        self._reading: Reading | None = None

    def add(self, watcher: Watcher, reading: Reading) -> None:
        """Every entry that passes its filter is told to the watcher from now on."""
        self._reading = reading
        if watcher.filter.terms is None:
            self._unspecific[watcher] = None
        else:
            for term in watcher.filter.terms:
                self._by_term.setdefault(term, {})[watcher] = None

    def remove(self, watcher: Watcher) -> None:
        self._unspecific.pop(watcher, None)
        for term in watcher.filter.terms or ():
            watchers = self._by_term.get(term)
            if watchers is not None:
                watchers.pop(watcher, None)
                if not watchers:
                    del self._by_term[term]

    def all(self) -> list[Watcher]:
        found = dict(self._unspecific)
        for watchers in self._by_term.values():
            found.update(watchers)
        return list(found)

    def concerns(self, watcher: Watcher, entry: Entry) -> bool:
        """Whether the watcher would have been told of the entry."""
        if self._reading is None:
            return False
        event = self._reading.event(entry.payload)
        terms = watcher.filter.terms
        return (
            terms is None or not terms.isdisjoint(self._reading.terms(event))
        ) and watcher.filter.passes(event)

    def watching(self, entry: Entry) -> Iterator[Watcher]:
        """Those whom the entry concerns, each once."""
        if self._reading is None or not (self._unspecific or self._by_term):
            return
        event = self._reading.event(entry.payload)
        found = dict(self._unspecific)
        if self._by_term:
            for term in self._reading.terms(event):
                found.update(self._by_term.get(term, ()))
        for watcher in found:
            if watcher.filter.passes(event):
                yield watcher
