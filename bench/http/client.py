"""The load: a fixed number of keep-alive connections, one request under way on each, from one thread.

Plain sockets and epoll, because the client must cost less than the cheapest server.
"""

import json
import select
import socket
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class WrongAnswerError(Exception):
    """A server answered something that is not 200 with data."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one server answered in a stretch of time; `latencies` are seconds, sorted."""

    requests: int
    seconds: float
    latencies: "array[float]"
    bytes: int

    def quantile(self, share: float) -> float:
        """The latency, in seconds, that this share of the requests did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


def request(port: int, body: object, token: str | None = None) -> bytes:
    """A POST of a GraphQL request, as bytes."""
    content = json.dumps(body, separators=(",", ":")).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(content)}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join(lines).encode() + _HEAD_END + content


def ask(port: int, message: bytes) -> bytes:
    """One request on a connection of its own; the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(message)
        data = b""
        while (body := _body(data)) is None:
            got = connection.recv(262_144)
            if not got:
                raise WrongAnswerError(f"the connection was closed after {data[:300]!r}")
            data += got
        return body


def load(
    port: int,
    messages: Iterator[bytes],
    *,
    seconds: float,
    connections: int,
    least_bytes: int,
    status: int = 200,
) -> Slice:
    """Send messages for so long, then wait for what is under way; each answer is checked."""
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    pending: dict[int, bytes] = {}
    sent_at: dict[int, float] = {}
    latencies = array("d")
    received = 0
    clock = time.perf_counter
    try:
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = connection.fileno()
            sockets[number] = connection
            poll.register(number, select.EPOLLIN)
        began = clock()
        end = began + seconds
        for number, connection in sockets.items():
            sent_at[number] = clock()
            connection.sendall(next(messages))
        while sent_at:
            for number, _ in poll.poll(60):
                connection = sockets[number]
                data = connection.recv(262_144)
                if number in pending:
                    data = pending.pop(number) + data
                body = _body(data, status)
                if body is None:
                    pending[number] = data
                    continue
                if len(body) < least_bytes or b'"errors"' in body or b'"message"' in body:
                    raise WrongAnswerError(data[:1_000].decode(errors="replace"))
                received += len(body)
                now = clock()
                latencies.append(now - sent_at[number])
                if now < end:
                    sent_at[number] = now
                    connection.sendall(next(messages))
                else:
                    del sent_at[number]
        lasted = clock() - began
    finally:
        poll.close()
        for connection in sockets.values():
            connection.close()
    return Slice(len(latencies), lasted, array("d", sorted(latencies)), received)


def _body(data: bytes, status: int = 200) -> bytes | None:
    """The body of a whole response; None while some of it is missing."""
    head = data.find(_HEAD_END)
    if head < 0:
        return None
    if not data.startswith(b"HTTP/1.1 %d" % status):
        raise WrongAnswerError(data[:1_000].decode(errors="replace"))
    headers = data[:head].lower()
    at = headers.find(_LENGTH)
    if at < 0:
        return _unchunked(data[head + 4 :]) if b"chunked" in headers else None
    stop = headers.find(b"\r", at)
    length = int(headers[at + len(_LENGTH) : stop if stop > 0 else head])
    body = data[head + 4 :]
    return body if len(body) == length else None


def _unchunked(data: bytes) -> bytes | None:
    if not data.endswith(b"0\r\n\r\n"):
        return None
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        data = data[length + 2 :] if length else b""
    return body
