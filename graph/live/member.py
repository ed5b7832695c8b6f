"""One subscriber: where its frames go, and how far it has come."""

from collections.abc import Sequence
from typing import Any, Protocol

from graph.live.cursor import Cursor
from telemetry.trace import Place


class Item:
    """One answer as every member of a group gets it. `framed` is for the sinks' encodings, each made once."""

    __slots__ = ("cursor", "framed", "payload", "place")

    def __init__(
        self, payload: bytes, cursor: Cursor | None = None, place: Place | None = None
    ) -> None:
        self.payload = payload
        self.place = place
        """Of the trace that it belongs to, if that is recorded."""
        self.cursor = cursor
        self.framed: dict[Any, bytes] = {}


class Sink(Protocol):
    """Where a member's items go."""

    def deliver(self, items: Sequence[Item]) -> bool:
        """Take these, whatever happens; False: no more before `Member.resume` is called."""

    def finish(self, error: bytes | None) -> None:
        """No more will come: the stream is over, or this is why it cannot go on."""


class Stream(Protocol):
    """What a member belongs to."""

    def pause(self, member: "Member") -> None: ...
    def resume(self, member: "Member") -> None: ...
    def leave(self, member: "Member") -> None: ...
    def position(self, member: "Member") -> Cursor | None: ...


class Member:
    """Has received exactly what its stream had up to `last`, which moves only with a delivery."""

    __slots__ = ("epoch", "is_catching_up", "is_ready", "last", "sink", "stream")

    def __init__(self, stream: Stream, sink: Sink, epoch: str = "", last: int = 0) -> None:
        self.stream = stream
        self.sink = sink
        self.epoch = epoch
        self.last = last
        self.is_ready = True
        self.is_catching_up = False

    def pause(self) -> None:
        """The sink takes no more, for a reason of its own."""
        self.is_ready = False
        self.stream.pause(self)

    def resume(self) -> None:
        """The sink takes items again."""
        if not self.is_ready:
            self.is_ready = True
            self.stream.resume(self)

    def leave(self) -> None:
        """Nothing is delivered from now on."""
        self.stream.leave(self)

    @property
    def position(self) -> Cursor | None:
        """Where another stream of the same topic may go on; None where it holds only the newest state."""
        return self.stream.position(self)
