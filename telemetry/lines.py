"""Lines of a log: one for each request, job and delivery, with what is named here and nothing else."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack

from telemetry import trace

Event = Literal["request", "operation", "job", "delivery"]
Fact = str | int | float | None


class Facts(TypedDict, total=False):
    """All that a line may say. Nothing of it was written by a person: ids, kinds, numbers, and names of code.

    The `operation` is a document's: whoever writes programs has named it.
    """

    method: str
    route: str
    status: int
    kind: str
    operation: str | None
    document: str
    cost: int
    outcome: str
    caller: str
    transport: str
    source: str
    entries: int
    job: str
    attempt: int
    waited: float
    webhook: str
    event_type: str
    host: str


_ORDER = ("time", "level", "event", *Facts.__annotations__, "seconds", "trace_id")
FIELDS = frozenset(_ORDER)
"""The names of a line's fields."""

Write = Callable[[dict[str, object]], None]


class Line:
    """What is done in a block, said in one line when it ends."""

    __slots__ = ("_began", "_event", "_facts", "_token", "_write")

    def __init__(self, write: Write, event: Event, facts: Facts) -> None:
        self._write = write
        self._event = event
        self._facts = facts

    def note(self, **facts: Unpack[Facts]) -> None:
        """Say this too."""
        self._facts.update(facts)

    def __enter__(self) -> Self:
        self._began = perf_counter()
        self._token: Token[Line | None] = _LINE.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _LINE.reset(self._token)
        if error is not None:
            self._facts.setdefault("outcome", "broken" if isinstance(error, Exception) else "ended")
        self._write(
            {
                "time": datetime.now(UTC),
                "level": "info",
                "event": self._event,
                **self._facts,
                "seconds": round(perf_counter() - self._began, 6),
                "trace_id": trace.current(),
            }
        )


_LINE: ContextVar[Line | None] = ContextVar("line", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()
_write: Write | None = None


def write_to(write: Write | None) -> None:
    """From now on lines are written by this, or no more."""
    global _write  # noqa: PLW0603 - a process has one log
    _write = write


def are_on() -> bool:
    """Whether there are lines at all."""
    return _write is not None


def line(event: Event, **facts: Unpack[Facts]) -> AbstractContextManager[Line | None]:
    """One line about what is done in the block."""
    return _NOTHING if _write is None else Line(_write, event, facts)


def current() -> Line | None:
    """The line about what is being done, if there is one."""
    return _LINE.get()


def note(**facts: Unpack[Facts]) -> None:
    """Say this too in it."""
    about = _LINE.get()
    if about is not None:
        about.note(**facts)
