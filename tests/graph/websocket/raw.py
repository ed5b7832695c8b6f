"""A WebSocket client that sends whatever bytes it likes, and reads only when it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from graph.websocket import PROTOCOL
from tests.graph.sockets import SECONDS


@dataclass(slots=True)
class Raw:
    """One connection. `client` makes and reads frames and answers nothing by itself that is not sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    client: ClientProtocol
    events: list[Request | Response | Frame] = field(default_factory=list)

    async def send(self, data: bytes = b"") -> None:
        """These bytes, or what `client` has to say."""
        self.writer.write(data or b"".join(self.client.data_to_send()))
        await asyncio.wait_for(self.writer.drain(), SECONDS)

    async def say(self, **message: Any) -> None:
        self.client.send_text(orjson.dumps(message))
        await self.send()

    async def next(self) -> Frame:
        """The next frame of the server."""
        event = await self._next()
        assert isinstance(event, Frame)
        return event

    async def hear(self) -> Any:
        """The next message, whatever pings come before it."""
        while (frame := await self.next()).opcode is Opcode.PING:
            pass
        assert frame.opcode is Opcode.TEXT, frame
        return orjson.loads(frame.data)

    async def response(self) -> Response:
        """What the server says to the handshake."""
        event = await self._next()
        assert isinstance(event, Response)
        return event

    async def ended(self) -> int:
        """The code of the close frame that comes next; then the server closes the connection."""
        frame = await self.next()
        assert frame.opcode is Opcode.CLOSE, frame
        assert await self.gone() == b""
        return Close.parse(frame.data).code

    async def gone(self) -> bytes:
        """What comes before the server closes the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), 2 * SECONDS)
        except ConnectionError:
            return b""

    async def acknowledged(self, token: str | None = None) -> None:
        payload = {} if token is None else {"authorization": f"Bearer {token}"}
        await self.say(type="connection_init", payload=payload)
        assert await self.hear() == {"type": "connection_ack"}

    async def _next(self) -> Request | Response | Frame:
        async with asyncio.timeout(2 * SECONDS):
            while not self.events:
                data = await self.reader.read(65_536)
                assert data, "the connection has ended"
                self.client.receive_data(data)
                self.events += self.client.events_received()
        return self.events.pop(0)


@asynccontextmanager
async def connected(
    server: str, path: str = "/graphql", receive_buffer: int | None = None
) -> AsyncIterator[Raw]:
    """A connection on which nothing was said; its kernel takes so many bytes before they are read."""
    host, _, port = server.partition(":")
    with socket.socket() as given:
        if receive_buffer is not None:
            given.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        given.setblocking(False)
        await asyncio.get_running_loop().sock_connect(given, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=given, limit=1_024)
        client = ClientProtocol(
            parse_uri(f"ws://{server}{path}"), subprotocols=[Subprotocol(PROTOCOL)], max_size=None
        )
        try:
            yield Raw(reader, writer, client)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def opened(server: str, receive_buffer: int | None = None) -> AsyncIterator[Raw]:
    """A socket that was opened."""
    async with connected(server, receive_buffer=receive_buffer) as raw:
        raw.client.send_request(raw.client.connect())
        await raw.send()
        assert (await raw.response()).status_code == 101
        yield raw
