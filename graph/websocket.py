"""GraphQL over WebSocket: the graphql-transport-ws protocol, and no other.

Close codes: 4400 a message that is none, 4401 subscribed before the connection was acknowledged, 4403 the
token is not good (any more), 4406 another subprotocol, 4408 no `connection_init` in time, 4409 an id in use,
4429 a second `connection_init` or too many operations.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, cast

import orjson
import structlog
from graphql import OperationType

from domain.errors import UnauthenticatedError
from domain.viewer import Viewer
from graph.account import ACCESS_COOKIE
from graph.authentication import (
    bearer,
    client_of,
    cookies_of,
    headers_of,
    is_same_origin,
    viewer_of,
)
from graph.context import Context, Services
from graph.documents import RequestError
from graph.errors import bad_request
from graph.execution import Operation, Operations
from graph.http import Receive, Scope, Send, read_json

log = structlog.get_logger(__name__)

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10
MOST_OPERATIONS = 100
_LONGEST_ID = 256
# RFC 6455: a control frame holds 125 bytes, and two of them are the code.
_LONGEST_REASON = 123


class _Close(Exception):  # noqa: N818 - ends the socket
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))
        self.code = code


class GraphQLOverWebSocket:
    """The endpoint's WebSocket half."""

    def __init__(
        self, operations: Operations, services: Services, *, init_seconds: float = INIT_SECONDS
    ) -> None:
        self._operations = operations
        self._services = services
        self._init_seconds = init_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"Speak {PROTOCOL}"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        connection = _Connection(self._operations, self._services, scope, receive, send)
        await connection.serve(self._init_seconds)


class _Connection:
    """One socket: its caller and its running operations."""

    def __init__(
        self,
        operations: Operations,
        services: Services,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._operations = operations
        self._services = services
        self._headers = headers_of(scope)  # type: ignore[arg-type]
        self._client = client_of(scope, self._headers)  # type: ignore[arg-type]
        self._receive = receive
        self._send = send
        self._viewer: Viewer | None = None
        self._acknowledged = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: asyncio.Future[_Close] = asyncio.get_running_loop().create_future()
        self._timers: list[asyncio.TimerHandle] = []

    async def serve(self, init_seconds: float) -> None:
        """Answer messages until either side ends the socket."""
        self._end_after(init_seconds, 4408, "connection_init did not come in time")
        reading = asyncio.ensure_future(self._read())
        try:
            waited: set[asyncio.Future[Any]] = {reading, self._ended}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            else:
                raise self._ended.result()
        except _Close as close:
            with contextlib.suppress(Exception):
                await self._send(
                    {"type": "websocket.close", "code": close.code, "reason": str(close)}
                )
        finally:
            reading.cancel()
            for timer in self._timers:
                timer.cancel()
            if self._viewer is not None:
                self._services.sessions.unwatch(self._viewer, self._on_revoked)
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            await self._on_message(_message(event))

    async def _on_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._on_init(message.get("payload"))
            case "ping":
                payload = message.get("payload")
                echoed = {} if payload is None else {"payload": payload}
                await self._write({"type": "pong"} | echoed)
            case "pong":
                pass
            case "subscribe":
                self._on_subscribe(message)
            case "complete":
                task = self._running.pop(_id(message), None)
                if task is not None:
                    task.cancel()
            case kind:
                raise _Close(4400, f"Unknown message type {str(kind)[:40]!r}")

    async def _on_init(self, payload: Any) -> None:
        if self._acknowledged:
            raise _Close(4429, "Too many initialisation requests")
        if not isinstance(payload, dict | None):
            raise _Close(4400, "The payload of connection_init must be an object")
        token = self._token(payload or {})
        if token is not None:
            try:
                self._viewer = viewer_of(self._services, token)
            except UnauthenticatedError as refused:
                raise _Close(4403, str(refused)) from None
            self._services.sessions.watch(self._viewer, self._on_revoked)
            left = (self._viewer.expires_at - self._services.clock()).total_seconds()
            self._end_after(left, 4403, "The access token has expired")
        self._acknowledged = True
        self._timers.pop(0).cancel()
        await self._write({"type": "connection_ack"})

    def _token(self, payload: dict[str, Any]) -> str | None:
        authorization = payload.get("authorization") or payload.get("Authorization")
        if authorization is not None:
            if not isinstance(authorization, str):
                raise _Close(4400, "authorization must be a string")
            return bearer(authorization)
        if header := self._headers.get(b"authorization"):
            return bearer(header.decode("latin-1"))
        # A foreign page's socket carries our cookies too: only our own pages are known by them.
        if is_same_origin(self._headers):
            return cookies_of(self._services, self._headers).get(ACCESS_COOKIE)
        return None

    def _on_subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise _Close(4401, "Unauthorized: send connection_init first")
        id_ = _id(message)
        if id_ in self._running:
            raise _Close(4409, f"Subscriber for {id_[:64]} already exists")
        if len(self._running) >= MOST_OPERATIONS:
            raise _Close(4429, f"At most {MOST_OPERATIONS} operations on one socket")
        operation = _operation(message.get("payload"))
        task = asyncio.ensure_future(self._run(id_, operation))
        self._running[id_] = task

    async def _run(self, id_: str, operation: Operation) -> None:
        context = Context(self._services, self._client, self._viewer)
        try:
            document = self._operations.document(operation)
            kind = document.type_of(operation.operation_name)
            if kind is OperationType.SUBSCRIPTION:
                answers = await self._operations.subscribe(document, operation, context)
                async with contextlib.aclosing(cast("AsyncGenerator[bytes]", answers)) as stream:
                    async for body in stream:
                        await self._next(id_, body)
            else:
                answer = await self._operations.execute(document, operation, context)
                if not answer.executed:
                    raise RequestError(orjson.loads(answer.body)["errors"])
                await self._next(id_, answer.body)
            last: dict[str, Any] = {"id": id_, "type": "complete"}
        except RequestError as error:
            last = {"id": id_, "type": "error", "payload": error.errors}
        except Exception:
            log.exception("operation on a socket failed")
            last = {"id": id_, "type": "error", "payload": [bad_request("Something went wrong.")]}
            last["payload"][0]["extensions"]["code"] = "INTERNAL"
        # Free the id first: the client may use it again as soon as it reads that this one ended.
        if self._running.pop(id_, None) is not None:
            await self._write(last)

    async def _next(self, id_: str, body: bytes) -> None:
        prefix = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_)
        await self._send({"type": "websocket.send", "text": (prefix + body + b"}").decode()})

    async def _write(self, message: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    def _end(self, code: int, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(_Close(code, reason))

    def _end_after(self, seconds: float, code: int, reason: str) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(max(seconds, 0), self._end, code, reason))

    def _on_revoked(self) -> None:
        self._end(4403, "The session has ended")


def _message(event: Any) -> dict[str, Any]:
    text = event.get("text")
    if text is None:
        raise _Close(4400, "Messages are text")
    try:
        message = read_json(text)
    except ValueError:
        raise _Close(4400, "The message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _Close(4400, "A message is an object with a type")
    return message


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID:
        raise _Close(4400, f"id must be a string of 1 to {_LONGEST_ID} characters")
    return id_


def _operation(payload: Any) -> Operation:
    if not isinstance(payload, dict):
        raise _Close(4400, "The payload of subscribe must be an object")
    query, variables = payload.get("query"), payload.get("variables")
    name, extensions = payload.get("operationName"), payload.get("extensions")
    if (
        not isinstance(query, str)
        or not isinstance(variables, dict | None)
        or not isinstance(name, str | None)
        or not isinstance(extensions, dict | None)
    ):
        raise _Close(4400, "The payload of subscribe has fields of a wrong type")
    return Operation(query, variables, name or None)
