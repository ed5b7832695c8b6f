"""What a log may hold: fields that are named here, and of errors what they are and where, never what they quote."""

import re
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import asyncpg

from persistence.bus import BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.objects import ObjectsUnavailableError
from telemetry.lines import FIELDS as OF_LINES

FIELDS = OF_LINES | {
    *("address", "asked", "attempt", "cure", "duty", "error", "event_id", "events", "fence"),
    *("job", "jobs", "logger", "lost", "model", "port", "provider", "reason", "scored", "source"),
    *("threads", "topics", "webhook", "workspace", "workspaces"),
}
"""All fields of all events. What they hold is ids, numbers, names of ours, and sentences of ours."""
_OURS = frozenset(("exception", "stack"))
# Ours say what is away; those of Python speak of code, not of what it works on.
_SPEAK = (
    *(StoreUnavailableError, BusUnavailableError, ObjectsUnavailableError),
    *(AttributeError, ImportError, NameError, NotImplementedError),
)
_SECRET = re.compile(
    r"(?P<scheme>\w+://)[^\s/@]*@"  # credentials in an URL
    r"|[^\s@<>\"'=,;:()]+@[^\s@<>\"'=,;:()]+\.\w+"  # an address
    r"|\b(?:Bearer|Basic)\s+\S+"
    r"|\beyJ[\w-]+\.[\w.-]+"
    r"|\b(?:whsec_|earful_)\S+"
    r"|[\w+/=-]{40,}",
    re.IGNORECASE,
)
_HIDDEN = "[hidden]"
_LONGEST = 300
_MOST_FRAMES = 40
_MOST_CAUSES = 5


def sentence(text: str) -> str:
    """A text's first line, without what looks like a secret or an address: the rest may quote anything."""
    first = text.partition("\n")[0][:_LONGEST]
    return _SECRET.sub(lambda found: (found["scheme"] or "") + _HIDDEN, first)


def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: only what is known to be fit for a log stays in the event."""
    error = _error_of(event.pop("exc_info", None))
    kept = {name: _kept(value) for name, value in event.items() if name in FIELDS or name in _OURS}
    if error is not None:
        kept["exception"] = [described(each) for each in _chain(error)]
    return kept


def described(error: BaseException) -> dict[str, Any]:
    """What an error is and where it was raised."""
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if message := _message(error):
        told["message"] = message
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    told["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return told


def _message(error: BaseException) -> str | None:
    if isinstance(error, asyncpg.PostgresError):
        parts = (error.sqlstate, error.table_name, error.column_name, error.constraint_name)
        return " ".join(part for part in parts if part)
    if isinstance(error, OSError):
        return error.strerror
    return sentence(str(error)) if isinstance(error, _SPEAK) else None


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it."""
    found: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _kept(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    return sentence(str(value))
