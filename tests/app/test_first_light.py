"""`make run` as a user meets it: real processes, signed webhooks, a live socket, and kills in the middle."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from domain import demo
from graph.live.cursor import Cursor

ROOT = Path(__file__).parents[2]
SENT = 300
LOGIN = """mutation { login(input: {
    email: "demo@earful.example", password: "earful-demo-password"
}) { ... on LoginSuccess { tokens { accessToken } } } }"""
CREATE_WORKSPACE = """mutation { createWorkspace(input: {name: "Light", slug: "light"}) {
    ... on CreateWorkspaceSuccess { workspace { id } } } }"""
CREATE_SOURCE = """mutation($id: ID!) { createSource(input: {workspaceId: $id, name: "Hook"}) {
    ... on CreateSourceSuccess { source { id } signingSecret } } }"""
EVENTS = """subscription($id: ID!, $after: String) {
    feedbackEvents(workspaceId: $id, after: $after) {
      ... on FeedbackEvent { cursor type feedback { externalId } }
      ... on StreamGap { gap: cursor }
    } }"""
# Of no stream: the first answer is the gap that says where this one stands, and then nothing is missed.
NOWHERE = str(Cursor("nowhere", 0))
TOTALS = """{ workspace(slug: "light") {
    stats(from: "2000-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z", interval: MONTH) {
      totals { total unscored averageRating } }
    feedback { totalCount } } }"""
DEMO = """{ workspace(slug: "demo") { id sources { name } feedback { totalCount } } }"""


@dataclass(slots=True)
class Running:
    """`python -m app run` on a directory of its own."""

    directory: Path
    port: int
    process: "subprocess.Popen[bytes]"
    token: str = ""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pid(self, name: str) -> int:
        record = json.loads((self.directory / "data" / "run" / f"{name}.json").read_text())
        pid: int = record["pid"]
        return pid

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an operation, tried again while something is away."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        async with httpx.AsyncClient(base_url=self.base, timeout=20) as client, asyncio.timeout(60):
            while True:
                try:
                    response = await client.post(
                        "/graphql", json={"query": query, "variables": variables}, headers=headers
                    )
                    body = response.json()
                    if "errors" not in body:
                        return body["data"]
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.2)


@dataclass(slots=True)
class Screen:
    """A dashboard that reconnects with its last cursor and keeps all it was told."""

    running: Running
    workspace: str
    told: list[tuple[str, str]] = field(default_factory=list)
    cursor: str = NOWHERE
    is_watching: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self, wanted: int) -> None:
        """Until so many events were told."""
        while len(self.told) < wanted:
            try:
                await self._watch_once(wanted)
            except (OSError, ConnectionClosed):
                await asyncio.sleep(0.2)

    async def was_told(self, count: int) -> None:
        """Wait until it was told so many."""
        async with asyncio.timeout(60):
            while len(self.told) < count:
                await asyncio.sleep(0.02)

    async def _watch_once(self, wanted: int) -> None:
        url = self.running.base.replace("http", "ws") + "/graphql"
        authorization = {"authorization": f"Bearer {self.running.token}"}
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(url, subprotocols=[protocol]) as socket_:
            await socket_.send(json.dumps({"type": "connection_init", "payload": authorization}))
            variables = {"id": self.workspace, "after": self.cursor}
            payload = {"query": EVENTS, "variables": variables}
            assert json.loads(await socket_.recv()) == {"type": "connection_ack"}
            await socket_.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            while len(self.told) < wanted:
                message = json.loads(await socket_.recv())
                assert message["type"] == "next", message
                event = message["payload"]["data"]["feedbackEvents"]
                if "gap" in event:
                    assert self.cursor == NOWHERE
                    self.cursor = event["gap"]
                    self.is_watching.set()
                    continue
                self.cursor = event["cursor"]
                self.told.append((event["type"], event["feedback"]["externalId"]))


@asynccontextmanager
async def started(directory: Path, port: int) -> AsyncIterator[Running]:
    """A running Earful; stopped as by Ctrl-C."""
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "LOG_LEVEL": "error"}
    with (directory / "out.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "run"],
            cwd=ROOT,
            env=environment | {"DATA_DIR": str(directory / "data")},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = Running(directory, port, process)
    try:
        async with asyncio.timeout(120):
            while b"Earful is ready" not in (directory / "out.log").read_bytes().split(b"@@")[-1]:
                assert process.poll() is None, (directory / "out.log").read_text()
                await asyncio.sleep(0.1)
        running.token = (await running.ask(LOGIN))["login"]["tokens"]["accessToken"]
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 60)
        with (directory / "out.log").open("ab") as output:
            output.write(b"@@\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _processes(running: Running) -> set[str]:
    """Whose metrics the API tells, as soon as it tells three processes'."""
    found: set[str] = set()
    async with httpx.AsyncClient(base_url=running.base, timeout=20) as client, asyncio.timeout(60):
        while len(found) < len(("api", "worker", "relay")):
            answer = await client.get("/metrics")
            found = set(
                re.findall(r'^earful_build_info\{process="(\w+)"', answer.text, re.MULTILINE)
            )
            await asyncio.sleep(0.05)
    return found


async def _send(running: Running, source: str, secret: str, number: int, text: str) -> None:
    """Post one signed webhook until it is acknowledged, as a sender of webhooks does."""
    data = {"external_id": f"review-{number}", "body": text, "rating": 1 + number % 5}
    body = json.dumps({"type": "feedback.created", "data": data})
    async with httpx.AsyncClient(base_url=running.base, timeout=20) as client:
        while True:
            at = datetime.now(UTC)
            headers = {
                "webhook-id": f"delivery-{number}",
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": Webhook(secret).sign(f"delivery-{number}", at, body),
            }
            try:
                response = await client.post(f"/hooks/{source}", content=body, headers=headers)
                if response.status_code in {200, 202}:
                    return
                assert response.status_code == 503
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that root's Postgres, which runs as another user, can reach; pytest's own is private."""
    with tempfile.TemporaryDirectory(prefix="earful-light-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


async def test_nothing_acknowledged_is_lost_while_every_part_is_killed(place: Path) -> None:
    port = _free_port()
    async with started(place, port) as running:
        before = await running.ask(DEMO)
        workspace = (await running.ask(CREATE_WORKSPACE))["createWorkspace"]["workspace"]["id"]
        made = (await running.ask(CREATE_SOURCE, id=workspace))["createSource"]
        source, secret = made["source"]["id"], made["signingSecret"]
        screen = Screen(running, workspace)
        watching = asyncio.ensure_future(screen.watch(2 * SENT))
        async with asyncio.timeout(60):
            await screen.is_watching.wait()
        texts = iter(enumerate(demo.bodies()[:SENT]))

        async def sender() -> None:
            for number, text in texts:
                await _send(running, source, secret, number, text)

        sending = asyncio.gather(*(sender() for _ in range(8)))
        for turn, name in enumerate(("worker", "valkey", "api", "postgres", "relay"), start=1):
            await screen.was_told(turn * SENT // 8)
            os.kill(running.pid(name), signal.SIGKILL)
        await sending
        async with asyncio.timeout(120):
            await watching

        told = screen.told
        assert sorted(told) == sorted(
            (kind, f"review-{number}") for kind in ("ADDED", "SCORED") for number in range(SENT)
        )
        places = {event: place for place, event in enumerate(told)}
        assert all(
            places["ADDED", f"review-{number}"] < places["SCORED", f"review-{number}"]
            for number in range(SENT)
        )
        totals = await running.ask(TOTALS)
        assert totals["workspace"] == {
            "stats": {"totals": {"total": SENT, "unscored": 0, "averageRating": 3.0}},
            "feedback": {"totalCount": SENT},
        }

    async with started(place, port) as again:
        assert await again.ask(TOTALS) == totals
        assert await again.ask(DEMO) == before
        assert await _processes(again) == {"api", "worker", "relay"}
    assert len(before["workspace"]["sources"]) == 4
    assert re.search(r"Demo data there +[0-9.]+ s", (place / "out.log").read_text())
