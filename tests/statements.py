"""Which statements reach Postgres: read from the wire by a relay between a pool and the server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_PROTOCOL_3 = 196_608


class _Wire:
    """What one client says in Postgres's protocol; adds each statement it has executed to `executed`."""

    def __init__(self, executed: list[str]) -> None:
        self._executed = executed
        self._unread = b""
        self._began = False
        self._texts: dict[bytes, str] = {}
        self._portals: dict[bytes, str] = {}

    def feed(self, data: bytes) -> None:
        self._unread += data
        # A message has a letter for its kind, but for the first ones.
        while len(self._unread) >= (head := 5 if self._began else 4):
            end = head - 4 + int.from_bytes(self._unread[head - 4 : head])
            if len(self._unread) < end:
                return
            kind, body = self._unread[: head - 4], self._unread[head:end]
            self._unread = self._unread[end:]
            if self._began:
                self._read(kind, body)
            else:
                self._began = int.from_bytes(body[:4]) == _PROTOCOL_3

    def _read(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"Q":
                self._executed.append(body[:-1].decode())
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                self._texts[name] = text.decode()
            case b"B":
                portal, name, _ = body.split(b"\0", 2)
                self._portals[portal] = self._texts[name]
            case b"E":
                self._executed.append(self._portals[body.partition(b"\0")[0]])
            case _:
                pass


@asynccontextmanager
async def watched(url: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A URL of the same database, and the texts of the statements executed through it, in order."""
    there = urlsplit(url)
    executed: list[str] = []
    relays: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        relays.add(task)
        answers, asked = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(
            _pump(reader, asked, _Wire(executed).feed), _pump(answers, writer, lambda _: None)
        )

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = there.netloc.removesuffix(f":{there.port}") + f":{port}"
    yield there._replace(netloc=here).geturl(), executed
    server.close()
    await asyncio.gather(*relays)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, see: Callable[[bytes], None]
) -> None:
    while data := await reader.read(65_536):
        see(data)
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
