"""HTTP connections as uvicorn has them, for clients that are slow or say too much: each is cut off in time.

A body's time is the business of those who read it.
"""

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from graph.deadline import Timers

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent, HTTPResponseStartEvent

_BETWEEN = len(": \r\n")
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection"))
# Where a server's state has the timers of the connections that rest.
_RESTING = "earful_resting"
# What no header may have in it, the ends of its line included.
_CONTROLS = bytes(each for each in (*range(32), 127) if each != ord("\t"))


class _Rest:
    """What uvicorn takes for the timer of a connection that rests."""

    __slots__ = ("_late", "_timers")

    def __init__(self, timers: Timers, late: Callable[[], None]) -> None:
        self._timers = timers
        self._late = late
        timers.add(late)

    def cancel(self) -> None:
        self._timers.discard(self._late)


class HttpConnection(HttpToolsProtocol):
    """One connection. The limits are for subclasses to change."""

    head_seconds = 10.0
    """How long the head of a request may take, from the connection or the end of the last answer on."""
    largest_head = 32_768
    """How many bytes the head of a request may have, its address included."""
    unread_seconds = 5.0
    """How long the rest of a body is taken that was answered before its end."""
    stall_seconds = 60.0
    """How long a client may leave lying what it was sent."""

    _deadline: TimerHandle | None = None
    _stall: TimerHandle | None = None
    _is_in_head = True
    _is_in_body = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._unset_keepalive_if_required()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        if self._head_bytes > self.largest_head:
            self.send_400_response("")
        elif self._deadline is None and not self._is_answering:
            # The time between two requests ends with the first byte, even where no request begins with it.
            self._arm(self.head_seconds)

    def handle_websocket_upgrade(self) -> None:
        self._is_in_head = False
        self._disarm()
        super().handle_websocket_upgrade()

    def on_headers_complete(self) -> None:
        # What came was counted with the body as far as that came with it.
        if self._head_bytes > self.largest_head:
            lines = (len(name) + len(value) + _BETWEEN for name, value in self.headers)
            self._head_bytes = len(self.url) + sum(lines)
            if self._head_bytes > self.largest_head:
                raise ValueError(self._head_bytes)
        self._is_in_head, self._is_in_body = False, True
        self._disarm()
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        # Where uvicorn makes it, it names the class.
        cycle.__class__ = Exchange
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        self._is_in_head, self._is_in_body, self._head_bytes = True, False, 0
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
        else:
            self._rest()
        if self._is_in_body and not self.transport.is_closing():
            self._arm(self.unread_seconds)

    def _rest(self) -> None:
        """Wait for another request, with all that do, by one timer."""
        state = self.server_state
        state.total_requests += 1
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        resting: Timers | None = getattr(state, _RESTING, None)
        if resting is None or resting.seconds != self.timeout_keep_alive:
            resting = Timers(self.timeout_keep_alive)
            setattr(state, _RESTING, resting)
        self.timeout_keep_alive_task = _Rest(resting, self.timeout_keep_alive_handler)  # type: ignore[assignment]  # only cancelled

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what uvicorn would say
        """Refuse what is no HTTP, or a head that is too long."""
        too_long = self._head_bytes > self.largest_head
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if too_long else HTTPStatus.BAD_REQUEST
        text = f"{status.phrase}\n".encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"x-content-type-options: nosniff\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + text)
        self._end()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def timeout_keep_alive_handler(self) -> None:
        self._end()

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _end(self) -> None:
        """Close, and do not wait for ever until the client has taken what it was sent."""
        self.transport.close()
        self._arm(self.unread_seconds)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Exchange(RequestResponseCycle):
    """A request and its answer. The head of an answer whose length is known, as nearly all are, goes out with its body.

    uvicorn looks through each header five times, which takes longer than to read the request, and gives the kernel the
    head and the body one after the other.
    """

    _head: bytes | None = None
    """What is to be written with the first piece of the body."""

    async def send(self, message: "ASGISendEvent") -> None:
        if message["type"] == "http.response.start":
            if self._begin(message):
                return
        elif self._head is not None and self._is_whole(message):
            self._answer(self._head, message.get("body", b""))  # type: ignore[arg-type]  # it is a body
            return
        if self._head is not None:
            if not self.disconnected:
                self.transport.write(self._head)
            self._head = None
        await super().send(message)

    def _is_whole(self, message: "ASGISendEvent") -> bool:
        """Whether it is all of the body, and may be written now."""
        return (
            message["type"] == "http.response.body"
            and not message.get("more_body")
            and len(message.get("body", b"")) == self.expected_content_length
            and self.scope["method"] != "HEAD"
            and not (self.disconnected or self.flow.write_paused)
        )

    def _answer(self, head: bytes, body: bytes) -> None:
        self._head, self.expected_content_length = None, 0
        self.transport.write(head + body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:  # any more
            self.transport.close()
        self.on_response()

    def _begin(self, message: "HTTPResponseStartEvent") -> bool:
        """Make the head, if it is such a one; uvicorn does what is rare, and refuses what must not be."""
        if (
            self.response_started
            or self.disconnected
            or self.flow.write_paused
            or not self.keep_alive
        ):
            return False
        lines, length = [STATUS_LINE[message["status"]]], None
        headers = [*self.default_headers, *message.get("headers", ())]
        for name, value in headers:
            if name in _FRAMING:
                if name != b"content-length":
                    return False
                length = int(value)
            lines += (name, b": ", value, b"\r\n")
        lines.append(b"\r\n")
        head = b"".join(lines)
        ends = 2 * (len(headers) + 2)
        if length is None or len(head) - len(head.translate(None, _CONTROLS)) != ends:
            return False
        self.response_started, self.waiting_for_100_continue = True, False
        self.expected_content_length, self.chunked_encoding = length, False
        self._head = head
        return True
