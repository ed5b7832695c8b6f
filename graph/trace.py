"""The trace that a request is part of, by which its errors are found in the logs: its sender's, or one of its own."""

import re
import secrets
from contextvars import ContextVar

# W3C Trace Context: version, trace, parent and flags; versions to come may have more.
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)
_TRACE: ContextVar[str | None] = ContextVar("trace", default=None)


def begin(traceparent: bytes | None) -> None:
    """Whatever this task does from now on belongs to the trace that its sender names."""
    found = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent)
    _TRACE.set(None if found is None else found[1].decode())


def current() -> str:
    """The id of the trace; a new one where there is none."""
    return _TRACE.get() or secrets.token_hex(16)
