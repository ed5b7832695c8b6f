"""The trace that work belongs to: how it comes in, goes along, is kept for later, and goes out again.

Where nothing records spans there is an id, by which what went wrong is found in the logs; `span` and `part` are then
a check for None.
"""

import random
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    # Where nothing is recorded OpenTelemetry is not loaded.
    from telemetry.spans import Span, Spans

K = TypeVar("K", bound=Hashable)
Fact = str | int | float | bool
"""What may be said of a span."""

# W3C Trace Context: version, trace, parent and flags; versions to come may have more.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_NO_PARENT = "0" * 16
_IN_PAYLOAD = b'{"trace":"'
_LENGTH = 55


class Kind(Enum):
    """What a span is to those on the other side."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()
    PRODUCER = auto()
    CONSUMER = auto()


class Place(NamedTuple):
    """Where in a trace something happens; `span` where that is in this process, and may be recorded."""

    id: str
    parent: str
    is_sampled: bool
    span: "Span | None" = None

    @property
    def traceparent(self) -> str:
        return f"00-{self.id}-{self.parent}-{'01' if self.is_sampled else '00'}"


class Part(NamedTuple):
    """One of several things that are done at once, and the trace that it belongs to."""

    name: str
    of: str
    facts: Mapping[str, Fact] = {}


_HERE: ContextVar[Place | None] = ContextVar("trace", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()

_spans: "Spans | None" = None


def record(spans: "Spans | None") -> None:
    """From now on spans are recorded by these, or no more."""
    global _spans  # noqa: PLW0603 - a process has one
    _spans = spans


def is_on() -> bool:
    """Whether spans may be recorded in this process."""
    return _spans is not None


def begin(traceparent: bytes | str | None) -> None:
    """Whatever this task does from now on belongs to the trace that its sender names, or to one of its own."""
    found = None if traceparent is None else read(traceparent)
    if found is None and _spans is None:
        found = Place(f"{random.getrandbits(128) or 1:032x}", _NO_PARENT, is_sampled=False)
    _HERE.set(found)


def read(traceparent: bytes | str) -> Place | None:
    """The place that a W3C traceparent names; None where it is none."""
    text = traceparent.decode("latin-1") if isinstance(traceparent, bytes) else traceparent
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    return Place(found[1], found[2], is_sampled=bool(int(found[3], 16) & 1))


def current() -> str:
    """The id of the trace; a new one where there is none."""
    here = _HERE.get()
    return f"{random.getrandbits(128) or 1:032x}" if here is None else here.id


def known() -> str | None:
    """The id of the trace, if there is one."""
    place = _HERE.get()
    return None if place is None else place.id


def here() -> Place | None:
    """Where we are, to be told to what is done later for several together."""
    return _HERE.get() if _spans is not None else None


def carried() -> str | None:
    """What is kept with what others do later, so that it belongs to this trace. None where nothing is recorded."""
    if _spans is None:
        return None
    place = _HERE.get()
    return None if place is None else place.traceparent


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    *,
    of: str | None = None,
    **facts: Fact,
) -> "AbstractContextManager[Span | None]":
    """A span around a block: a part of what is done here or of what `of` names, or else the beginning of a trace."""
    if _spans is None:
        return _NOTHING
    parent = _HERE.get() if of is None else read(of)
    return _within(_spans, name, kind, parent, (), facts)


def part(
    name: str, kind: Kind = Kind.INTERNAL, **facts: Fact
) -> "AbstractContextManager[Span | None]":
    """A span around a block, only if what it is a part of is recorded."""
    if _spans is None:
        return _NOTHING
    parent = _HERE.get()
    if parent is None or parent.span is None or not parent.span.is_recording:
        return _NOTHING
    return _within(_spans, name, kind, parent, (), facts)


def redis(name: str) -> "AbstractContextManager[Span | None]":
    """A part that is a call of Redis."""
    return part(name, Kind.CLIENT, db__system__name="redis")


def together(
    name: str, places: Iterable[Place | None], **facts: Fact
) -> "AbstractContextManager[Span | None]":
    """A span around what is done for several at once: in the first of their traces that is recorded, linked to others.

    What runs for one and goes on for others does so by this, or it would go on as the one's.
    """
    if _spans is None:
        return _NOTHING
    recorded = [each for each in places if each is not None and each.is_sampled]
    if not recorded:
        return _elsewhere()
    first, *others = dict.fromkeys(recorded)
    return _within(_spans, name, Kind.INTERNAL, first, others, facts)


@contextmanager
def each(parts: Mapping[K, Part | None], kind: Kind) -> Iterator[Mapping[K, str]]:
    """Spans for several things that are done at once, each in the trace it belongs to; answers what each carries on.

    What is done for all of them is told in the trace of the last.
    """
    carry: dict[K, str] = {}
    if _spans is None:
        yield carry
        return
    with ExitStack() as stack:
        stack.enter_context(_elsewhere())
        for key, of in parts.items():
            place = None if of is None else read(of.of)
            if of is not None and place is not None and place.is_sampled:
                begun = stack.enter_context(_within(_spans, of.name, kind, place, (), of.facts))
                carry[key] = begun.traceparent
        yield carry


def within(payload: str, traceparent: str | None) -> str:
    """A JSON object as text, with the trace that it belongs to."""
    if traceparent is None or len(traceparent) != _LENGTH:
        return payload
    rest = payload[1:].lstrip()
    return f'{{"trace":"{traceparent}"{"" if rest == "}" else ","}{rest}'


def received(payload: bytes, name: str, **facts: Fact) -> "AbstractContextManager[Span | None]":
    """A span in the trace that a payload of `within` belongs to; whatever else is done here is of no trace."""
    if _spans is None:
        return _NOTHING
    if not payload.startswith(_IN_PAYLOAD):
        return _elsewhere()
    place = read(payload[len(_IN_PAYLOAD) : len(_IN_PAYLOAD) + _LENGTH])
    if place is None or not place.is_sampled:
        return _elsewhere()
    return _within(_spans, name, Kind.CONSUMER, place, (), facts)


@contextmanager
def _elsewhere() -> Iterator[None]:
    """What is done within is of no trace that is recorded."""
    token = _HERE.set(None)
    try:
        yield
    finally:
        _HERE.reset(token)


@contextmanager
def _within(
    spans: "Spans",
    name: str,
    kind: Kind,
    parent: Place | None,
    links: Sequence[Place],
    facts: Mapping[str, Fact],
) -> "Iterator[Span]":
    begun = spans.begin(name, kind, parent, links, facts)
    token = _HERE.set(begun.place)
    try:
        yield begun
    except BaseException as error:
        begun.fail(error)
        raise
    finally:
        _HERE.reset(token)
        begun.end()
