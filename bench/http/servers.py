"""The servers, how each is started, and how it is asked."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.embedded.process import Child, Guard
from bench import node, servers
from bench.http import client
from bench.http.peers import postgraphile
from bench.http.workloads import Known, Variables

NODE = Path(__file__).parent / "peers" / "node"


@dataclass(frozen=True, slots=True)
class Peer:
    """A kind of server. `{PORT}` and `{NODE}` in its command are filled in.

    Where its schema has another shape, `documents` and `variables` ask the same of it, and `adapt` brings its
    answer's data into our shape.
    """

    name: str
    title: str
    command: Sequence[str]
    documents: Mapping[str, str] = field(default_factory=dict)
    variables: Callable[[str, Variables, Known], Variables] | None = None
    adapt: Callable[[str, Any], Any] | None = None
    needs_node: bool = False


def _node(script: str) -> tuple[str, ...]:
    return ("{NODE}", str(NODE / script))


PEERS = {
    peer.name: peer
    for peer in (
        Peer("earful", "Earful", servers.EARFUL),
        Peer(
            "strawberry",
            "Strawberry as taught",
            servers.uvicorn("bench.http.peers.strawberry_app:app"),
        ),
        Peer(
            "postgraphile",
            "PostGraphile",
            _node("postgraphile.mjs"),
            needs_node=True,
            documents=postgraphile.DOCUMENTS,
            variables=postgraphile.variables,
            adapt=postgraphile.adapt,
        ),
        Peer(
            "mercurius_jit",
            "Mercurius, JIT, loaders, pg",
            _node("mercurius_jit.mjs"),
            needs_node=True,
        ),
        Peer(
            "mercurius_prisma",
            "Mercurius, JIT, Prisma",
            _node("mercurius_prisma.mjs"),
            needs_node=True,
        ),
        Peer("yoga_prisma", "Yoga, Prisma", _node("yoga_prisma.mjs"), needs_node=True),
        Peer(
            "asgi", "bare ASGI, the SQL is the JSON", servers.uvicorn("bench.http.peers.asgi:app")
        ),
    )
}


@dataclass(slots=True)
class Server:
    """A running server."""

    peer: Peer
    port: int
    child: Child
    token: str | None = None

    def message(self, query: str, variables: Mapping[str, Any]) -> bytes:
        """The bytes of one request."""
        body = {"query": query, "variables": variables}
        return client.request(self.port, body, self.token)


def start(peer: Peer, environment: Mapping[str, str], logs: Path, guard: Guard) -> Server:
    """Start a server, which the guard ends with this process, and wait until it takes connections."""
    port, child = servers.start(peer.name, peer.command, environment, logs, guard)
    return Server(peer, port, child)


def install_node() -> None:
    """Install what the Node servers need, unless it is there."""
    node.install()
    made = NODE / "generated" / "made_from"
    source = node.LOCK.read_bytes() + (NODE / "prisma" / "schema.prisma").read_bytes()
    if made.exists() and made.read_bytes() == source:
        return
    # Any program will do as the schema engine: `generate` only wants to have one, and would download it.
    prisma = str(node.PACKAGES / "prisma" / "build" / "index.js")
    engine = {"PRISMA_SCHEMA_ENGINE_BINARY": sys.executable}
    node.run([str(node.binary()), prisma, "generate"], NODE, engine)
    made.write_bytes(source)
