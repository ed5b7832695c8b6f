"""Real servers, and the sockets that speak graphql-transport-ws with them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLSchema
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.connection import HttpConnection
from app.main import Application
from app.resources import Api
from graph.execution import Operations
from graph.schema import schema
from graph.seats import Seats
from graph.subscribing import Subscriptions
from graph.websocket import PROTOCOL, GraphQLOverWebSocket
from tests.factories import Tenant

SECONDS = 20
QUERY = "{ viewer { user { email } } }"
STATS = """
    subscription($workspace: ID!) {
      statsChanged(workspaceId: $workspace, from: "2026-01-01T00:00:00Z") { total }
    }
"""


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave Ctrl-C to pytest."""
        yield


@asynccontextmanager
async def served(
    application: Application,
    websocket: GraphQLOverWebSocket | None = None,
    *,
    send_buffer: int | None = None,
    port: int = 0,
    http: type[HttpConnection] = HttpConnection,
) -> AsyncIterator[str]:
    """The application behind a real server, as `app.main.serve` configures it; yields host and port.

    With another WebSocket endpoint, so many bytes in the kernel for each client, on a port, or with other limits of
    connections, if these are given.
    """
    config = uvicorn.Config(
        application,
        http=http,
        ws=websocket or application.socket,  # type: ignore[arg-type]  # called like a class
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        proxy_headers=False,
    )
    server = Server(config)
    with socket.create_server(("127.0.0.1", port)) as listening:
        if send_buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        task = asyncio.ensure_future(server.serve(sockets=[listening]))
        host, bound = listening.getsockname()
        yield f"{host}:{bound}"
        server.should_exit = True
        await asyncio.wait_for(task, 10)


def endpoint(
    api: Api,
    *,
    seats: Seats | None = None,
    scale: float = 1_000,
    graphql: GraphQLSchema = schema._schema,
    **seconds: Any,
) -> GraphQLOverWebSocket:
    """A WebSocket endpoint of its own, with limits of the test's."""
    operations = Operations(graphql, seconds=5)
    subscriptions = Subscriptions(operations, api.services.hub, api.services.memberships)
    return GraphQLOverWebSocket(
        operations,
        api.services,
        subscriptions,
        largest=65_536,
        seats=seats or Seats(most=100, most_per_caller=100),
        scale=scale,
        **seconds,
    )


@dataclass(frozen=True, slots=True)
class Socket:
    """One end of a connection: what a client says, and what it hears within a few seconds."""

    connection: ClientConnection

    async def say(self, **message: Any) -> None:
        await self.connection.send(orjson.dumps(message).decode())

    async def hear(self) -> Any:
        return orjson.loads(await asyncio.wait_for(self.connection.recv(), SECONDS))

    async def subscribe(self, id_: str, query: str, **variables: Any) -> None:
        await self.say(id=id_, type="subscribe", payload={"query": query, "variables": variables})

    async def ended(self) -> tuple[int, str]:
        """The code and the reason of the close that comes, whatever comes before it."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(SECONDS):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def opened(
    server: str,
    *,
    protocols: Iterable[str] | None = (PROTOCOL,),
    origin: str | None = None,
    **headers: str,
) -> AsyncIterator[Socket]:
    """A socket that has said nothing yet."""
    async with connect(
        f"ws://{server}/graphql",
        subprotocols=None if protocols is None else [Subprotocol(name) for name in protocols],
        additional_headers=headers | ({} if origin is None else {"origin": origin}),
        compression=None,
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def acknowledged(
    server: str, token: str | None = None, **headers: str
) -> AsyncIterator[Socket]:
    """A socket that has been acknowledged, for the token's owner or for nobody."""
    async with opened(server, **headers) as client:
        payload = {} if token is None else {"authorization": f"Bearer {token}"}
        await client.say(type="connection_init", payload=payload)
        assert await client.hear() == {"type": "connection_ack"}
        yield client


async def answered(client: Socket, query: str = QUERY) -> Any:
    """The payload of a query's only answer."""
    await client.subscribe("asked", query)
    answer = await client.hear()
    assert await client.hear() == {"id": "asked", "type": "complete"}
    assert (answer["id"], answer["type"]) == ("asked", "next")
    return answer["payload"]


async def following(client: Socket, tenant: Tenant, id_: str) -> None:
    """A subscription that has begun."""
    await client.subscribe(id_, STATS, workspace=tenant.gid)
    assert await client.hear() == {
        "id": id_,
        "type": "next",
        "payload": {"data": {"statsChanged": {"total": 0}}},
    }
