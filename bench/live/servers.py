"""The servers, how each is started, and the crowd of subscribers that belongs to each."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.embedded.process import Child
from bench import data, servers
from bench.live import events
from bench.live.events import Row
from bench.servers import ROOT, ServerError
from bench.stores import Filled
from domain import ids
from domain.ids import Kind

_HERE = Path(__file__).parent / "peers"
# What stands around an event where nobody knows GraphQL, in place of the subscriber's operation id.
_NOBODY = "00000000-0000-4000-8000-000000000000"
_BEFORE = f'{{"id":"{_NOBODY}","type":"next","payload":{{"data":{{"{events.FIELD}":'
_BEHIND = "}}}"


class UnfitError(Exception):
    """A server does not do what a crowd wants of it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A kind of server. `publisher` says how it is told of events; `graphql`: it speaks graphql-transport-ws."""

    name: str
    title: str
    command: Sequence[str]
    publisher: str = "channel"
    graphql: bool = True
    needs_node: bool = False


def _node(script: str) -> tuple[str, ...]:
    return ("{NODE}", str(_HERE / "node" / script))


PEERS = {
    peer.name: peer
    for peer in (
        Peer("earful", "Earful", servers.EARFUL, "relay"),
        Peer(
            "strawberry",
            "Strawberry, one Redis reader",
            servers.uvicorn("bench.live.peers.strawberry_app:app"),
        ),
        Peer("mercurius", "Mercurius", _node("mercurius.mjs"), "emitter", needs_node=True),
        Peer("graphql_ws", "graphql-ws on ws", _node("graphql_ws.mjs"), needs_node=True),
        Peer("ws", "ws, no GraphQL", _node("ws.mjs"), graphql=False, needs_node=True),
        Peer("floor", "send loop", ("{FLOOR}",), graphql=False),
    )
}


@dataclass(frozen=True, slots=True)
class Place:
    """The stores, and what is watched in them."""

    filled: Filled
    workspace: str
    rows: Sequence[Row]
    logs: Path
    floor: Sequence[str]


@dataclass(slots=True)
class Server:
    """A running server and its crowd."""

    peer: Peer
    child: Child
    crowd: "Crowd"

    def end(self) -> None:
        self.crowd.end()
        self.child.end()


def build_floor(folder: Path) -> tuple[str, ...]:
    """The command of the cheapest server: compiled C, or uvloop where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        print("No C compiler: the floor is a uvloop of bare protocols", flush=True)
        return (sys.executable, "-m", "bench.live.peers.floor")
    made = folder / "floor"
    done = subprocess.run(  # noqa: S603 - a command of our own
        [compiler, "-O2", "-o", str(made), str(_HERE / "floor.c")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode != 0:
        raise ServerError(f"{compiler} cannot compile floor.c:\n{done.stderr[-2_000:]}")
    return (str(made),)


def start(peer: Peer, place: Place) -> Server:
    """Start a server and its crowd, which has no subscribers yet."""
    filled = place.filled
    workspace = ids.write(Kind.WORKSPACE, UUID(hex=place.workspace))
    channel = f"bench:{peer.name}"
    if peer.name == "earful":
        environment = servers.earful_environment(filled.endpoints)
    else:
        where = urlsplit(filled.redis_url)
        environment = {
            "REDIS_URL": filled.redis_url,
            "REDIS_PORT": str(where.port),
            "REDIS_PASSWORD": where.password or "",
            "CHANNEL": channel,
            "WORKSPACE": workspace,
            "TOPIC": f"{channel}:{workspace}",
            "BEFORE": _BEFORE,
            "BEHIND": _BEHIND,
        }
    command = place.floor if peer.name == "floor" else peer.command
    port, child = servers.start(peer.name, command, environment, place.logs, filled.guard)
    try:
        init = {}
        if peer.name == "earful":
            token = servers.login(port, data.EMAIL, data.PASSWORD)
            init = {"authorization": f"Bearer {token}"}
        crowd = Crowd(
            {
                "port": port,
                "graphql": peer.graphql,
                "init": init,
                "variables": {"workspaceId": workspace},
                "rows": [asdict(row) for row in place.rows],
                "publisher": peer.publisher,
                "redis": filled.redis_url,
                "topic": place.workspace if peer.name == "earful" else f"{channel}:{workspace}",
            },
            place.logs / f"{peer.name}-crowd.log",
        )
    except BaseException:
        child.end()
        raise
    return Server(peer, child, crowd)


class Crowd:
    """The process of a server's subscribers."""

    def __init__(self, given: Mapping[str, Any], log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.live.crowd"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=os.environ,
                process_group=0,
            )
        self._log = log
        self._heard = b""
        self._tell(given)

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, name: str, *, within: float, **given: Any) -> dict[str, Any]:
        """Have it do something; UnfitError where the server does not do its part."""
        self._tell({"do": name, **given})
        answer = self._answer(within)
        if "failed" in answer:
            raise UnfitError(answer["failed"])
        return dict(answer["done"])

    def end(self) -> None:
        """End it, kindly first."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, value: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ServerError(f"the clients' process has ended:\n{self._last()}") from None

    def _answer(self, within: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        number = self._process.stdout.fileno()
        patience = time.monotonic() + within
        while b"\n" not in self._heard:
            ready, _, _ = select.select([number], [], [], max(0.0, patience - time.monotonic()))
            if not ready:
                raise ServerError(f"the clients' process did not answer within {within:.0f} s")
            got = os.read(number, 65_536)
            if not got:
                raise ServerError(f"the clients' process has ended:\n{self._last()}")
            self._heard += got
        line, _, self._heard = self._heard.partition(b"\n")
        return dict(json.loads(line))

    def _last(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
