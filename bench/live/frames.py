"""WebSocket frames, as far as a client needs them that only counts."""

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_MASKED = 0x80
# A mask of zeros leaves the text as it is.
_NO_MASK = b"\0\0\0\0"


def masked(first: int, content: bytes) -> bytes:
    """A frame from a client."""
    length = len(content)
    if length < _TWO_BYTES:
        head = bytes((first, _MASKED | length))
    else:
        head = bytes((first, _MASKED | _TWO_BYTES)) + length.to_bytes(2, "big")
    return head + _NO_MASK + content


def message(value: Any) -> bytes:
    """A text frame from a client, with JSON."""
    return masked(TEXT, json.dumps(value, separators=(",", ":")).encode())


def upgrade(port: int, protocol: str) -> bytes:
    """The request that opens a WebSocket; no compression is offered."""
    return (
        f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
    ).encode()


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames (first byte and content) that a server sent, and what is left of the next one."""
    found = list(_frames(data))
    used = sum(size for _, _, size in found)
    return [(first, content) for first, content, _ in found], data[used:]


def _frames(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    at = 0
    while len(data) >= at + 2:
        length, start = data[at + 1], at + 2
        if length == _TWO_BYTES:
            start += 2
        elif length == _EIGHT_BYTES:
            start += 8
        if start > at + 2:
            length = int.from_bytes(data[at + 2 : start], "big")
        if len(data) < start + length:
            return
        yield data[at], data[start : start + length], start + length - at
        at = start + length
