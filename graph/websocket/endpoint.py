"""The WebSocket half of /graphql: who may open a socket, how many there may be, and how they end together."""

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.http11 import Request

from clients.address import customer_of
from graph.authentication import client_of, is_from_ours, is_known
from graph.context import Services
from graph.execution import Operations
from graph.idempotency import Once
from graph.proxies import Proxies
from graph.seats import Seats
from graph.subscribing import Subscriptions
from graph.websocket import frames
from graph.websocket.clock import Clock
from graph.websocket.connection import Connection
from graph.websocket.socket import (
    FAREWELL_SECONDS,
    PING_SECONDS,
    STALL_SECONDS,
    RefusedError,
    Scope,
    Socket,
)

PROTOCOL = "graphql-transport-ws"
PATH = "/graphql"
INIT_SECONDS = 10.0
_DRAIN_SLICES = 20
_BURST, _PER_SECOND = 200, 50
_NO_PROXIES = Proxies()


class Allowance:
    """How many operations a socket may begin: so many at once, and then so many a second."""

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, most: float, rate: float) -> None:
        self._most = self._left = most
        self._rate = rate
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether there was one left."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class GraphQLOverWebSocket:
    """Opens sockets for uvicorn, as its `ws` protocol class."""

    def __init__(
        self,
        operations: Operations,
        services: Services,
        subscriptions: Subscriptions,
        *,
        largest: int,
        seats: Seats,
        scale: float = 1.0,
        init_seconds: float = INIT_SECONDS,
        ping_seconds: float = PING_SECONDS,
        stall_seconds: float = STALL_SECONDS,
        farewell_seconds: float = FAREWELL_SECONDS,
        drain_seconds: float = 2.0,
        proxies: Proxies = _NO_PROXIES,
        origins: Sequence[str] = (),
    ) -> None:
        """Pages of the server itself and of these `origins` may open sockets with their cookies."""
        self.operations = operations
        self.once = Once(operations, seconds=services.operation_seconds)
        self.services = services
        self.subscriptions = subscriptions
        self.largest = largest
        self.init_seconds = init_seconds
        self.ping_seconds = ping_seconds
        self.stall_seconds = stall_seconds
        self.farewell_seconds = farewell_seconds
        self.clock = Clock()
        self._seats = seats
        self._scale = scale
        self._drain_seconds = drain_seconds
        self._proxies = proxies
        self._origins = frozenset(origin.encode() for origin in origins)
        self._connections: dict[Connection, None] = {}
        self._draining: asyncio.Task[None] | None = None

    def __call__(self, config: Config, server_state: ServerState, app_state: Any) -> Socket:  # noqa: ARG002 - uvicorn passes it
        """A protocol for a connection that asks to be upgraded."""
        return Socket(self, server_state, self._scope_of)

    def allowance(self) -> Allowance:
        return Allowance(_BURST * self._scale, _PER_SECOND * self._scale)

    def protocol_of(self, offered: Sequence[str]) -> str | None:
        return PROTOCOL if PROTOCOL in offered else None

    def admit(self, scope: Scope) -> None:
        if scope["path"] != PATH:
            raise RefusedError(404, f"WebSockets are at {PATH}.")
        headers = dict(scope["headers"])
        if not is_from_ours(headers, self._origins) and is_known(self.services, headers):
            # Browsers send cookies from any page, and let it read the answers.
            raise RefusedError(
                403, "Pages of this origin may not use their visitors' cookies here."
            )
        if self._draining is not None or self._seats.is_full:
            raise RefusedError(
                503, "No more sockets are opened here for now.", **{"Retry-After": "2"}
            )
        client = client_of(scope, headers)  # type: ignore[arg-type]  # a scope is a dict
        if not self._seats.has_room(customer_of(client.ip)):
            raise RefusedError(
                503, "Too many live connections of one address.", **{"Retry-After": "2"}
            )

    def open(self, socket: Socket, scope: Scope, protocol: str | None) -> Connection | None:
        if protocol is None:
            socket.close(4406, f"Speak {PROTOCOL}")
            return None
        headers = dict(scope["headers"])
        connection = Connection(self, socket, headers, client_of(scope, headers))  # type: ignore[arg-type]  # a scope is a dict
        self._connections[connection] = None
        self._seats.take()
        self._seats.claim(connection.caller)
        socket.ask(self.clock.now() + self.init_seconds)
        return connection

    def recognise(self, connection: Connection) -> None:
        """It is known now whose connection it is; it is closed where they have too many."""
        assert connection.viewer is not None  # noqa: S101 - it was signed in
        self._seats.disclaim(connection.caller)
        connection.caller = connection.viewer.id
        if not self._seats.claim(connection.caller):
            connection.close(frames.TRY_LATER, "Too many live connections of one user")

    def forget(self, connection: Connection) -> None:
        if connection in self._connections:
            del self._connections[connection]
            self._seats.leave(connection.caller)

    def on_stalled(self) -> None:
        self.services.hub.counters.dropped += 1

    def drain(self) -> None:
        """Close all sockets with 1012, in slices: their clients come back to another replica, and not all at once."""
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain())

    def _scope_of(self, request: Request, transport: asyncio.Transport) -> Scope:
        """An ASGI-like scope of an upgrade request."""
        path, _, query = request.path.partition("?")
        peer = transport.get_extra_info("peername")
        scope: Scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in request.headers.raw_items()
            ],
            "client": peer[:2] if isinstance(peer, tuple) else None,
        }
        self._proxies.resolve(scope)
        return scope

    async def _drain(self) -> None:
        connections = list(self._connections)
        slice_ = -(-len(connections) // _DRAIN_SLICES) or 1
        for begin in range(0, len(connections), slice_):
            for connection in connections[begin : begin + slice_]:
                connection.close(
                    frames.RESTART, "The server restarts: come back with your last cursor"
                )
            if begin + slice_ < len(connections):
                await asyncio.sleep(self._drain_seconds / _DRAIN_SLICES)
