"""The graphql-transport-ws protocol on one socket: its caller and its operations.

Close codes are listed in docs/live.md.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import structlog
from graphql import OperationType

from clients.address import customer_of
from domain import api_key
from domain.errors import RateLimitedError, UnauthenticatedError
from domain.viewer import Viewer
from graph.account import ACCESS_COOKIE
from graph.answer import Answer
from graph.asked import MalformedError, Operation, operation_of
from graph.authentication import (
    Headers,
    bearer,
    cookies_of,
    standing,
    viewer_of,
)
from graph.context import Context
from graph.documents import Document, RequestError
from graph.http import read_json
from graph.idempotency import KeyRefusedError
from graph.live.member import Item
from graph.subscribing import Subscription, described
from graph.websocket import frames
from graph.websocket.socket import Socket
from persistence.database import StoreUnavailableError
from telemetry import lines, trace
from telemetry.trace import Kind

if TYPE_CHECKING:
    from graph.websocket.endpoint import GraphQLOverWebSocket

log = structlog.get_logger(__name__)

MOST_OPERATIONS = 100
_LONGEST_ID = 256
_RENEW = "authorization"
_TAIL = "graphql-transport-ws"

NO_MESSAGE, UNACKNOWLEDGED, FORBIDDEN, INIT_TIMEOUT, ID_IN_USE, TOO_MANY = (
    4400,
    4401,
    4403,
    4408,
    4409,
    4429,
)
INTERNAL_ERROR = 1011


class _Close(Exception):  # noqa: N818 - ends the socket
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Connection:
    """What is said on one socket."""

    __slots__ = (
        "_allowance",
        "_deadline",
        "_endpoint",
        "_headers",
        "_lookup",
        "_operations",
        "caller",
        "client",
        "socket",
        "viewer",
    )

    def __init__(
        self, endpoint: "GraphQLOverWebSocket", socket: Socket, headers: Headers, client: Any
    ) -> None:
        self._endpoint = endpoint
        self.socket = socket
        self._headers: Headers | None = headers
        """Until `connection_init` has come."""
        self._lookup: asyncio.Task[None] | None = None
        """Of an API key; until the first is done the socket is not acknowledged."""
        self._operations: dict[str, _Operation] = {}
        self._deadline = endpoint.clock.now() + endpoint.init_seconds
        self._allowance = endpoint.allowance()
        self.client = client
        self.caller: UUID | str = customer_of(client.ip)
        """Whose place it takes: of somebody unknown their address's, until it is known."""
        self.viewer: Viewer | None = None

    # What the socket says

    def on_text(self, text: bytes) -> None:
        try:
            self._on_message(_message(text))
        except _Close as close:
            self.socket.close(close.code, str(close))

    def on_binary(self) -> None:
        self.socket.close(NO_MESSAGE, "Messages are text")

    def on_full(self) -> None:
        for operation in self._operations.values():
            operation.on_full()

    def on_room(self) -> None:
        for operation in list(self._operations.values()):
            operation.on_room()

    def on_time(self, now: float) -> float:
        if now < self._deadline:
            return self._deadline
        if not self._is_acknowledged:
            self.socket.close(INIT_TIMEOUT, "connection_init did not come in time")
        elif self.viewer is not None and self.viewer.key is not None:
            self.socket.close(FORBIDDEN, "The API key has expired")
        else:
            self.socket.close(FORBIDDEN, "The access token has expired")
        return now

    def on_closed(self) -> None:
        self._endpoint.forget(self)
        if self._lookup is not None:
            self._lookup.cancel()
        if self.viewer is not None:
            self._unwatch(self.viewer)
        operations, self._operations = self._operations, {}
        for operation in operations.values():
            operation.cancel()

    # What the endpoint says

    def close(self, code: int, reason: str) -> None:
        self.socket.close(code, reason)

    # Messages

    def _on_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                self._on_init(message.get("payload"))
            case "ping":
                self._on_ping(message.get("payload"))
            case "pong":
                pass
            case "subscribe":
                self._on_subscribe(message)
            case "complete":
                operation = self._operations.pop(_id(message), None)
                if operation is not None:
                    operation.cancel()
            case kind:
                raise _Close(NO_MESSAGE, f"Unknown message type {str(kind)[:40]!r}")

    def _on_init(self, payload: Any) -> None:
        if self._headers is None:
            raise _Close(TOO_MANY, "Too many initialisation requests")
        if not isinstance(payload, dict | None):
            raise _Close(NO_MESSAGE, "The payload of connection_init must be an object")
        token = self._token(payload or {})
        self._headers = None
        if token is None:
            self._deadline = float("inf")
            self._acknowledge()
        else:
            self._sign_in(token, self._begin)

    def _on_ping(self, payload: Any) -> None:
        if not isinstance(payload, dict) or _RENEW not in payload:
            self._pong(payload)
            return
        authorization = payload[_RENEW]
        if self.viewer is None or not isinstance(authorization, str):
            raise _Close(
                NO_MESSAGE, "authorization must be a string, on a socket that is signed in"
            )
        rest = {key: value for key, value in payload.items() if key != _RENEW}
        self._sign_in(bearer(authorization), partial(self._renew, rest))

    def _pong(self, payload: Any) -> None:
        self.say({"type": "pong"} | ({} if payload is None else {"payload": payload}))

    def _acknowledge(self) -> None:
        self.say({"type": "connection_ack"})

    @property
    def _is_acknowledged(self) -> bool:
        return self._headers is None and (self._lookup is None or self.viewer is not None)

    def _begin(self, viewer: Viewer) -> None:
        self._go_on(viewer)
        self._endpoint.recognise(self)
        self._acknowledge()

    def _renew(self, rest: Any, viewer: Viewer) -> None:
        """Go on with a fresh token of the same user."""
        self._go_on(viewer)
        self._pong(rest)

    def _sign_in(self, token: str, then: Callable[[Viewer], None]) -> None:
        if api_key.is_secret(token):
            self._look_up(api_key.hash_secret(token), then)
            return
        try:
            viewer = viewer_of(self._endpoint.services, token)
        except UnauthenticatedError as refused:
            raise _Close(FORBIDDEN, str(refused)) from None
        then(replace(viewer, origin=self.client))

    def _look_up(self, secret_hash: bytes, then: Callable[[Viewer], None]) -> None:
        """Ask whose API key it is; what was asked before is not waited for any more."""
        if self._lookup is not None:
            self._lookup.cancel()
        self._lookup = asyncio.ensure_future(self._looked_up(secret_hash, then))

    async def _looked_up(self, secret_hash: bytes, then: Callable[[Viewer], None]) -> None:
        try:
            # What comes of it is watched before the loop turns.
            viewer = await self._endpoint.services.keys.viewer(secret_hash, self.client.ip)
            self._lookup = None
            then(replace(viewer, origin=self.client))
        except UnauthenticatedError as refused:
            self.socket.close(FORBIDDEN, str(refused))
        except RateLimitedError as refused:
            self.socket.close(frames.TRY_LATER, str(refused))
        except StoreUnavailableError:
            self.socket.close(frames.TRY_LATER, "A part of the server is away for the moment")
        except _Close as close:
            self.socket.close(close.code, str(close))
        except Exception:
            log.exception("an API key could not be looked up")
            self.socket.close(INTERNAL_ERROR, "Something went wrong on our side")

    def _go_on(self, viewer: Viewer) -> None:
        """Be this viewer's from now on, who must be whose it was before."""
        before, services = self.viewer, self._endpoint.services
        if before is not None:
            if viewer.id != before.id:
                raise _Close(FORBIDDEN, "The token is another user's")
            self._unwatch(before)
        self.viewer = viewer
        told = self._on_revoked if viewer.key is None else self._on_key_changed
        standing(services, viewer).watch(viewer, told)
        left = (viewer.expires_at - services.clock()).total_seconds()
        self._deadline = self._endpoint.clock.now() + max(left, 0)
        self.socket.ask(self._deadline)
        for operation in self._operations.values():
            operation.context.viewer_or_none = viewer

    def _token(self, payload: dict[str, Any]) -> str | None:
        assert self._headers is not None  # noqa: S101 - they are kept until now
        authorization = payload.get("authorization") or payload.get("Authorization")
        if authorization is not None:
            if not isinstance(authorization, str):
                raise _Close(NO_MESSAGE, "authorization must be a string")
            return bearer(authorization)
        if header := self._headers.get(b"authorization"):
            return bearer(header.decode("latin-1"))
        return cookies_of(self._endpoint.services, self._headers).get(ACCESS_COOKIE)

    def _unwatch(self, viewer: Viewer) -> None:
        told = self._on_revoked if viewer.key is None else self._on_key_changed
        standing(self._endpoint.services, viewer).unwatch(viewer, told)

    def _on_revoked(self) -> None:
        self.socket.close(FORBIDDEN, "The session has ended")

    def _on_key_changed(self) -> None:
        # One that is being looked up is looked up as it is now.
        if self._lookup is None and self.viewer is not None and self.viewer.key is not None:
            self._look_up(self.viewer.key.secret_hash, self._look_again)

    def _look_again(self, viewer: Viewer) -> None:
        """Go on with the same key, which may do less now."""
        self._go_on(viewer)
        for operation in self._operations.values():
            operation.look_again()

    def _on_subscribe(self, message: dict[str, Any]) -> None:
        if not self._is_acknowledged:
            raise _Close(UNACKNOWLEDGED, "Unauthorized: send connection_init first")
        id_ = _id(message)
        if id_ in self._operations:
            raise _Close(ID_IN_USE, f"Subscriber for {id_[:64]} already exists")
        if len(self._operations) >= MOST_OPERATIONS:
            raise _Close(TOO_MANY, f"At most {MOST_OPERATIONS} operations on one socket")
        if not self._allowance.take(self._endpoint.clock.now()):
            raise _Close(TOO_MANY, "Too many operations at once: wait between them")
        asked = _operation(message.get("payload"))
        context = Context(self._endpoint.services, self.client, self.viewer)
        operation = self._operations[id_] = _Operation(self, id_, context)
        operation.begin(asked)

    # What operations say

    def say(self, message: dict[str, Any]) -> None:
        self.socket.write(frames.frame(frames.TEXT, orjson.dumps(message)))

    def ended(self, operation: "_Operation") -> bool:
        """The id is free again; False where it was already."""
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]
            return True
        return False

    @property
    def endpoint(self) -> "GraphQLOverWebSocket":
        return self._endpoint


class _Operation:
    """One operation under its id: a task until its answer is there, or the sink of a subscription."""

    __slots__ = (
        "_connection",
        "_is_changed",
        "_prefix",
        "_socket",
        "_subscription",
        "_task",
        "context",
        "id",
    )

    def __init__(self, connection: Connection, id_: str, context: Context) -> None:
        self._connection = connection
        self._socket = connection.socket
        self._prefix = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_)
        self._subscription: Subscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_changed = False
        self.context = context
        self.id = id_

    def begin(self, asked: Operation) -> None:
        self._task = asyncio.ensure_future(self._run(asked))

    def cancel(self) -> None:
        """Stop: nothing is said any more."""
        if self._task is not None:
            self._task.cancel()
        if self._subscription is not None:
            self._subscription.end()

    def look_again(self) -> None:
        self._is_changed = True
        if self._subscription is not None:
            self._subscription.look_again()

    def on_full(self) -> None:
        if self._subscription is not None:
            self._subscription.pause()

    def on_room(self) -> None:
        if self._subscription is not None:
            self._subscription.resume()

    async def _run(self, asked: Operation) -> None:
        trace.begin(asked.traceparent)
        with (
            trace.span("websocket operation", Kind.SERVER),
            lines.line("operation", transport="websocket"),
        ):
            await self._begin(asked)

    async def _begin(self, asked: Operation) -> None:
        operations = self._connection.endpoint.operations
        try:
            document = await operations.document(asked, self.context)
            if document.type_of(asked.operation_name) is OperationType.SUBSCRIPTION:
                subscriptions = self._connection.endpoint.subscriptions
                self._subscription = await subscriptions.begin(document, asked, self.context, self)
                if self._is_changed:
                    # While it began.
                    self._subscription.look_again()
            else:
                answer = await self._answered(document, asked)
                if not answer.executed:
                    raise RequestError(orjson.loads(answer.body)["errors"])
                self.deliver([Item(answer.body)])
                self.finish(None)
        except Exception as error:  # noqa: BLE001 - its id must not stay taken
            self.finish(described(error))
        finally:
            self._task = None

    async def _answered(self, document: Document, asked: Operation) -> Answer:
        endpoint, key = self._connection.endpoint, asked.idempotency_key
        if key is None or document.type_of(asked.operation_name) is not OperationType.MUTATION:
            return await endpoint.operations.execute(document, asked, self.context)
        try:
            return await endpoint.once.answer(key, document, asked, self.context)
        except KeyRefusedError as refused:
            raise RequestError([refused.error]) from None

    # As a sink

    @property
    def has_room(self) -> bool:
        return self._socket.has_room

    def deliver(self, items: Sequence[Item]) -> bool:
        # Once for each client and event: what could be a call is written out.
        socket, prefix = self._socket, self._prefix
        if len(items) == 1:
            (item,) = items
            head = item.framed.get(len(prefix)) or _head(item, prefix)
            socket.write(head + prefix + item.framed[_TAIL])
        else:
            parts: list[bytes] = []
            for item in items:
                parts += (
                    item.framed.get(len(prefix)) or _head(item, prefix),
                    prefix,
                    item.framed[_TAIL],
                )
            socket.write(b"".join(parts))
        return socket.has_room

    def finish(self, error: bytes | None) -> None:
        if self._subscription is not None:
            self._subscription.end()
        # Free the id first: the client may use it again as soon as it reads that this one ended.
        if self._connection.ended(self):
            id_ = orjson.dumps(self.id)
            self._socket.write(
                frames.frame(
                    frames.TEXT,
                    b'{"id":%b,"type":"complete"}' % id_
                    if error is None
                    else b'{"id":%b,"type":"error","payload":%b}' % (id_, error),
                )
            )


def _head(item: Item, prefix: bytes) -> bytes:
    """The header of the frame of a `next` message.

    Only the prefix differs between clients, and often not even its length: header and rest are made once.
    """
    tail = item.framed.get(_TAIL)
    if tail is None:
        tail = item.framed[_TAIL] = item.payload + b"}"
    head = frames.head(frames.TEXT, len(prefix) + len(tail))
    item.framed[len(prefix)] = head
    return head


def _message(text: bytes) -> dict[str, Any]:
    try:
        message = read_json(text)
    except ValueError:
        raise _Close(NO_MESSAGE, "The message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _Close(NO_MESSAGE, "A message is an object with a type")
    return message


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID:
        raise _Close(NO_MESSAGE, f"id must be a string of 1 to {_LONGEST_ID} characters")
    return id_


def _operation(payload: Any) -> Operation:
    if not isinstance(payload, dict):
        raise _Close(NO_MESSAGE, "The payload of subscribe must be an object")
    try:
        return operation_of(payload)
    except MalformedError:
        raise _Close(NO_MESSAGE, "The payload of subscribe has fields of a wrong type") from None
