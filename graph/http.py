"""GraphQL over HTTP: a thin ASGI endpoint for POST and GET.

Follows the GraphQL-over-HTTP draft: `application/graphql-response+json` answers request errors with 400,
`application/json` with 200; what is not a GraphQL request at all is a 4xx either way.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import orjson
from graphql import OperationType
from pydantic_core import from_json

from graph.authentication import Headers, context_of, headers_of, set_cookie
from graph.context import Context, Services
from graph.errors import bad_request
from graph.execution import Operation, Operations, RequestError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

_RESPONSE_JSON = b"application/graphql-response+json"
_JSON = b"application/json"
_BODY_SECONDS = 30
_UNWATCHED_SECONDS = 0.05
_LONG_NUMBER = re.compile(rb"\d{19}")
_NAMES = {"query", "variables", "operationName", "extensions"}

PLAYGROUND_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Refused(Exception):  # noqa: N818 - a refusal, answered as it is
    """The request is no GraphQL request: a status, a message, and headers that go with it."""

    def __init__(self, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class GraphQLOverHTTP:
    """The endpoint's HTTP half."""

    def __init__(
        self, operations: Operations, services: Services, *, largest: int, playground: Path | None
    ) -> None:
        self._operations = operations
        self._services = services
        self._largest = largest
        self._playground = playground.read_bytes() if playground is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)  # type: ignore[arg-type]  # a scope is a dict
        media = _JSON
        try:
            method = scope["method"]
            if method == "GET" and self._playground is not None and _wants_page(scope, headers):
                await _send(send, 200, b"text/html; charset=utf-8", self._playground, _PAGE)
                return
            media = _answer_media(headers)
            if method == "POST":
                parameters = await self._body(headers, receive)
            elif method == "GET":
                parameters = _query_string(scope)
            else:
                raise _Refused(405, "Use GET or POST.", (b"allow", b"GET, POST"))
            await self._answer(scope, headers, method, media, parameters, receive, send)
        except _Refused as refused:
            body = orjson.dumps({"errors": [bad_request(str(refused))]})
            await _send(send, refused.status, media, body, refused.headers)

    async def _answer(
        self,
        scope: Scope,
        headers: Headers,
        method: str,
        media: bytes,
        parameters: dict[str, Any],
        receive: Receive,
        send: Send,
    ) -> None:
        operation = operation_of(parameters)
        context = context_of(self._services, scope, headers)  # type: ignore[arg-type]
        try:
            document = self._operations.document(operation.query)
            kind = document.type_of(operation.operation_name)
        except RequestError as error:
            await _send(send, _status(media), media, orjson.dumps({"errors": error.errors}))
            return
        if kind is OperationType.SUBSCRIPTION:
            raise _Refused(400, "Subscriptions go over WebSocket (graphql-transport-ws).")
        if method == "GET" and kind is not OperationType.QUERY:
            raise _Refused(405, "Only queries go over GET.", (b"allow", b"POST"))
        answer = await _while_there(receive, self._operations.execute(document, operation, context))
        if answer is not None:
            status = 200 if answer.executed else _status(media)
            await _send(send, status, media, answer.body, _cookies(context))

    async def _body(self, headers: Headers, receive: Receive) -> dict[str, Any]:
        kind, _, options = headers.get(b"content-type", b"").partition(b";")
        charset = options.strip().lower().replace(b'"', b"")
        if kind.strip().lower() != _JSON or charset not in {b"", b"charset=utf-8"}:
            raise _Refused(415, "Send application/json in UTF-8.", (b"accept", _JSON))
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise _Refused(415, "Send the body without content-encoding.")
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await read_body(headers, receive, self._largest)
        except TimeoutError:
            raise _Refused(408, "The body took too long.") from None
        if body is None:
            raise _Refused(413, f"The body may have at most {self._largest:,} bytes.")
        try:
            parameters = read_json(body)
        except ValueError as error:
            raise _Refused(400, f"The body is not JSON: {error}.") from None
        if isinstance(parameters, list):
            raise _Refused(400, "Send one operation a request: batches are not accepted.")
        if not isinstance(parameters, dict):
            raise _Refused(400, "The body must be a JSON object.")
        return parameters


def read_json(text: bytes | str) -> Any:
    """Parse JSON that a client sent, strictly; ValueError if it is none.

    orjson turns integers beyond 64 bits into floats; where there may be one, a parser that keeps them exact
    reads the text again, so that they can be refused rather than rounded.
    """
    data = text.encode() if isinstance(text, str) else text
    parsed = orjson.loads(data)
    return from_json(data, allow_inf_nan=False) if _LONG_NUMBER.search(data) else parsed


def operation_of(parameters: dict[str, Any]) -> Operation:
    """The operation in a request's parameters; a 400 naming the one that is of the wrong type."""
    query = parameters.get("query")
    variables = parameters.get("variables")
    name = parameters.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise _Refused(400, "`query` must be a GraphQL document.")
    if variables is not None and not isinstance(variables, dict):
        raise _Refused(400, "`variables` must be a JSON object.")
    if name is not None and not isinstance(name, str):
        raise _Refused(400, "`operationName` must be a string.")
    if not isinstance(parameters.get("extensions"), dict | None):
        raise _Refused(400, "`extensions` must be a JSON object.")
    return Operation(query, variables, name or None)


async def read_body(headers: Headers, receive: Receive, largest: int) -> bytes | None:
    """The request's body, or None as soon as it is known to be larger."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > largest:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > largest:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _while_there(receive: Receive, work: Awaitable[T]) -> T | None:
    """The work's result; when the client leaves before it is there, the work is cancelled: None.

    Only work that takes a while is watched: the watching would cost more than most operations do.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - an ASGI server runs us in one
    watch = _Watch(receive, task)
    try:
        return await work
    except asyncio.CancelledError:
        if not watch.is_client_gone:
            raise
        task.uncancel()
        return None
    finally:
        watch.end()


class _Watch:
    """Cancels a task when its client leaves."""

    def __init__(self, receive: Receive, task: "asyncio.Task[Any]") -> None:
        self._receive = receive
        self._task = task
        self._waiting: asyncio.Task[None] | None = None
        self._timer = task.get_loop().call_later(_UNWATCHED_SECONDS, self._begin)
        self.is_client_gone = False

    def _begin(self) -> None:
        self._waiting = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_client_gone = True
        self._task.cancel()

    def end(self) -> None:
        self._timer.cancel()
        if self._waiting is not None:
            self._waiting.cancel()


def _query_string(scope: Scope) -> dict[str, Any]:
    try:
        given = parse_qs(
            scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=20,
        )
        parameters: dict[str, Any] = {
            name: values[-1] for name, values in given.items() if name in _NAMES
        }
        for name in ("variables", "extensions"):
            if name in parameters:
                parameters[name] = read_json(parameters[name] or "null")
    except ValueError:
        raise _Refused(400, "The query string is not valid.") from None
    return parameters


def _preferences(headers: Headers) -> list[tuple[float, bytes]]:
    """The media ranges of Accept with their q, in the client's order."""
    ranges = []
    for part in headers.get(b"accept", b"").split(b","):
        media, *options = (piece.strip() for piece in part.lower().split(b";"))
        quality = 1.0
        for option in options:
            if option.startswith(b"q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        if media and quality > 0:
            ranges.append((quality, media))
    return ranges


def _answer_media(headers: Headers) -> bytes:
    ranges = _preferences(headers)
    if not ranges:
        if headers.get(b"accept", b"").strip():
            raise _Refused(406, "Accept application/graphql-response+json or application/json.")
        return _JSON
    for _, media in sorted(ranges, key=lambda ranked: -ranked[0]):
        if media == _RESPONSE_JSON:
            return _RESPONSE_JSON
        if media in {_JSON, b"application/*", b"*/*"}:
            return _JSON
    raise _Refused(406, "Accept application/graphql-response+json or application/json.")


def _wants_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser asks for the playground: HTML ranks before JSON, and there is no query."""
    ranges = {media: quality for quality, media in _preferences(headers)}
    html = ranges.get(b"text/html", 0)
    machine = max(ranges.get(_JSON, 0), ranges.get(_RESPONSE_JSON, 0))
    return html > machine and b"query=" not in scope["query_string"]


def _status(media: bytes) -> int:
    return 400 if media is _RESPONSE_JSON else 200


def _cookies(context: Context) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(
        (b"set-cookie", set_cookie(context.services, cookie)) for cookie in context.set_cookies
    )


_PAGE = (
    (b"content-security-policy", PLAYGROUND_POLICY),
    (b"referrer-policy", b"no-referrer"),
)


async def _send(
    send: Send,
    status: int,
    media: bytes,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    content_type = media if b";" in media else media + b"; charset=utf-8"
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
