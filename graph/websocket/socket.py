"""A server's end of one WebSocket, as uvicorn's protocol class: handshake, frames, flow control, keepalive.

It knows nothing of GraphQL: a Talk gets the messages. Written for many sockets that are mostly idle: no task,
no queue and no timer of its own.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Protocol

from uvicorn.server import ServerState
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from graph.websocket import frames
from graph.websocket.clock import Clock
from graph.websocket.frames import FrameError, Message

PING_SECONDS = 20.0
"""A socket from which nothing was heard since the last ping is dropped."""
STALL_SECONDS = 30.0
"""A client that has not made room for so long is cut off."""
KERNEL_BYTES = 131_072
"""What the kernel may hold for a client; Linux takes it twice, for its own bookkeeping."""
BUFFER_BYTES = 16_384
"""Beyond this much that a client has not taken, it gets no more."""
STALLED = 4413
FAREWELL_SECONDS = 5.0
"""A client that has not answered a close frame for so long is dropped."""

_VERSION = {"Sec-WebSocket-Version": "13", "Upgrade": "websocket"}

Scope = MutableMapping[str, Any]


class Talk(Protocol):
    """What is said on a socket."""

    def on_text(self, text: bytes) -> None: ...
    def on_binary(self) -> None: ...
    def on_full(self) -> None:
        """The client has to take what it was sent before it gets more."""

    def on_room(self) -> None:
        """The client has taken what it was sent."""

    def on_time(self, now: float) -> float:
        """Do what is due; answers when there will be more to do."""

    def on_closed(self) -> None:
        """Nothing can be said any more."""


class Endpoint(Protocol):
    """Whom new sockets are given to."""

    clock: Clock
    largest: int
    ping_seconds: float
    stall_seconds: float
    farewell_seconds: float

    def protocol_of(self, offered: Sequence[str]) -> str | None:
        """The subprotocol to speak, if any of those will do."""

    def admit(self, scope: Scope) -> None:
        """RefusedError unless a socket may be opened for this request."""

    def open(self, socket: "Socket", scope: Scope, protocol: str | None) -> Talk | None:
        """Whoever talks on it; None after it was closed."""

    def on_stalled(self) -> None:
        """A socket is closed whose client does not read."""

    def drain(self) -> None:
        """The server is about to end."""


class RefusedError(Exception):
    """No socket is opened; carries the HTTP status and headers of the refusal."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Socket(asyncio.Protocol):
    """One connection, from the upgrade request on."""

    __slots__ = (
        "_connections",
        "_direct",
        "_endpoint",
        "_heard",
        "_is_closing",
        "_next_ping",
        "_plain",
        "_reader",
        "_scope_of",
        "_stalled_at",
        "_talk",
        "_transport",
        "due",
        "has_room",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        state: ServerState,
        scope_of: Callable[[Request, asyncio.Transport], Scope],
    ) -> None:
        self._endpoint = endpoint
        self._connections: set[Any] = state.connections
        self._scope_of: Callable[[Request, asyncio.Transport], Scope] | None = scope_of
        self._reader: frames.Reader | None = None
        self._talk: Talk | None = None
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # until it is connected
        self._plain: socket.socket | None = None
        """The transport's own, where it is a plain one, until the connection is lost."""
        self._direct: socket.socket | None = None
        """The same while what is written may go straight to it: nothing waits before it, and nobody is leaving."""
        self._heard = True
        self._is_closing = False
        self._next_ping = 0.0
        self._stalled_at: float | None = None
        self.has_room = True
        self.due = 0

    # What the application says

    def write(self, data: bytes) -> None:
        """Send whole frames.

        Straight to the kernel where nothing waits before them, which costs a third less than the transport's own
        way; it gets what the kernel does not take.
        """
        direct = self._direct or self._direct_again()
        if direct is None:
            if not self._is_closing and not self._transport.is_closing():
                self._transport.write(data)
            return
        try:
            taken = direct.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            return  # The transport is about to find out.
        if taken < len(data):
            self._direct = None
            self._transport.write(data[taken:])

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye; the connection ends when the client has answered, or soon."""
        if self._is_closing:
            return
        if not self._transport.is_closing():
            self._transport.write(frames.close(code, reason))
            if not self.has_room:
                self._transport.resume_reading()
        self._leave()

    def ask(self, at: float) -> None:
        """Let the talk do what is due then, if nothing is due earlier."""
        if not self._is_closing:
            self._endpoint.clock.ask(self, min(at, self._next_ping))

    # What the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)
        # uvicorn's HTTP half of the connection is done with when this returns, and a cycle: without this, some
        # kilobytes of each socket would wait for the garbage collector.
        http = self._transport.get_protocol()
        asyncio.get_running_loop().call_soon(vars(http).clear)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._reader is None:
            self._shake_hands(data)
            return
        try:
            for message in self._reader.feed(data):
                self._on_message(message)
        except FrameError as error:
            self.close(error.code, str(error))
            self._transport.close()

    def eof_received(self) -> None:
        # What is due may still be sent, but not for ever.
        self._leave()
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._is_closing = True
        self._direct = None
        if self._plain is not None:
            # The transport closes it.
            self._plain.detach()
            self._plain = None
        self._connections.discard(self)
        self._endpoint.clock.forget(self)
        self._part()

    def pause_writing(self) -> None:
        self.has_room = False
        self._stalled_at = self._endpoint.clock.now()
        if not self._is_closing:
            # Who does not read is not read: what is answered would have to be kept.
            self._transport.pause_reading()
            if self._talk is not None:
                self._talk.on_full()
            limit = self._stalled_at + self._endpoint.stall_seconds
            if limit < self.due:
                # Only ever earlier: what else is due would be put off by each pause.
                self._endpoint.clock.ask(self, limit)

    def resume_writing(self) -> None:
        self.has_room = True
        self._stalled_at = None
        if not self._is_closing:
            self._transport.resume_reading()
            if self._talk is not None:
                self._talk.on_room()

    # What the server says

    def shutdown(self) -> None:
        """Uvicorn ends: all sockets of the endpoint are closed, some at a time."""
        if self._talk is None:
            self._transport.close()
        else:
            self._endpoint.drain()

    def on_due(self) -> None:
        clock = self._endpoint.clock
        now = clock.now()
        if self._is_closing:
            self._abort()
            return
        if self._stalled_at is not None:
            limit = self._stalled_at + self._endpoint.stall_seconds
            if now >= limit:
                self._endpoint.on_stalled()
                self.close(STALLED, "The client does not read")
                return
            # What follows would only be queued.
            self._next_ping = limit
        elif now >= self._next_ping:
            if not self._heard:
                self._abort()
                return
            self._heard = False
            self._next_ping = now + self._endpoint.ping_seconds
            self.write(frames.frame(frames.PING, b""))
        later = self._talk.on_time(now) if self._talk is not None else self._next_ping
        if not self._is_closing:
            clock.ask(self, min(later, self._next_ping))

    def _direct_again(self) -> socket.socket | None:
        """Look whether the transport has passed on what it held: to ask it each time takes as long as to write."""
        transport = self._transport
        if not (self._is_closing or transport.is_closing() or transport.get_write_buffer_size()):
            self._direct = self._plain
        return self._direct

    def _abort(self) -> None:
        """End the connection at once: what the kernel still holds for the client goes too."""
        self._direct = None
        plain = self._transport.get_extra_info("socket")
        if plain is not None and not self._transport.is_closing():
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _shake_hands(self, data: bytes) -> None:
        def choose(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
            chosen = self._endpoint.protocol_of(offered)
            return None if chosen is None else Subprotocol(chosen)

        # For this alone: to keep it would take more memory than all the rest, and it is a cycle.
        server = ServerProtocol(select_subprotocol=choose)
        try:
            self._answer(server, data)
        finally:
            vars(server).clear()

    def _answer(self, server: ServerProtocol, data: bytes) -> None:
        assert self._scope_of is not None  # noqa: S101 - it is needed once
        server.receive_data(data)
        events = server.events_received()
        if not events or not isinstance(events[0], Request):
            self._transport.close()
            return
        request, scope_of = events[0], self._scope_of
        self._scope_of = None
        response = server.accept(request)
        try:
            if response.status_code == 101:  # noqa: PLR2004 - Switching Protocols
                self._open(scope_of(request, self._transport), response)
                return
            if request.headers.get_all("Sec-WebSocket-Version") not in ([], ["13"]):
                raise RefusedError(426, "Speak version 13.", **_VERSION)
        except RefusedError as refused:
            response = server.reject(refused.status, f"{refused}\n")
            response.headers.update(refused.headers)
        self._refuse(response)

    def _open(self, scope: Scope, response: Response) -> None:
        self._endpoint.admit(scope)
        self._transport.write(response.serialize())
        self._transport.set_write_buffer_limits(high=BUFFER_BYTES)
        plain = self._transport.get_extra_info("socket")
        if plain is not None:
            # Else the kernel would take megabytes for a client that reads nothing.
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
            if self._transport.get_extra_info("sslcontext") is None:
                # As an object of our own: it is sent to without asking the transport anything.
                self._plain = socket.socket(
                    plain.family, plain.type, plain.proto, fileno=plain.fileno()
                )
        self._next_ping = self._endpoint.clock.now() + self._endpoint.ping_seconds
        self._reader = frames.Reader(self._endpoint.largest)
        self._talk = self._endpoint.open(
            self, scope, response.headers.get("Sec-WebSocket-Protocol")
        )

    def _refuse(self, response: Response) -> None:
        self._transport.write(response.serialize())
        self._transport.close()

    def _on_message(self, message: Message) -> None:
        if message.opcode == frames.CLOSE:
            code = frames.close_code(message.payload)
            if not self._is_closing:
                self.close(frames.NORMAL if code == 1005 else code)  # noqa: PLR2004 - none was given
            self._transport.close()
        elif self._is_closing:
            return
        elif message.opcode == frames.PING:
            self.write(frames.frame(frames.PONG, message.payload))
        elif message.opcode == frames.TEXT and self._talk is not None:
            self._talk.on_text(message.payload)
        elif message.opcode == frames.BINARY and self._talk is not None:
            self._talk.on_binary()

    def _leave(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._direct = None
            self._part()
            clock = self._endpoint.clock
            clock.ask(self, clock.now() + self._endpoint.farewell_seconds)

    def _part(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.on_closed()
