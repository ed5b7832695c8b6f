"""Clients that are slow or say too much, on real sockets: each is cut off, and holds up nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.connection import HttpConnection
from app.main import Application
from persistence.database import Database
from tests.graph.sockets import SECONDS, served

HEAD = b"POST /graphql HTTP/1.1\r\nhost: earful.test\r\ncontent-type: application/json\r\n"
ASKED = b'{"query":"{ __typename }"}'


class Hasty(HttpConnection):
    head_seconds = 0.3
    unread_seconds = 0.3
    stall_seconds = 0.3

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.timeout_keep_alive = 1
        super().connection_made(transport)


@asynccontextmanager
async def dialled(server: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = server.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    yield reader, writer
    writer.transport.abort()


async def the_rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server ends the connection."""
    said = b""
    try:
        async with asyncio.timeout(SECONDS):
            while data := await reader.read(65_536):
                said += data
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"\r\n",
        b"POST",
        HEAD,
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n" + HEAD,
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n\r\n",
    ],
    ids=["nothing", "a line", "a word", "a head", "a second head", "a line after a request"],
)
async def test_who_does_not_end_a_head_is_cut_off(application: Application, begin: bytes) -> None:
    async with served(application, http=Hasty) as server, dialled(server) as (reader, writer):
        writer.write(begin)

        said = await the_rest(reader)

    assert said.count(b"HTTP/1.1 ") == begin.count(b"\r\n\r\n" if b"GET" in begin else b"GET")


async def test_who_dribbles_a_head_is_cut_off(application: Application) -> None:
    async with served(application, http=Hasty) as server, dialled(server) as (reader, writer):
        writer.write(HEAD)
        cut = asyncio.ensure_future(the_rest(reader))
        async with asyncio.timeout(SECONDS):
            while not cut.done():
                writer.write(b"x-more: 1\r\n")
                await asyncio.wait({cut}, timeout=0.05)

    assert cut.result() == b""


async def test_many_who_are_slow_hold_up_nobody(application: Application) -> None:
    async with served(application, http=Hasty) as server:
        host, _, port = server.partition(":")
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(100)]
        for _, writer in slow:
            writer.write(HEAD)
        async with httpx.AsyncClient(base_url=f"http://{server}") as http:
            status = (await http.get("/healthz")).status_code
        ended = await asyncio.gather(*(the_rest(reader) for reader, _ in slow))
        for _, writer in slow:
            writer.close()

    assert status == 200
    assert ended == [b""] * 100


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"x-long: " + b"x" * 40_000,
        HEAD + b"x-long: " + b"x" * 40_000 + b"\r\n\r\n",
        HEAD + b"x: 1\r\n" * 8_000 + b"\r\n",
        b"GET /graphql?query=" + b"x" * 40_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\ncookie: " + b"x" * 32_768 + b"\r\n\r\n",
    ],
    ids=["endless", "one header", "many headers", "address", "cookie"],
)
async def test_too_long_a_head_is_refused(application: Application, head: bytes) -> None:
    async with served(application) as server, dialled(server) as (reader, writer):
        writer.write(head)

        said = await the_rest(reader)

    assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_a_long_body_is_no_long_head(application: Application, database: Database) -> None:
    body = ASKED + b" " * 500_000
    async with served(application) as server, httpx.AsyncClient() as http:
        for _ in range(2):
            response = await http.post(
                f"http://{server}/graphql",
                content=body,
                headers={"content-type": "application/json"},
            )
            assert response.json()["data"] == {"__typename": "Query"}


async def test_what_is_no_http_is_refused(application: Application) -> None:
    async with served(application) as server, dialled(server) as (reader, writer):
        writer.write(b"\x16\x03\x01\x02\x00\r\n\r\n")

        said = await the_rest(reader)

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_the_rest_of_a_body_that_was_refused_is_not_taken_for_ever(
    application: Application,
) -> None:
    async with served(application, http=Hasty) as server, dialled(server) as (reader, writer):
        writer.write(HEAD + b"content-length: 2000000\r\n\r\n")
        cut = asyncio.ensure_future(the_rest(reader))
        async with asyncio.timeout(SECONDS):
            while not cut.done():
                writer.write(b" ")
                await asyncio.wait({cut}, timeout=0.05)

    assert cut.result().startswith(b"HTTP/1.1 413 ")


async def test_who_does_not_read_is_cut_off(application: Application, database: Database) -> None:
    """Answers are asked for until no more fit into the buffers, and none is taken."""
    request = b"GET /schema.graphql HTTP/1.1\r\nhost: a\r\n\r\n"
    async with (
        served(application, http=Hasty, send_buffer=8_192) as server,
        dialled(server) as (reader, writer),
    ):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads by itself
        async with asyncio.timeout(SECONDS):
            while not writer.transport.is_closing():
                writer.write(request)
                await asyncio.sleep(0.01)

    assert reader.exception() is not None or reader.at_eof() or writer.transport.is_closing()


async def test_a_connection_that_rests_is_closed_and_one_that_asks_again_is_not(
    application: Application,
) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
    async with (
        served(application, http=Hasty) as server,
        dialled(server) as (resting, first),
        dialled(server) as (asking, second),
    ):
        first.write(request)
        closed = asyncio.ensure_future(the_rest(resting))
        answers = 0
        while not closed.done():
            second.write(request)
            answers += (await asking.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await asking.read(65_536)
            await asyncio.wait({closed}, timeout=0.2)
        second.write(request)
        answers += (await asking.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

    assert closed.result().startswith(b"HTTP/1.1 200 ")
    assert answers >= 3
