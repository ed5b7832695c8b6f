"""What a subscription's resolver answers: which topic its events come from, and what is made of them.

Both kinds can be shared: subscribers with the same selection, arguments and scope share one execution of each
event. What cannot be shared is an ordinary async generator, which works too, for each subscriber by itself.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.schema_directive import Location

from graph.context import Context
from graph.live.bus import Entry
from graph.live.cursor import Cursor
from graph.live.index import EVERYTHING, Filter, Reading


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="shared",
    description="Subscribers with the same selection, arguments and permissions share one execution of each event, "
    "however many they are.",
)
class Shared:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose events they are: all that a shared execution knows of its subscribers.

    `holds` says whether a caller still belongs to it.
    """

    key: Hashable
    holds: Callable[[Context], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Every event of the topic that passes the filter, in order and once.

    `event` makes what is resolved of an entry, or None where there is nothing to see; `gap` of a cursor before
    which entries are missing.
    """

    topic: str
    scope: Scope
    reading: Reading
    event: Callable[[Context, Entry, Cursor], Awaitable[Any | None]]
    gap: Callable[[Cursor], Any]
    filter: Filter = EVERYTHING
    after: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The newest state, at once and whenever it has changed, at most once in `pause` seconds.

    `read` answers what is resolved; `is_final` of that whether it will not change any more.
    """

    topic: str
    scope: Scope
    reading: Reading
    read: Callable[[Context], Awaitable[Any]]
    pause: float
    filter: Filter = EVERYTHING
    is_final: Callable[[Any], bool] = lambda _: False
