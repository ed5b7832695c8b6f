"""Memory stays flat over millions of deliveries, and clients that do not read disturb nobody.

Publishes to one API process until so many messages have been delivered, and tells its memory on the way. Then as many
clients subscribe that take nothing: what each of them costs, how they are cut off, and what the others feel of it.
"""

import argparse
import asyncio
import select
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import data, processes, servers, stores
from bench.live import events, frames, measure
from bench.live.servers import PEERS, Place, Server, UnfitError, start
from bench.servers import ServerError
from domain import ids
from domain.ids import Kind

_BURST = 8
_SPARE = 1_000
_STEPS = 10
_STALLED_TURNS = 20
_RECEIVE_BUFFER = 4_096
_SECONDS_TO_CUT = 60.0


def main(arguments: Sequence[str]) -> None:
    """Run it; a subscriber that misses a message ends the process."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description=__doc__)
    parser.add_argument("--messages", type=float, default=10.0, help="millions, default 10")
    parser.add_argument("--k", type=int, default=1_000, help="subscribers, default 1000")
    parser.add_argument("--stalled", type=int, default=1_000, help="clients that take nothing")
    parser.add_argument("--keep", action="store_true", help="keep the filled database")
    options = parser.parse_args(arguments)
    if not processes.files(options.k + options.stalled + _SPARE):
        raise ServerError("May not open so many files; see `ulimit -n`")
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-soak-")))
        filled = stack.enter_context(stores.filled(keep=options.keep))
        workspace, rows = asyncio.run(events.rows(filled.database_url))
        place = Place(filled, workspace, rows, logs, ())
        server = start(PEERS["earful"], place)
        stack.callback(server.end)
        try:
            server.crowd.do("open", within=600, count=options.k)
            _soak(server, place, options)
            _stall(server, place, options)
        except UnfitError as lost:
            sys.exit(str(lost))


def _soak(server: Server, place: Place, options: argparse.Namespace) -> None:
    turn = max(_BURST, int(options.messages * 1e6 / _STEPS / options.k))
    for step in range(_STEPS + 1):
        if step:
            delivered = 0
            while delivered < turn * options.k:
                delivered += measure.turn(server, place, _BURST, turn).messages
        memory = processes.memory(server.child.pid) / 2**20
        print(
            f"{step * options.messages / _STEPS:5.1f} million messages: {memory:6.1f} MiB",
            flush=True,
        )


def _stall(server: Server, place: Place, options: argparse.Namespace) -> None:
    before = [measure.turn(server, place, 1, 40) for _ in range(_STALLED_TURNS)]
    held = processes.memory(server.child.pid)
    clients = _subscribed(server, place, options.stalled)
    try:
        after = [measure.turn(server, place, 1, 40) for _ in range(_STALLED_TURNS)]
        grown = processes.memory(server.child.pid) - held
        print(
            f"{len(clients)} clients that take nothing: {grown / len(clients) / 1024:.1f} KiB each"
        )
        for name in ("p50", "p99"):
            of_both = [getattr(measure.median(samples), name) * 1e3 for samples in (before, after)]
            print(
                f"{name} of the others: {of_both[0]:.1f} ms without them, {of_both[1]:.1f} ms with"
            )
        began = time.monotonic()
        left = list(clients)
        while left and time.monotonic() - began < _SECONDS_TO_CUT:
            measure.turn(server, place, _BURST, 400)
            left = [client for client in left if not _is_cut(client)]
        print(f"{len(clients) - len(left)} were cut off within {time.monotonic() - began:.0f} s")
        print(f"Memory then: {processes.memory(server.child.pid) / 2**20:.1f} MiB")
    finally:
        for client in clients:
            client.close()


def _is_cut(client: socket.socket) -> bool:
    """Whether the server has ended it, without reading."""
    poll = select.poll()
    poll.register(client, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
    return any(
        found & (select.POLLHUP | select.POLLERR | select.POLLRDHUP) for _, found in poll.poll(0)
    )


def _subscribed(server: Server, place: Place, count: int) -> list[socket.socket]:
    port = int(server.child.command.env["PORT"])
    token = servers.login(port, data.EMAIL, data.PASSWORD)
    variables = {"workspaceId": ids.write(Kind.WORKSPACE, UUID(hex=place.workspace))}
    asked: dict[str, Any] = {"query": events.QUERY, "variables": variables}
    clients = []
    for number in range(count):
        client = socket.socket()
        # Less is taken by the kernel for it.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        client.connect(("127.0.0.1", port))
        client.sendall(frames.upgrade(port, "graphql-transport-ws"))
        client.recv(65_536)
        hello = {"authorization": f"Bearer {token}"}
        client.sendall(frames.message({"type": "connection_init", "payload": hello}))
        client.recv(65_536)
        client.sendall(frames.message({"id": str(number), "type": "subscribe", "payload": asked}))
        clients.append(client)
    return clients
