"""Partners' endpoints and name servers, as a test needs them: honest, slow, endless, or hostile."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from clients.outgoing import Answer, Outgoing

LOOPBACK = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Endpoint:
    """A server on `address`: what was sent to it, and whether the last caller has hung up."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def headers(self, request: int = -1) -> dict[str, str]:
        """A request's headers, in lower case."""
        head = self.requests[request].partition(b"\r\n\r\n")[0].decode()
        return {
            name.lower(): value
            for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:])
        }


@asynccontextmanager
async def endpoint(
    *answers: bytes,
    address: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    forever: bytes = b"",
    holding: bool = False,
    asked: bool = True,
) -> AsyncIterator[Endpoint]:
    """Sends `answers`, once it is `asked`, then `forever` again and again, and hangs up unless it is `holding`."""
    served = Endpoint()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if asked:
                head = await reader.readuntil(b"\r\n\r\n")
                served.requests.append(head + await reader.readexactly(_length(head)))
            for answer in answers:
                writer.write(answer)
            await writer.drain()
            while forever:
                writer.write(forever)
                await writer.drain()
            if holding:
                await reader.read()
        served.hung_up.set()
        writer.close()

    server = await asyncio.start_server(serve, address, port, ssl=tls)
    async with server:
        served.port = server.sockets[0].getsockname()[1]
        yield served


def _length(head: bytes) -> int:
    (length,) = (
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return length


class Names(AbstractResolver):
    """A name server of somebody else: answers each question with the next of these lists."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [_record(host, address, port) for address in self.answers.pop(0)]

    async def close(self) -> None:
        pass


class NoNames(Names):
    """One that knows nobody."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class SilentNames(Names):
    """One that never answers."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError


def _record(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=address, port=port, family=socket.AF_UNSPEC, proto=0, flags=0
    )


async def post(url: str, *, outgoing: Outgoing | None = None, **options: Any) -> Answer:
    """One request, through an Outgoing that may dial this machine unless another is given."""
    given: dict[str, Any] = {"body": b"{}", "headers": {}, "timeout": 20} | options
    async with outgoing or Outgoing(LOOPBACK) as client:
        return await client.post(url, **given)
