"""Answers as they are on the wire: what is written at once is what uvicorn writes, and refused where it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.connection import HttpConnection
from tests.graph.sockets import SECONDS, Server

Pairs = list[tuple[bytes, bytes]]
LENGTH = (b"content-length", b"5")

ANSWERS: dict[str, tuple[int, Pairs, list[bytes]]] = {
    "of known length": (200, [LENGTH, (b"x-more", b"a\tb \xe9")], [b"Hello"]),
    "in two pieces": (200, [LENGTH], [b"Hel", b"lo"]),
    "refusal": (404, [LENGTH], [b"Sorry"]),
    "of unknown length": (200, [(b"x-more", b"a")], [b"Hel", b"lo"]),
    "in chunks": (200, [(b"transfer-encoding", b"chunked")], [b"Hel", b"lo"]),
    "the last": (200, [LENGTH, (b"connection", b"close")], [b"Hello"]),
    "without a body": (204, [], [b""]),
    "too long": (200, [LENGTH], [b"Hello, you"]),
    "too short": (200, [LENGTH], [b"He"]),
    "a line break in a value": (200, [LENGTH, (b"x-more", b"a\r\nset-cookie: b=c")], [b"Hello"]),
    "a line break alone": (200, [LENGTH, (b"x-more", b"a\nset-cookie: b=c")], [b"Hello"]),
    "a zero in a value": (200, [LENGTH, (b"x-more", b"a\0b")], [b"Hello"]),
}

REQUESTS = (
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 2,
    b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 0\r\n\r\n",
)


def answering(
    status: int, headers: Pairs, pieces: list[bytes]
) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """An application that has one answer."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for i, piece in enumerate(pieces, start=1):
            more = i < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    return app


async def said(protocol: type[HttpToolsProtocol], app: Any, request: bytes) -> bytes:
    """All that a server of this protocol answers within a moment, or until it hangs up."""
    config = uvicorn.Config(
        app, http=protocol, lifespan="off", log_level="critical", date_header=False
    )
    config.load()
    server = Server(config)
    loop = asyncio.get_running_loop()

    def connected() -> HttpToolsProtocol:
        return protocol(config, server.server_state, {}, loop)

    async with await loop.create_server(connected, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        with closing(writer):
            writer.write(request)
            answer = b""
            try:
                async with asyncio.timeout(SECONDS):
                    while piece := await asyncio.wait_for(reader.read(65_536), 0.2):
                        answer += piece
            except TimeoutError:
                pass
    return answer


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_what_uvicorn_would_have_written(
    answer: tuple[int, Pairs, list[bytes]],
) -> None:
    app = answering(*answer)
    protocols = (HttpConnection, HttpToolsProtocol)

    ours, theirs = [
        await asyncio.gather(*(said(protocol, app, request) for request in REQUESTS))
        for protocol in protocols
    ]

    assert ours == theirs
    is_refused = any(b"\n" in value or b"\0" in value for _, value in answer[1])
    assert [bool(each) for each in ours] == [not is_refused or b"100-" in each for each in REQUESTS]
