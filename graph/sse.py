"""GraphQL over Server-Sent Events: graphql-sse's distinct connections mode, one operation a request.

Each event bears the cursor that goes on after it as its id, so that EventSource resumes by itself. A stream that
ends without `complete` has not ended: come back with the last id.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from graphql import OperationType

from clients.address import customer_of
from graph.asked import Operation
from graph.authentication import Headers, standing
from graph.context import Context
from graph.documents import Document, RequestError
from graph.execution import Operations
from graph.live.member import Item
from graph.media import EVENT_STREAM
from graph.seats import Seats
from graph.subscribing import Subscription, Subscriptions

KEEPALIVE_SECONDS = 12.0
STALL_SECONDS = 30.0
_DRAIN_SLICES = 20
_LONGEST_CURSOR = 512

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_COMPLETE = b"event: complete\ndata:\n\n"
_COMMENT = b":\n\n"


class FullError(Exception):
    """There is no room for another stream; carries what the client is told."""


class EventStreams:
    """The open event streams of a process."""

    def __init__(
        self,
        operations: Operations,
        subscriptions: Subscriptions,
        seats: Seats,
        *,
        drain_seconds: float,
    ) -> None:
        self._operations = operations
        self._subscriptions = subscriptions
        self._seats = seats
        self._drain_seconds = drain_seconds
        self._open: dict[_EventStream, None] = {}
        self._draining: asyncio.Task[None] | None = None

    async def answer(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        headers: Headers,
        send: Send,
        more_headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        """Answer an operation as a stream, until it is over or cancelled; FullError before anything is sent."""
        caller = self._seat(context)
        stream = _EventStream(context, send)
        self._open[stream] = None
        try:
            await stream.start(more_headers)
            if document.type_of(operation.operation_name) is OperationType.SUBSCRIPTION:
                last = headers.get(b"last-event-id", b"")[:_LONGEST_CURSOR].decode("latin-1")
                await stream.follow(
                    self._subscriptions.begin(
                        document, operation, context, stream, after=last or None
                    )
                )
            else:
                answer = await self._operations.execute(document, operation, context)
                await stream.say(_event(answer.body) + _COMPLETE)
            if not stream.is_stalled:
                await stream.end()
        finally:
            del self._open[stream]
            self._seats.leave(caller)

    @staticmethod
    async def refuse(errors: Sequence[Any], send: Send) -> None:
        """Answer a request that cannot be executed to a client that takes nothing but a stream."""
        stream = _EventStream(None, send)
        await stream.start(())
        await stream.say(_event(orjson.dumps({"errors": errors})) + _COMPLETE)
        await stream.end()

    def drain(self) -> None:
        """End all streams, in slices: their clients come back to another replica, and not all at once."""
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain())

    def _seat(self, context: Context) -> UUID | str:
        if self._draining is not None or self._seats.is_full:
            raise FullError("No more streams are opened here for now.")
        self._seats.take()
        viewer = context.viewer_or_none
        caller = customer_of(context.client.ip) if viewer is None else viewer.id
        if not self._seats.claim(caller):
            self._seats.leave(caller)
            whose = "address" if viewer is None else "user"
            raise FullError(f"Too many live connections of one {whose}.")
        return caller

    async def _drain(self) -> None:
        streams = list(self._open)
        slice_ = -(-len(streams) // _DRAIN_SLICES) or 1
        for begin in range(0, len(streams), slice_):
            for stream in streams[begin : begin + slice_]:
                stream.cut()
            await asyncio.sleep(self._drain_seconds / _DRAIN_SLICES)


class _EventStream:
    """One response. As a sink it holds one delivery, and takes the next when the client has that."""

    def __init__(self, context: Context | None, send: Send) -> None:
        self._context = context
        self._send = send
        self._due = b""
        self._is_over = False
        self._is_cut = False
        self._news = asyncio.Event()
        self.is_stalled = False
        """The client takes nothing any more, not even the end."""

    async def start(self, more_headers: Sequence[tuple[bytes, bytes]]) -> None:
        headers = [
            (b"content-type", EVENT_STREAM + b"; charset=utf-8"),
            (b"cache-control", b"no-store"),
            # A proxy shall not wait for more.
            (b"x-accel-buffering", b"no"),
            *more_headers,
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.say(_COMMENT)

    async def say(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def follow(self, beginning: Coroutine[Any, Any, Subscription]) -> None:
        """Send what is delivered, until the subscription is over, the token is, or the client takes nothing."""
        begun = asyncio.ensure_future(beginning)
        begun.add_done_callback(lambda _: self._news.set())
        try:
            with self._watched():
                await self._follow(begun)
        except RequestError as refused:
            await self.say(_event(orjson.dumps({"errors": refused.errors})) + _COMPLETE)
        except TimeoutError:
            self.is_stalled = True
            if self._context is not None:
                self._context.services.hub.counters.dropped += 1
        finally:
            await _end(begun)

    async def _follow(self, begun: "asyncio.Task[Subscription]") -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEPALIVE_SECONDS):
                    await self._news.wait()
            self._news.clear()
            if self._is_cut:
                return
            # It may take long to begin: while Redis is away, say.
            subscription = begun.result() if begun.done() else None
            due, self._due = self._due, b""
            async with asyncio.timeout(STALL_SECONDS):
                await self.say(due or _sign(subscription))
            if self._is_over and not self._due:
                return
            if subscription is not None:
                subscription.resume()

    @contextlib.contextmanager
    def _watched(self) -> Any:
        """Cut when the caller's session ends, their token runs out or their API key changes."""
        viewer = None if self._context is None else self._context.viewer_or_none
        if self._context is None or viewer is None:
            yield
            return
        services = self._context.services
        left = (viewer.expires_at - services.clock()).total_seconds()
        timer = asyncio.get_running_loop().call_later(max(left, 0), self.cut)
        watched = standing(services, viewer)
        watched.watch(viewer, self.cut)
        if not watched.holds(viewer):
            # It was let in a moment ago.
            self.cut()
        try:
            yield
        finally:
            timer.cancel()
            watched.unwatch(viewer, self.cut)

    def cut(self) -> None:
        """End without `complete`: the client may come back."""
        self._is_cut = True
        self._news.set()

    # As a sink

    @property
    def has_room(self) -> bool:
        return not self._due

    def deliver(self, items: Sequence[Item]) -> bool:
        self._due += b"".join([_framed(item) for item in items])
        self._news.set()
        return False

    def finish(self, error: bytes | None) -> None:
        if error is not None:
            self._due += _event(b'{"errors":%b}' % error)
        self._due += _COMPLETE
        self._is_over = True
        self._news.set()


async def _end(begun: "asyncio.Task[Subscription]") -> None:
    """Deliver nothing from now on, whether it has begun or not."""
    begun.cancel()
    await asyncio.wait({begun})
    if not begun.cancelled() and begun.exception() is None:
        begun.result().end()


def _sign(subscription: Subscription | None) -> bytes:
    """That the stream lives, and where it goes on: a client may come back that has never had an event."""
    position = None if subscription is None else subscription.position
    return _COMMENT if position is None else b"id: %b\n\n" % str(position).encode()


def _event(payload: bytes, id_: bytes = b"") -> bytes:
    return b"event: next\n%bdata: %b\n\n" % (b"id: %b\n" % id_ if id_ else b"", payload)


def _framed(item: Item) -> bytes:
    framed = item.framed.get(EVENT_STREAM)
    if framed is None:
        id_ = b"" if item.cursor is None else str(item.cursor).encode()
        framed = item.framed[EVENT_STREAM] = _event(item.payload, id_)
    return framed
