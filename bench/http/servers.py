"""Starts one server process at a time on a port of 127.0.0.1, and says how each is asked."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.embedded.process import Child, Command, Guard
from bench.http import client
from bench.http.peers import postgraphile
from bench.http.workloads import Known, Variables

ROOT = Path(__file__).parents[2]
NODE = Path(__file__).parent / "peers" / "node"
_SECONDS_TO_START = 60


class ServerError(Exception):
    """A server did not start, or its parts could not be installed."""


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


def _uvicorn(application: str) -> tuple[str, ...]:
    options = (
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    )
    return (sys.executable, "-m", "uvicorn", application, "--port", "{PORT}", *options)


def _node(script: str) -> tuple[str, ...]:
    return ("{NODE}", str(NODE / script))


PEERS = {
    peer.name: peer
    for peer in (
        Peer("earful", "Earful", (sys.executable, "-m", "app", "api")),
        Peer(
            "strawberry",
            "Strawberry as taught",
            _uvicorn("bench.http.peers.strawberry_app:app"),
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
        Peer("asgi", "bare ASGI, the SQL is the JSON", _uvicorn("bench.http.peers.asgi:app")),
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {"PORT": str(port), "NODE": str(node()) if peer.needs_node else ""}
    command = Command(
        name=peer.name,
        argv=tuple(part.format_map(places) for part in peer.command),
        env={**os.environ, "NODE_ENV": "production", **environment, **places},
        cwd=ROOT,
        log=logs / f"{peer.name}.log",
    )
    child = Child(command, guard)
    child.start()
    patience = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < patience and child.running():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return Server(peer, port, child)
        time.sleep(0.05)
    child.end()
    raise ServerError(f"{peer.title} did not start:{child.last_lines(60)}")


def install_node() -> None:
    """Install what the Node servers need, a Node of their own included, unless it is there."""
    lock, installed = NODE / "package-lock.json", NODE / "node_modules" / "installed.lock"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise ServerError(
            "npm is missing; leave the Node servers out: --peers earful,asgi,strawberry"
        )
    print("Installing the Node servers (once)", flush=True)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
    # Any program will do as the schema engine: `generate` only wants to have one, and would download it.
    prisma = str(NODE / "node_modules" / "prisma" / "build" / "index.js")
    _run([str(node()), prisma, "generate"], {"PRISMA_SCHEMA_ENGINE_BINARY": sys.executable})
    shutil.copy(lock, installed)


def node() -> Path:
    """The Node that came with the Node servers, the same everywhere."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return NODE / "node_modules" / f"node-linux-{machine}" / "bin" / "node"


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - commands of our own
        command,
        cwd=NODE,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServerError(f"{' '.join(command)}:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
