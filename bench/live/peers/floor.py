"""Where there is no C compiler, the floor: uvloop, bare protocols, one prebuilt frame, one write a socket."""

import asyncio
import base64
import hashlib
import os
import re
from typing import cast

import redis.asyncio
import uvloop

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"\r\nsec-websocket-key: *([^\r]+)\r\n", re.IGNORECASE)
_SHORT = 126
_sockets: set[asyncio.Transport] = set()


class _Socket(asyncio.Protocol):
    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none by its class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            return
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        key = _KEY.search(self._head)
        self._head = None
        if key is None:
            self._transport.close()
            return
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())  # noqa: S324 - RFC 6455
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Accept: %b\r\n\r\n"
            % accept
        )
        _sockets.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        _sockets.discard(self._transport)


async def _serve() -> None:
    before, behind = os.environ["BEFORE"].encode(), os.environ["BEHIND"].encode()
    topic = f"{os.environ['CHANNEL']}:{os.environ['WORKSPACE']}"
    client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
    async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(topic)
        loop = asyncio.get_running_loop()
        await loop.create_server(_Socket, "127.0.0.1", int(os.environ["PORT"]), backlog=4_096)
        async for message in pubsub.listen():
            text = before + message["data"] + behind
            assert len(text) >= _SHORT
            frame = b"\x81\x7e" + len(text).to_bytes(2, "big") + text
            for transport in _sockets:
                transport.write(frame)


uvloop.run(_serve())
