"""Each HTTP request as a part of its trace, with one line in the log, and the trace's id in its answer."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from app.answers import Answer, send_answer
from app.security import Secured
from graph.http import Receive, Scope, Send
from telemetry import lines, trace
from telemetry.trace import Kind

if TYPE_CHECKING:
    from telemetry.spans import Span

log = structlog.get_logger(__name__)

TRACE_HEADER = b"x-trace-id"
_ROUTES = {
    "auth": "/auth/oidc",
    "forms": "/forms/{key}",
    "graphiql": "/graphiql",
    "graphql": "/graphql",
    "hooks": "/hooks/{source}",
    "schema.graphql": "/schema.graphql",
}
"""By the first part of the path. The rest of it, and the query, may have keys and codes in them."""
_PROBES = frozenset(("healthz", "readyz", "metrics"))

App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def observed(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request by `app`."""
    first = scope["path"].lstrip("/").partition("/")[0]
    if first in _PROBES:
        await app(scope, receive, Secured(scope, send))
        return
    trace.begin(_traceparent(scope))
    if not (trace.is_on() or lines.are_on()):
        await _answer(app, scope, receive, send)
        return
    statuses: list[int] = []
    method, route = scope["method"], _ROUTES.get(first, "other")
    with trace.span(f"{method} {route}", Kind.SERVER) as span, lines.line("request") as line:
        try:
            await _answer(app, scope, receive, send, statuses.append)
        finally:
            status = statuses[0] if statuses else 0
            if line is not None:
                line.note(method=method, route=route, status=status)
            if span is not None:
                _tell(span, method, route, status)


async def _answer(
    app: App,
    scope: Scope,
    receive: Receive,
    send: Send,
    heard: Callable[[int], None] | None = None,
) -> None:
    id_ = trace.current()
    answer = Secured(scope, send, (TRACE_HEADER, id_.encode()), heard=heard)
    try:
        await app(scope, receive, answer)
    except Exception:
        if answer.has_begun:
            raise
        log.exception("request failed")
        body = {"error": {"message": "Something went wrong on our side.", "traceId": id_}}
        await send_answer(answer, Answer(500, body))


def _tell(span: "Span", method: str, route: str, status: int) -> None:
    span.note(http__request__method=method, http__route=route, http__response__status_code=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.fail(str(status))


def _traceparent(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found: bytes = value
            return found
    return None
