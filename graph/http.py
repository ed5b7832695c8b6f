"""GraphQL over HTTP: a thin ASGI endpoint for POST and GET.

Follows the GraphQL-over-HTTP draft: `application/graphql-response+json` answers request errors with 400,
`application/json` with 200; what is not a GraphQL request at all is a 4xx either way. An operation with @defer
is answered in parts, as multipart/mixed, to clients that name it. Subscriptions are answered as event streams.
"""

import asyncio
import contextlib
import hashlib
import math
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import orjson
from graphql import GraphQLError, OperationType
from pydantic_core import from_json

from graph import batching, multipart, rate_limit
from graph import media as media_types
from graph.answer import Answer
from graph.asked import NAMES, MalformedError, Operation, operation_of
from graph.authentication import Headers, context_of, headers_of, recognise, set_cookie
from graph.context import Context, Services
from graph.deadline import Deadline, Timers
from graph.documents import Document, RequestError
from graph.errors import bad_request, formatted
from graph.execution import Operations
from graph.idempotency import KeyRefusedError, Once
from graph.media import JSON, RESPONSE_JSON, Accepted
from graph.sse import EventStreams, FullError
from persistence.database import StoreUnavailableError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Pairs = tuple[tuple[bytes, bytes], ...]
T = TypeVar("T")

BODY_SECONDS = 30.0
_UNWATCHED_SECONDS = 0.05
# Nine times as fast as a regular expression, on every body.
_LONG_NUMBER = b"0" * 19
_DIGITS_AS_ZERO = bytes(48 if chr(i).isdigit() else 32 for i in range(128)) + b" " * 128
_ASKING = (b"query=", b"id=", b"Id=", b"extensions=")

_KEY = b"idempotency-key"
_LONGEST_LENGTH = 19

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
        self.error: dict[str, Any] | None = None
        """What is answered in place of the message."""


class GraphQLOverHTTP:
    """The endpoint's HTTP half."""

    def __init__(
        self,
        operations: Operations,
        services: Services,
        streams: EventStreams,
        *,
        largest: int,
        playground: Path | None,
        most_batched: int = 0,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._operations = operations
        self._once = Once(operations, seconds=services.operation_seconds)
        self._services = services
        self._streams = streams
        self._largest = largest
        self._most_batched = most_batched
        self._bodies = Timers(body_seconds)
        self._watches = Timers(_UNWATCHED_SECONDS)
        self._playground = playground.read_bytes() if playground is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)  # type: ignore[arg-type]  # a scope is a dict
        media: bytes | None = JSON
        try:
            method = scope["method"]
            accepted = media_types.accepted(headers.get(b"accept", b""))
            if (
                method == "GET"
                and self._playground is not None
                and accepted is not None
                and accepted.page
                and not any(name in scope["query_string"] for name in _ASKING)
            ):
                await _send(send, 200, _HTML, self._playground, _PAGE)
                return
            if accepted is None or (
                accepted.single is None and not accepted.parts and not accepted.events
            ):
                raise _Refused(406, "Accept application/graphql-response+json or application/json.")
            media = accepted.single
            parameters: dict[str, Any] | list[Any]
            if method == "POST":
                parameters = await self._body(headers, receive)
            elif method == "GET":
                parameters = _query_string(scope)
            else:
                raise _Refused(405, "Use GET or POST.", (b"allow", b"GET, POST"))
            asked = self._asked(parameters, headers, media)
            context = context_of(self._services, scope, headers)  # type: ignore[arg-type]
            try:
                if context.key_secret is not None:
                    await _recognise(context, context.key_secret)
                if isinstance(asked, list):
                    await self._answer_batch(context, asked, media, receive, send)
                else:
                    await self._answer(scope, headers, context, asked, accepted, receive, send)
            finally:
                context.meter.let_go()
        except _Refused as refused:
            body = orjson.dumps({"errors": [refused.error or bad_request(str(refused))]})
            await _send(send, refused.status, media or RESPONSE_JSON, body, refused.headers)

    def _asked(
        self, parameters: dict[str, Any] | list[Any], headers: Headers, media: bytes | None
    ) -> Operation | list[Operation]:
        if isinstance(parameters, dict):
            return _operation(parameters)
        try:
            batch = batching.batch_of(parameters, self._most_batched)
        except MalformedError as error:
            raise _Refused(400, str(error)) from None
        if media is None:
            raise _Refused(406, "For a batch, accept application/json.")
        if _KEY in headers or any(each.idempotency_key is not None for each in batch):
            raise _Refused(400, "An idempotency key is for one operation, and not for a batch.")
        return batch

    async def _answer_batch(
        self,
        context: Context,
        batch: list[Operation],
        media: bytes | None,
        receive: Receive,
        send: Send,
    ) -> None:
        work = batching.answered(self._operations, batch, context)
        answer = await self._while_there(receive, work)
        if answer is not None:
            body, wait = answer
            told = (*rate_limit.headers(context), *_cookies(context))
            if wait is not None:
                told = (*told, (b"retry-after", b"%d" % wait))
            await _send(send, 200, media or JSON, body, told)

    async def _answer(
        self,
        scope: Scope,
        headers: Headers,
        context: Context,
        operation: Operation,
        accepted: Accepted,
        receive: Receive,
        send: Send,
    ) -> None:
        media = accepted.single
        only_events = accepted.events and media is None and not accepted.parts
        try:
            document = await self._operations.document(operation, context)
            kind = document.type_of(operation.operation_name)
        except RequestError as error:
            if error.retry_after is not None:
                wait = (b"retry-after", b"%d" % math.ceil(error.retry_after))
                refusal = orjson.dumps({"errors": error.errors})
                await _send(send, 429, media or RESPONSE_JSON, refusal, (wait,))
            elif only_events:
                await self._streams.refuse(error.errors, send)
            else:
                await _send_errors(send, media, orjson.dumps({"errors": error.errors}))
            return
        if kind is OperationType.SUBSCRIPTION and not accepted.events:
            raise _Refused(
                400,
                "Subscriptions go over WebSocket (graphql-transport-ws), or to `Accept: text/event-stream`.",
            )
        if scope["method"] == "GET" and kind is OperationType.MUTATION:
            raise _Refused(405, "Only queries and subscriptions go over GET.", (b"allow", b"POST"))
        key = _key(headers, operation) if kind is OperationType.MUTATION else None
        if kind is OperationType.SUBSCRIPTION or (only_events and key is None):
            await self._stream(document, operation, context, headers, receive, send)
            return
        work = (
            self._operations.execute(
                document, operation, context, incrementally=accepted.parts, tells_cost=True
            )
            if key is None
            else self._answer_once(key, document, operation, context, accepted)
        )
        answer = await self._while_there(receive, work)
        if answer is not None:
            known = headers.get(b"if-none-match", b"") if scope["method"] == "GET" else None
            await self._tell(answer, context, media, known, receive, send)

    async def _answer_once(
        self,
        key: str,
        document: Document,
        operation: Operation,
        context: Context,
        accepted: Accepted,
    ) -> Answer:
        if accepted.single is None:
            raise _Refused(406, "With an idempotency key, accept application/json.")
        try:
            return await self._once.answer(key, document, operation, context)
        except KeyRefusedError as error:
            wait = error.retry_after
            headers = () if wait is None else ((b"retry-after", b"%d" % math.ceil(wait)),)
            refused = _Refused(error.status, str(error), *headers)
            refused.error = error.error
            raise refused from None

    async def _stream(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        headers: Headers,
        receive: Receive,
        send: Send,
    ) -> None:
        work = self._streams.answer(document, operation, context, headers, send, _cookies(context))
        try:
            await self._while_there(receive, work)
        except FullError as full:
            raise _Refused(503, str(full), (b"retry-after", b"2")) from None

    async def _body(self, headers: Headers, receive: Receive) -> dict[str, Any] | list[Any]:
        if not media_types.is_json(headers.get(b"content-type", b"")):
            raise _Refused(415, "Send application/json in UTF-8.", (b"accept", JSON))
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise _Refused(
                415, "Send the body without content-encoding.", (b"accept-encoding", b"identity")
            )
        try:
            with Deadline(self._bodies):
                body = await read_body(headers, receive, self._largest)
        except TimeoutError:
            raise _Refused(408, "The body took too long.") from None
        if body is None:
            raise _Refused(413, f"The body may have at most {self._largest:,} bytes.")
        try:
            parameters = read_json(body)
        except ValueError as error:
            raise _Refused(400, f"The body is not JSON: {error}.") from None
        if not isinstance(parameters, dict | list):
            raise _Refused(400, "The body must be a JSON object.")
        return parameters

    async def _while_there(self, receive: Receive, work: Awaitable[T]) -> T | None:
        """The work's result; when the client leaves before it is there, the work is cancelled: None.

        Only work that takes a while is watched: the watching would cost more than most operations do.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI server runs us in one
        watch = _Watch(receive, task)
        self._watches.add(watch)
        try:
            return await work
        except asyncio.CancelledError:
            if not watch.is_client_gone:
                raise
            task.uncancel()
            return None
        finally:
            self._watches.discard(watch)
            watch.end()

    async def _tell(
        self,
        answer: Answer,
        context: Context,
        media: bytes | None,
        known: bytes | None,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer an operation; over GET shortly where the answer is one of those that the client knows."""
        told = (*rate_limit.headers(context), *_cookies(context))
        if answer.retry_after is not None:
            wait = (b"retry-after", b"%d" % math.ceil(answer.retry_after))
            await _send(send, 429, media or RESPONSE_JSON, answer.body, (*told, wait))
        elif not answer.executed:
            await _send_errors(send, media, answer.body, told)
        elif answer.rest is not None or media is None:
            await self._while_there(receive, _send_parts(send, answer, told))
        elif known is None:
            await _send(send, 200, media, answer.body, told)
        else:
            tag = b'"%b"' % hashlib.blake2b(answer.body, digest_size=16).hexdigest().encode()
            caching = ((b"etag", tag), *_REVALIDATED)
            tags = [each.strip().removeprefix(b"W/") for each in known.split(b",")]
            if tag in tags or b"*" in tags:
                start = {"type": "http.response.start", "status": 304, "headers": (*caching, *told)}
                await send(start)
                await send({"type": "http.response.body", "body": b""})
            else:
                await _send(send, 200, media, answer.body, told, caching)


async def _recognise(context: Context, secret: str) -> None:
    try:
        await recognise(context, secret)
    except StoreUnavailableError as error:
        # Who it is cannot be known: that is not the same as nobody.
        refused = _Refused(503, "", (b"retry-after", b"1"))
        refused.error = formatted(GraphQLError("", original_error=error))
        raise refused from None


def read_json(text: bytes | str) -> Any:
    """Parse JSON that a client sent, strictly; ValueError if it is none.

    orjson turns integers beyond 64 bits into floats; where there may be one, a parser that keeps them exact
    reads the text again, so that they can be refused rather than rounded.
    """
    data = text.encode() if isinstance(text, str) else text
    parsed = orjson.loads(data)
    if _LONG_NUMBER in data.translate(_DIGITS_AS_ZERO):
        return from_json(data, allow_inf_nan=False)
    return parsed


def _key(headers: Headers, operation: Operation) -> str | None:
    """The idempotency key, wherever it is said."""
    header, key = headers.get(_KEY), operation.idempotency_key
    if header is None:
        return key
    said = header.decode("latin-1")
    if key is not None and key != said:
        raise _Refused(400, "The header and the extensions say different idempotency keys.")
    return said


def _operation(parameters: dict[str, Any]) -> Operation:
    try:
        operation = operation_of(parameters)
    except MalformedError as error:
        raise _Refused(400, str(error)) from None
    if operation.document_id is None and not operation.query.strip():
        raise _Refused(400, "`query` must be a GraphQL document.")
    return operation


async def read_body(headers: Headers, receive: Receive, largest: int) -> bytes | None:
    """The request's body, or None as soon as it is known to be larger."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > _LONGEST_LENGTH or int(length) > largest:
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


class _Watch:
    """Cancels a task when its client leaves, from when it is called on."""

    __slots__ = ("_receive", "_task", "_waiting", "is_client_gone")

    def __init__(self, receive: Receive, task: "asyncio.Task[Any]") -> None:
        self._receive = receive
        self._task = task
        self._waiting: asyncio.Task[None] | None = None
        self.is_client_gone = False

    def __call__(self) -> None:
        """It takes a while."""
        self._waiting = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_client_gone = True
        self._task.cancel()

    def end(self) -> None:
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
            name: values[-1] for name, values in given.items() if name in NAMES
        }
        for name in ("variables", "extensions"):
            if name in parameters:
                parameters[name] = read_json(parameters[name] or "null")
    except ValueError:
        raise _Refused(400, "The query string is not valid.") from None
    return parameters


def _cookies(context: Context) -> Pairs:
    return tuple(
        (b"set-cookie", set_cookie(context.services, cookie, is_secure=context.is_secure))
        for cookie in context.set_cookies
    )


_HTML = b"text/html"
_CONTENT_TYPES = {
    media: (b"content-type", media + b"; charset=utf-8") for media in (JSON, RESPONSE_JSON, _HTML)
}
_UNCACHED = ((b"cache-control", b"no-store"),)
# For the client that asked alone, and it asks each time whether it is still so.
_REVALIDATED = (
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"accept, authorization, cookie"),
)
_PAGE = ((b"content-security-policy", PLAYGROUND_POLICY),)


async def _send(
    send: Send,
    status: int,
    media: bytes,
    body: bytes,
    headers: Pairs = (),
    caching: Pairs = _UNCACHED,
) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": (_CONTENT_TYPES[media], length, *caching, *headers),
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _send_errors(send: Send, media: bytes | None, body: bytes, headers: Pairs = ()) -> None:
    """Answer a request that cannot be executed."""
    await _send(send, 200 if media is JSON else 400, media or RESPONSE_JSON, body, headers)


async def _send_parts(send: Send, answer: Answer, headers: Pairs) -> None:
    """Send each payload as soon as it is there."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", multipart.MEDIA),
                *_UNCACHED,
                # A proxy shall not wait for the last part.
                (b"x-accel-buffering", b"no"),
                *headers,
            ],
        }
    )
    begin = multipart.BEGIN + multipart.part(answer.body)
    await send({"type": "http.response.body", "body": begin, "more_body": True})
    if answer.rest is not None:
        async with contextlib.aclosing(answer.rest) as rest:
            async for payload in rest:
                part = multipart.part(payload)
                await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": multipart.END})
