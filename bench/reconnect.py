"""Everybody comes back after a deploy: thousands of clients with the same cursor, a hundred events behind it.

Each must have them all, in order. Counted are the seconds, and how often the log was read (XRANGE).
"""

import argparse
import asyncio
import select
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import redis

from bench import data, processes, servers, stores
from bench.live import events, frames
from bench.live.events import PUBLISHERS, Row
from bench.servers import EARFUL, ServerError
from bench.stores import Filled
from domain import ids
from domain.ids import Kind

_SPARE = 1_000
_TOGETHER = 64
_SECONDS = 120.0
_READ = 262_144
_CURSOR = '{ workspace(slug: "small") { feedbackCursor } }'
_QUERY = """subscription Back($workspaceId: ID!, $after: String) {
  feedbackEvents(workspaceId: $workspaceId, after: $after) {
    ... on FeedbackEvent { cursor type feedback { id body rating language occurredAt receivedAt } } } }"""


def main(arguments: Sequence[str]) -> None:
    """Run it; a client that lacks an event, or has one twice, ends the process."""
    parser = argparse.ArgumentParser(prog="python -m bench reconnect", description=__doc__)
    parser.add_argument("--k", type=int, default=5_000, help="clients, default 5000")
    parser.add_argument("--missed", type=int, default=100, help="events, default 100")
    parser.add_argument("--keep", action="store_true", help="keep the filled database")
    options = parser.parse_args(arguments)
    if not processes.files(options.k + _SPARE):
        raise ServerError("May not open so many files; see `ulimit -n`")
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-reconnect-")))
        filled = stack.enter_context(stores.filled(keep=options.keep))
        workspace, rows = asyncio.run(events.rows(filled.database_url))
        environment = servers.earful_environment(filled.endpoints)
        port, before = servers.start("earful", EARFUL, environment, logs, filled.guard)
        stack.callback(before.end)
        token = servers.login(port, data.EMAIL, data.PASSWORD)
        cursor = _ask(port, token, _CURSOR)["workspace"]["feedbackCursor"]
        missed = _publish(filled, workspace, rows, options.missed)
        before.end()
        port, after = servers.start("earful", EARFUL, environment, logs, filled.guard)
        stack.callback(after.end)
        token = servers.login(port, data.EMAIL, data.PASSWORD)
        begun = _reads(filled)
        cpu = processes.cpu(after.pid)
        seconds = Back(port, token, workspace, cursor, missed).all(options.k)
        spent = processes.spent(cpu, processes.cpu(after.pid))
        print(
            f"{options.k:,} clients have their {options.missed} events after {seconds:.1f} s ({spent:.1f} s of CPU)"
            f" and {_reads(filled) - begun} XRANGE"
        )


class Back:
    """The clients, each with the same cursor."""

    def __init__(
        self, port: int, token: str, workspace: str, cursor: str, missed: Sequence[str]
    ) -> None:
        self._port = port
        self._missed = missed
        variables = {"workspaceId": ids.write(Kind.WORKSPACE, UUID(hex=workspace)), "after": cursor}
        hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
        asked = {
            "id": "1",
            "type": "subscribe",
            "payload": {"query": _QUERY, "variables": variables},
        }
        self._hello, self._asked = frames.message(hello), frames.message(asked)
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._counts: dict[int, int] = {}

    def all(self, count: int) -> float:
        """Connect so many and wait until each has everything; answers in how many seconds."""
        began = time.perf_counter()
        while len(self._sockets) < count:
            for fresh in [
                self._opened() for _ in range(min(_TOGETHER, count - len(self._sockets)))
            ]:
                self._upgraded(fresh)
            self._take(0)
        while any(got < len(self._missed) for got in self._counts.values()):
            if time.perf_counter() - began > _SECONDS:
                sys.exit("Not all of them have everything")
            self._take(1)
        return time.perf_counter() - began

    def _opened(self) -> socket.socket:
        fresh = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        fresh.sendall(frames.upgrade(self._port, "graphql-transport-ws"))
        return fresh

    def _upgraded(self, fresh: socket.socket) -> None:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += fresh.recv(_READ)
        fresh.sendall(self._hello + self._asked)
        fresh.setblocking(False)
        number = fresh.fileno()
        self._sockets[number], self._counts[number] = fresh, 0
        self._rest[number] = answer.partition(b"\r\n\r\n")[2]
        self._poll.register(number, select.EPOLLIN)

    def _take(self, seconds: float) -> None:
        for number, _ in self._poll.poll(seconds):
            got = self._sockets[number].recv(_READ)
            if not got:
                sys.exit("The server closed a connection")
            whole, self._rest[number] = frames.split(self._rest[number] + got)
            for first, content in whole:
                if first == frames.TEXT and b'"connection_ack"' not in content:
                    self._check(number, content)

    def _check(self, number: int, content: bytes) -> None:
        at = self._counts[number]
        if at >= len(self._missed) or self._missed[at].encode() not in content:
            sys.exit(f"A client got {content.decode()} as its event {at}")
        self._counts[number] = at + 1


def _publish(filled: Filled, workspace: str, rows: Sequence[Row], count: int) -> list[str]:
    """The ids of the feedback in the events, in order."""
    publisher = PUBLISHERS["relay"](filled.redis_url, workspace)
    chosen = [rows[number % len(rows)] for number in range(count)]
    publisher.publish([publisher.prepare(number, row) for number, row in enumerate(chosen)])
    return [ids.write(Kind.FEEDBACK, UUID(hex=row.id)) for row in chosen]


def _reads(filled: Filled) -> int:
    with redis.Redis.from_url(filled.redis_url) as client:
        return int(client.info("commandstats").get("cmdstat_xrange", {}).get("calls", 0))


def _ask(port: int, token: str, query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        orjson.dumps({"query": query}),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return orjson.loads(answer.read())["data"]
