"""Starts server processes on ports of 127.0.0.1."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from app.embedded import Endpoints
from app.embedded.process import Child, Command, Guard
from bench import node

ROOT = Path(__file__).parents[1]
EARFUL = (sys.executable, "-m", "app", "api")
_SECONDS_TO_START = 60
_SECRET = "not a secret: a throw-away server's"  # noqa: S105


class ServerError(Exception):
    """A server did not start, or does not do what it should."""


def uvicorn(application: str) -> tuple[str, ...]:
    """The command that serves an ASGI application."""
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


def start(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    logs: Path,
    guard: Guard,
) -> tuple[int, Child]:
    """Start a server, which the guard ends with this process, and wait until it takes connections.

    `{PORT}` and `{NODE}` in the command are filled in. Answers its port and process.
    """
    port = free_port()
    places = {"PORT": str(port), "NODE": str(node.binary())}
    asked = Command(
        name=name,
        argv=tuple(part.format_map(places) for part in command),
        env={**os.environ, "NODE_ENV": "production", **environment, **places},
        cwd=ROOT,
        log=logs / f"{name}.log",
    )
    child = Child(asked, guard)
    child.start()
    patience = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < patience and child.running():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return port, child
        time.sleep(0.05)
    child.end()
    raise ServerError(f"{name} did not start:{child.last_lines(60)}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def earful_environment(endpoints: Endpoints) -> Mapping[str, str]:
    """What Earful's API is started with: limits out of reach, a token that lasts."""
    given = {
        "DATABASE_URL": endpoints.database_url,
        "REDIS_URL": endpoints.redis_url,
        "S3_ENDPOINT_URL": endpoints.s3_endpoint_url,
        "S3_ACCESS_KEY_ID": endpoints.s3_access_key_id,
        "S3_SECRET_ACCESS_KEY": endpoints.s3_secret_access_key,
    }
    return {
        "HOST": "127.0.0.1",
        "SECRET_KEY": _SECRET,
        "RATE_LIMIT_SCALE": "1000000",
        "ACCESS_TOKEN_SECONDS": "86400",
        **{name: value for name, value in given.items() if value is not None},
    }


def login(port: int, email: str, password: str) -> str:
    """An access token of Earful's."""
    query = """mutation($input: LoginInput!) { login(input: $input) {
        ... on LoginSuccess { tokens { accessToken } } ... on Problem { message } } }"""
    asked = {"query": query, "variables": {"input": {"email": email, "password": password}}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        orjson.dumps(asked),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return str(orjson.loads(answer.read())["data"]["login"]["tokens"]["accessToken"])
