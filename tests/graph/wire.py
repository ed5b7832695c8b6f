"""A WebSocket without a network: the server's end as uvicorn would have it, and a client's on the same loop."""

import asyncio
from types import SimpleNamespace
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from app.main import Application
from graph.websocket import PROTOCOL, GraphQLOverWebSocket
from graph.websocket.socket import Socket


class Wire(asyncio.Transport):
    """The server's transport. What it writes comes to the client's queue as frames, at once."""

    def __init__(
        self, application: Application, websocket: GraphQLOverWebSocket | None = None
    ) -> None:
        super().__init__()
        self.client = ClientProtocol(
            parse_uri("ws://earful.test/graphql"), subprotocols=[Subprotocol(PROTOCOL)]
        )
        self.heard: asyncio.Queue[Frame] = asyncio.Queue()
        self.response: Response | None = None
        self.is_full = False
        self.is_read = True
        self.is_lost = False
        self._is_closing = False
        config = Config(application, lifespan="off")
        config.load()
        self.server: Socket = (websocket or application.socket)(config, ServerState(), {})
        self.server.connection_made(self)
        self.client.send_request(self.client.connect())
        self.flush()

    def flush(self) -> None:
        """What the client has to say goes to the server."""
        for data in self.client.data_to_send():
            if data:
                self.server.data_received(data)

    def say(self, text: str) -> None:
        self.client.send_text(text.encode())
        self.flush()

    def leave(self) -> None:
        """The client is gone without a word."""
        self._is_closing = True
        if not self.is_lost:
            self.is_lost = True
            self.server.connection_lost(None)

    def half_close(self) -> None:
        """The client says nothing more."""
        self.server.eof_received()

    def fill(self) -> None:
        """The client takes nothing more for now."""
        self.is_full = True

    def drain(self) -> None:
        """The client takes everything again."""
        self.is_full = False
        if not self.server.has_room:
            self.server.resume_writing()

    def take(self) -> None:
        """The client takes what there is, and then nothing more."""
        self.drain()
        self.fill()

    # As a transport

    def write(self, data: Any) -> None:
        self.client.receive_data(bytes(data))
        for event in self.client.events_received():
            if isinstance(event, Response):
                self.response = event
            elif isinstance(event, Frame) and event.opcode is not Opcode.PING:
                self.heard.put_nowait(event)
        if self.is_full and self.server.has_room:
            self.server.pause_writing()

    def close(self) -> None:
        """When everything has been taken."""
        self._is_closing = True
        if not self.is_full:
            self.abort()

    def abort(self) -> None:
        self._is_closing = True
        if not self.is_lost:
            self.is_lost = True
            asyncio.get_running_loop().call_soon(self.server.connection_lost, None)

    def is_closing(self) -> bool:
        return self._is_closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def get_protocol(self) -> Any:
        """What uvicorn had there before."""
        return SimpleNamespace()

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True
