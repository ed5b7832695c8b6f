"""The subscribers of one server: a process of its own, one thread, plain sockets, one epoll.

It must cost less than the cheapest server, so frames are counted by their headers; those of a few watchers are
read. Told what to do by lines of JSON on its standard input, it answers with lines on its standard output, and ends
with its input. Between orders it goes on answering the servers' pings.
"""

import gc
import json
import os
import select
import socket
import sys
import time
import uuid
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bench.live import events, frames
from bench.live.events import PUBLISHERS, Publisher, Row

_PROTOCOL = "graphql-transport-ws"
_TOGETHER = 64
_WATCHERS = 5
_SECONDS_A_STEP = 30.0
# Without any frame for so long, what is missing is lost.
_SECONDS_WITHOUT = 30.0
_SECONDS_TO_SETTLE = 90.0
_CALM_SETTLING = 3.0
_CALM = 0.1
_LARGE = 126
_READ = 65_536


class CrowdError(Exception):
    """The server cannot hold these subscribers, refuses them, or lost or repeated an event."""


class Crowd:
    """Subscribers of one server."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._port: int = given["port"]
        self._graphql: bool = given["graphql"]
        self._hello = {"type": "connection_init", "payload": given["init"]}
        self._asked = {"query": events.QUERY, "variables": given["variables"]}
        self._rows = [Row(**row) for row in given["rows"]]
        self._publisher: Publisher = PUBLISHERS[given["publisher"]](given["redis"], given["topic"])
        self._published = 0
        self._poll = select.epoll()
        self._orders = sys.stdin.fileno()
        self._poll.register(self._orders, select.EPOLLIN)
        self._asked_more = b""
        self._sockets: dict[int, socket.socket] = {}
        self._ids: dict[int, str] = {}
        self._pending: dict[int, bytes] = {}
        self._counts: list[int] = []
        self._watched: dict[int, list[bytes]] = {}
        self._bytes = 0

    def orders(self) -> dict[str, Any] | None:
        """The next order; meanwhile pings are answered. None at the end."""
        while b"\n" not in self._asked_more:
            for number, _ in self._poll.poll(60):
                if number == self._orders:
                    got = os.read(self._orders, _READ)
                    if not got:
                        return None
                    self._asked_more += got
                else:
                    self._taken(number, os.read(number, _READ))
        line, _, self._asked_more = self._asked_more.partition(b"\n")
        return dict(json.loads(line))

    def open(self, count: int) -> dict[str, Any]:
        """Connect and subscribe so many, and wait until every one gets events."""
        began = time.perf_counter()
        while len(self._sockets) < count:
            self._open_some(min(_TOGETHER, count - len(self._sockets)))
            self._idle(0)
        opened = time.perf_counter() - began
        self._watch()
        self._settle()
        gc.collect()
        gc.freeze()
        return {"opened": opened, "settled": time.perf_counter() - began}

    def _open_some(self, count: int) -> None:
        fresh: list[socket.socket] = []
        left: dict[socket.socket, bytes] = {}
        hello = frames.message(self._hello)
        try:
            for _ in range(count):
                it = socket.create_connection(("127.0.0.1", self._port), timeout=_SECONDS_A_STEP)
                fresh.append(it)
                it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                it.sendall(frames.upgrade(self._port, _PROTOCOL))
            for it in fresh:
                left[it] = _upgraded(it)
                if self._graphql:
                    it.sendall(hello)
            for it in fresh:
                id_ = str(uuid.uuid4())
                if self._graphql:
                    left[it] = _acknowledged(it, left[it])
                    it.sendall(
                        frames.message({"id": id_, "type": "subscribe", "payload": self._asked})
                    )
                it.setblocking(False)
                number = it.fileno()
                self._sockets[number] = it
                self._ids[number] = id_
                self._counts += [0] * (number + 1 - len(self._counts))
                self._counts[number] = 0
                self._poll.register(number, select.EPOLLIN)
                if left[it]:
                    self._pending[number] = left[it]
        except OSError as error:
            for it in fresh:
                if it.fileno() not in self._sockets:
                    it.close()
            raise CrowdError(f"after {len(self._sockets)} subscribers: {error}") from None

    def _watch(self) -> None:
        """Keep the frames of a few, spread over all."""
        numbers = list(self._sockets)
        step = max(1, (len(numbers) - 1) // (_WATCHERS - 1))
        self._watched = {number: [] for number in numbers[::step]}

    def _settle(self) -> None:
        """Publish until an event has reached everybody: a subscription takes its time, and does not say when."""
        patience = time.perf_counter() + _SECONDS_TO_SETTLE
        while True:
            self._reset()
            self._publish(self._prepare(1))
            missing = len(self._sockets) - self._calm(_CALM_SETTLING, len(self._sockets))
            if not missing:
                break
            if time.perf_counter() > patience:
                raise CrowdError(f"{missing} of {len(self._sockets)} subscribers get no events")
        self._calm(_CALM)
        self._reset()

    def _reset(self) -> None:
        for number in self._sockets:
            self._counts[number] = 0
        for kept in self._watched.values():
            kept.clear()
        self._bytes = 0

    def shut(self) -> dict[str, Any]:
        """Close all connections."""
        for number, it in self._sockets.items():
            self._poll.unregister(number)
            it.close()
        for of_each in (self._sockets, self._ids, self._pending, self._watched):
            of_each.clear()
        return {}

    def watch(self, count: int) -> dict[str, Any]:
        """Publish so many one by one; the watchers' texts, by operation id, and the rows published."""
        rows = [self._row(self._published + later) for later in range(count)]
        self._deliver(count, 1, 0)
        texts = {
            self._ids[number]: [text.decode() for text in kept]
            for number, kept in self._watched.items()
        }
        return {"texts": texts, "rows": [row.id for row in rows]}

    def turn(self, count: int, burst: int, seconds: float) -> dict[str, Any]:
        """Publish `burst` events, wait until everybody has them, and again; at most so many events or seconds."""
        first = self._published
        published, lasted, latencies = self._deliver(count, burst, seconds)
        self._check(first, published)
        ordered = sorted(latencies)
        return {
            "events": published,
            "messages": len(ordered),
            "seconds": lasted,
            "bytes": self._bytes,
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        }

    def _deliver(self, count: int, burst: int, seconds: float) -> tuple[int, float, "array[float]"]:
        clock = time.perf_counter
        latencies = array("d")
        self._reset()
        published = 0
        waiting = deque(self._prepare(burst) for _ in range(0, count, burst))
        began = clock()
        while waiting and (not published or not seconds or clock() - began < seconds):
            prepared = waiting.popleft()
            start = clock()
            self._publish(prepared)
            self._gather(len(self._sockets) * burst, start, latencies)
            published += burst
        lasted = clock() - began
        # Were one repeated, another would be counted in its place: everybody must have the same number, and no more.
        self._calm(_CALM)
        wrong = [number for number in self._sockets if self._counts[number] != published]
        if wrong:
            got = self._counts[wrong[0]]
            raise CrowdError(f"{len(wrong)} subscribers got not {published} events, but {got}")
        self._published -= sum(map(len, waiting))
        return published, lasted, latencies

    def _gather(self, wanted: int, start: float, latencies: "array[float]") -> None:
        """Read until so many frames have come."""
        poll, read, clock = self._poll.poll, os.read, time.perf_counter
        counts, pending, watched = self._counts, self._pending, self._watched
        got = received = 0
        last = clock()
        while got < wanted:
            before = got
            for number, _ in poll(_SECONDS_WITHOUT):
                if number == self._orders:
                    raise CrowdError("stopped")
                data = read(number, _READ)
                now = clock()
                # Whole frames with events, as nearly always.
                if (
                    number not in pending
                    and number not in watched
                    and (found := _whole_events(data))
                ):
                    counts[number] += found
                    got += found
                    received += len(data)
                    if found == 1:
                        latencies.append(now - start)
                    else:
                        latencies.extend([now - start] * found)
                else:
                    found = self._taken(number, data)
                    got += found
                    latencies.extend([now - start] * found)
            # A ping may come all the same.
            if got > before:
                last = clock()
            elif clock() - last >= _SECONDS_WITHOUT:
                raise CrowdError(f"{wanted - got} of {wanted} messages are lost")
        self._bytes += received

    def _calm(self, seconds: float, enough: int | None = None) -> int:
        """Take what comes until no event has for so long, or enough have; how many. Pings do not count."""
        got, last = 0, time.perf_counter()
        while got != enough and (left := last + seconds - time.perf_counter()) > 0:
            if found := self._idle(left):
                got += found
                last = time.perf_counter()
        return got

    def _idle(self, seconds: float) -> int:
        """Take what comes within some time; how many events that was."""
        found = 0
        for number, _ in self._poll.poll(seconds):
            if number == self._orders:
                raise CrowdError("stopped")
            found += self._taken(number, os.read(number, _READ))
        return found

    def _taken(self, number: int, data: bytes) -> int:
        """How many events are in what a socket got; all else is answered."""
        if not data:
            raise CrowdError("the server closed a connection")
        whole, left = frames.split(self._pending.pop(number, b"") + data)
        if left:
            self._pending[number] = left
        found = 0
        for first, content in whole:
            if first == frames.TEXT and len(content) >= _LARGE and b'"next"' in content[:100]:
                found += 1
                self._bytes += len(content) + 4
                if number in self._watched:
                    self._watched[number].append(content)
            else:
                self._answer(number, first, content)
        self._counts[number] += found
        return found

    def _answer(self, number: int, first: int, content: bytes) -> None:
        if first == frames.PING:
            self._sockets[number].send(frames.masked(frames.PONG, content))
            return
        if first == frames.TEXT:
            kind = json.loads(content).get("type")
            if kind == "ping":
                self._sockets[number].send(frames.message({"type": "pong"}))
            if kind in {"ping", "pong", "ka"}:
                return
        raise CrowdError(f"the server says {content[:300].decode(errors='replace')!r}")

    def _row(self, number: int) -> Row:
        return self._rows[number % len(self._rows)]

    def _prepare(self, count: int) -> list[bytes]:
        prepared = []
        for _ in range(count):
            prepared.append(self._publisher.prepare(self._published, self._row(self._published)))
            self._published += 1
        return prepared

    def _publish(self, prepared: list[bytes]) -> None:
        self._publisher.publish(prepared)

    def _check(self, first: int, count: int) -> None:
        """The watchers have these events and no others, in order."""
        for kept in self._watched.values():
            for number, text in enumerate(kept, first):
                event = json.loads(text)["payload"]["data"][events.FIELD]
                wanted = self._row(number).delivered("")["feedback"]["id"]
                if event["feedback"]["id"] != wanted:
                    raise CrowdError(f"a subscriber got {text.decode()} where {wanted} was due")
            if len(kept) != count:
                raise CrowdError(f"a watcher got {len(kept)} of {count} events")


def _whole_events(data: bytes) -> int:
    """How many frames with events these are, if they are nothing else; else 0."""
    at = found = 0
    size = len(data)
    while size > at + _LARGE and data[at + 1] == _LARGE:
        if data.find(b'"next"', at + 4, at + 100) < 0:
            return 0
        at += (data[at + 2] << 8 | data[at + 3]) + 4
        found += 1
    return found if at == size else 0


def _upgraded(it: socket.socket) -> bytes:
    """What follows the answer to the upgrade."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(it)
    if not data.startswith(b"HTTP/1.1 101"):
        raise CrowdError(f"no WebSocket: {data[:300].decode(errors='replace')}")
    return data.partition(b"\r\n\r\n")[2]


def _acknowledged(it: socket.socket, data: bytes) -> bytes:
    """What follows the connection_ack."""
    while True:
        whole, left = frames.split(data)
        if whole:
            first, content = whole[0]
            if first != frames.TEXT or json.loads(content)["type"] != "connection_ack":
                raise CrowdError(f"the server says {content[:300].decode(errors='replace')!r}")
            return data[len(content) + 2 :] if len(whole) > 1 else left
        data += _more(it)


def _more(it: socket.socket) -> bytes:
    got = it.recv(_READ)
    if not got:
        raise CrowdError("the server closed a connection")
    return got


def main() -> None:
    """Do what is ordered until the orders end."""
    # Without a buffer, which would swallow the orders behind it.
    with open(0, "rb", buffering=0, closefd=False) as first:
        crowd = Crowd(json.loads(first.readline()))
    does: dict[str, Callable[..., dict[str, Any]]] = {
        "open": crowd.open,
        "shut": crowd.shut,
        "watch": crowd.watch,
        "turn": crowd.turn,
    }
    while True:
        answer: dict[str, Any]
        try:
            order = crowd.orders()
            if order is None:
                return
            name = order.pop("do")
            answer = {"done": does[name](**order)}
        except (CrowdError, OSError) as error:
            answer = {"failed": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
