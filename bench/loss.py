"""Nothing is lost: clients of two replicas compare what they heard with what was committed, while things are killed.

Feedback is submitted through whichever replica answers. Meanwhile clients drop their sockets at random, replicas and
Valkey are killed with SIGKILL, and Redis connections are cut. In the end every client must have heard every commit once
and in the one order that all heard, or have been told of a gap; with the append-only file on, there is none.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import redis.asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from app.embedded import EmbeddedParts, Endpoints
from app.embedded.process import Child, Command
from bench.servers import EARFUL, ROOT, ServerError, earful_environment, free_port
from bench.stores import empty

EVENTS = """subscription($workspace: ID!, $after: String) {
  feedbackEvents(workspaceId: $workspace, after: $after) {
    __typename ... on FeedbackEvent { cursor type feedback { id } } ... on StreamGap { cursor }
  }
}"""
SUBMIT = """mutation($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } ... on Problem { message } }
}"""
LOGIN = """mutation($input: LoginInput!) { login(input: $input) {
  ... on LoginSuccess { tokens { accessToken } } ... on Problem { message } } }"""
START = '{ workspace(slug: "demo") { id feedbackCursor } }'
PASSWORD = "earful-demo-password"  # noqa: S105 - the demo's, which the README tells
_SECONDS_TO_CATCH_UP = 60.0
_REFUSALS = range(4000, 5000)


@dataclass
class Client:
    """One dashboard: what it has heard, and its socket, which anybody may break."""

    number: int
    cursor: str
    heard: list[str] = field(default_factory=list)
    gaps: int = 0
    connects: int = 0
    socket: ClientConnection | None = None


@dataclass
class World:
    """The replicas, and what is known of them."""

    ports: list[int]
    token: str = ""
    workspace: str = ""
    submitted: int = 0
    is_over: bool = False


def main(arguments: Sequence[str]) -> None:
    """Run it; a loss ends the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m bench loss", description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--disconnects", type=int, default=1_000)
    parser.add_argument(
        "--kills", type=int, default=10, help="of replicas, and of Redis connections"
    )
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-loss-")))
        environment = {**os.environ, **earful_environment(endpoints), "LOG_LEVEL": "warning"}
        # One name for both, as behind a gateway: it is in the tokens.
        environment["PUBLIC_URL"] = "http://earful.test"
        # The first for the bucket.
        for command in ("migrate", "seed"):
            subprocess.run(  # noqa: S603 - our own commands
                [sys.executable, "-m", "app", command], cwd=ROOT, env=environment, check=True
            )
        ports = [free_port(), free_port()]
        children = {
            f"api{at}": Child(
                Command(
                    f"api{at}",
                    EARFUL,
                    {**environment, "PORT": str(port)},
                    ROOT,
                    log=logs / f"api{at}.log",
                ),
                parts.guard,
            )
            for at, port in enumerate(ports)
        }
        relay = (sys.executable, "-m", "app", "relay")
        children["relay"] = Child(
            Command("relay", relay, environment, ROOT, log=logs / "relay.log"), parts.guard
        )
        for child in children.values():
            child.start()
            stack.callback(child.end)
        try:
            found = asyncio.run(_run(options, World(ports), endpoints, parts, children))
        except ServerError as lost:
            for name, child in children.items():
                print(f"{name}:{child.last_lines(5)}", file=sys.stderr)
            sys.exit(str(lost))
        print(found)


async def _run(
    options: argparse.Namespace,
    world: World,
    endpoints: Endpoints,
    parts: EmbeddedParts,
    children: dict[str, Child],
) -> str:
    await asyncio.gather(*(_up(port) for port in world.ports))
    answer = await _ask(
        world, LOGIN, {"input": {"email": "demo@earful.example", "password": PASSWORD}}
    )
    world.token = answer["login"]["tokens"]["accessToken"]
    start = (await _ask(world, START, {}))["workspace"]
    world.workspace = start["id"]
    clients = [Client(number, start["feedbackCursor"]) for number in range(options.clients)]
    listening = [asyncio.ensure_future(_listen(world, client)) for client in clients]
    writing = asyncio.ensure_future(_write(world))
    tending = asyncio.ensure_future(_tend(parts))
    done = await _break(options, world, endpoints, clients, children)
    world.is_over = True
    await writing
    order = await _committed(endpoints, world)
    patience = time.monotonic() + _SECONDS_TO_CATCH_UP
    while time.monotonic() < patience and not all(  # noqa: ASYNC110 - what it asks is not an event
        len(c.heard) >= len(order) or c.gaps for c in clients
    ):
        await asyncio.sleep(0.2)
    for task in (*listening, tending):
        task.cancel()
    await asyncio.gather(*listening, tending, return_exceptions=True)
    return _compared(clients, order, done)


def _compared(clients: Sequence[Client], committed: set[str], done: dict[str, int]) -> str:
    first = clients[0].heard
    for client in clients:
        if client.gaps:
            raise ServerError(f"client {client.number} was told of {client.gaps} gaps")
        if len(client.heard) != len(set(client.heard)):
            raise ServerError(f"client {client.number} heard something twice")
        if missing := committed - set(client.heard):
            raise ServerError(f"client {client.number} missed {len(missing)} of {len(committed)}")
        if client.heard != first:
            raise ServerError(f"client {client.number} heard another order")
    connects = sum(client.connects for client in clients)
    return (
        f"{len(clients)} clients heard all {len(committed)} commits, each once and in one order, over {connects} "
        f"connections. " + ", ".join(f"{count} {what}" for what, count in done.items()) + "."
    )


async def _break(
    options: argparse.Namespace,
    world: World,
    endpoints: Endpoints,
    clients: Sequence[Client],
    children: dict[str, Child],
) -> dict[str, int]:
    """Everything that is to happen, in a random order over the time there is."""
    plan = ["disconnects of clients"] * options.disconnects
    plan += ["kills of replicas", "kills of Redis connections"] * options.kills
    plan += ["kills of Valkey", "kills of the relay"]
    random.shuffle(plan)
    done = dict.fromkeys(sorted(plan), 0)
    pause = options.seconds / len(plan)
    for what in plan:
        match what:
            case "disconnects of clients":
                client = random.choice(clients)  # noqa: S311 - not for secrets
                if client.socket is not None:
                    client.socket.transport.abort()
            case "kills of replicas" | "kills of the relay":
                name = "relay" if what == "kills of the relay" else random.choice(("api0", "api1"))  # noqa: S311
                child = children[name]
                if child.running():
                    os.kill(child.pid, signal.SIGKILL)
                while child.running():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                child.start()
            case _:
                await _break_redis(endpoints, what)
        done[what] += 1
        await asyncio.sleep(pause)
    await asyncio.gather(*(_up(port) for port in world.ports))
    return done


async def _break_redis(endpoints: Endpoints, what: str) -> None:
    assert endpoints.redis_url is not None
    with contextlib.suppress(redis.exceptions.RedisError):
        async with redis.asyncio.Redis.from_url(endpoints.redis_url) as client:
            if what == "kills of Valkey":
                pid = int((await client.info("server"))["process_id"])
                os.kill(pid, signal.SIGKILL)
            else:
                await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
                await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]


async def _tend(parts: EmbeddedParts) -> None:
    while True:
        parts.tend()
        await asyncio.sleep(0.05)


async def _listen(world: World, client: Client) -> None:
    """Follow from the last cursor, for ever."""
    while True:
        port = random.choice(world.ports)  # noqa: S311
        try:
            async with connect(
                f"ws://127.0.0.1:{port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                open_timeout=5,
                close_timeout=0,
            ) as client.socket:
                client.connects += 1
                await _follow(world, client, client.socket)
        except (OSError, WebSocketException, TimeoutError):
            closed = client.socket and client.socket.close_code
            if closed in _REFUSALS:
                raise ServerError(f"client {client.number} was refused: {closed}") from None
        client.socket = None
        await asyncio.sleep(random.random() * 0.2)  # noqa: S311


async def _follow(world: World, client: Client, socket_: ClientConnection) -> None:
    async def say(**message: Any) -> None:
        await socket_.send(json.dumps(message))

    await say(type="connection_init", payload={"authorization": f"Bearer {world.token}"})
    variables = {"workspace": world.workspace, "after": client.cursor}
    await say(
        type="subscribe", id=str(client.connects), payload={"query": EVENTS, "variables": variables}
    )
    async for text in socket_:
        message = json.loads(text)
        if message["type"] == "error":
            raise ServerError(f"client {client.number}: {message['payload']}")
        if message["type"] != "next":
            continue
        item = message["payload"]["data"]["feedbackEvents"]
        client.cursor = item["cursor"]
        if item["__typename"] == "StreamGap":
            client.gaps += 1
        elif item["type"] == "ADDED":
            client.heard.append(item["feedback"]["id"])


async def _write(world: World) -> None:
    """Submit one after the other, each until it is certain that it is stored."""
    while not world.is_over:
        number = world.submitted
        given = {
            "workspaceId": world.workspace,
            "externalId": f"loss-{number}",
            "body": f"Number {number}.",
        }
        with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError, TypeError):
            answer = await _ask(world, SUBMIT, {"input": given})
            assert answer["submitFeedback"]["feedback"]["id"]
            world.submitted += 1
        await asyncio.sleep(0.01)


async def _committed(endpoints: Endpoints, world: World) -> set[str]:
    connection = await asyncpg.connect(endpoints.database_url)
    try:
        rows = await connection.fetch(
            "SELECT id FROM feedback WHERE external_id LIKE 'loss-%' AND workspace_id ="
            " (SELECT id FROM workspace WHERE slug = 'demo')"
        )
    finally:
        await connection.close()
    if len(rows) != world.submitted:
        raise ServerError(f"{world.submitted} were submitted, {len(rows)} are stored")
    return {f"feedback_{row['id'].hex}" for row in rows}


async def _up(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError, ValueError):
                await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/readyz")
                return
            await asyncio.sleep(0.1)


def _get(url: str) -> None:
    urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - ours


async def _ask(world: World, query: str, variables: dict[str, Any]) -> Any:
    return await asyncio.to_thread(_post, random.choice(world.ports), world.token, query, variables)  # noqa: S311


def _post(port: int, token: str, query: str, variables: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json"}
        | ({"authorization": f"Bearer {token}"} if token else {}),
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return json.load(response)["data"]
