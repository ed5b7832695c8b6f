"""An Earful of three processes on stores of its own, which tells all it can of itself."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.settings import Settings
from tests.app.collector import Collector
from tests.callers import Caller
from tests.processes import ROOT

T = TypeVar("T")
SECONDS = 240
SENTRY_KEY = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Observed:
    """The processes, and what they say."""

    base: str
    directory: Path
    collector: Collector
    http: httpx.AsyncClient
    database_url: str

    def log(self, process: str) -> str:
        return (self.directory / f"{process}.log").read_text()

    def lines(self, process: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log(process).splitlines()]

    def as_nobody(self) -> Caller:
        return Caller(self.http)

    @asynccontextmanager
    async def socket(self, token: str) -> AsyncIterator[ClientConnection]:
        """A socket that was acknowledged."""
        url = self.base.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as opened:
            payload = {"authorization": f"Bearer {token}"}
            await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await opened.recv()) == {"type": "connection_ack"}
            yield opened


async def until(found: Callable[[], T], *, holds: Callable[[T], bool] = bool) -> T:
    """What is found, as soon as it holds."""
    async with asyncio.timeout(SECONDS):
        while not holds(now := found()):
            await asyncio.sleep(0.05)
    return now


@asynccontextmanager
async def observed(
    settings: Settings, directory: Path, collector: Collector
) -> AsyncIterator[Observed]:
    """The processes, as soon as the API serves."""
    port = _free_port()
    assert settings.database_url is not None
    assert settings.redis_url is not None
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "S3_ENDPOINT_URL": settings.s3_endpoint_url or "",
        "SECRET_KEY": "a secret key that only these tests use",
        "DATA_DIR": str(directory),
        "LOG_FORMAT": "json",
        "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "TRACE_EVENTS": "true",
        "SENTRY_DSN": f"http://{SENTRY_KEY}@127.0.0.1:{collector.port}/1",
    }
    base = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        for name in ("api", "worker", "relay"):
            await stack.enter_async_context(_process(name, directory, environment))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=20))
        async with asyncio.timeout(SECONDS):
            while not await _is_ready(http):
                await asyncio.sleep(0.1)
        yield Observed(base, directory, collector, http, settings.database_url)


@asynccontextmanager
async def _process(
    name: str, directory: Path, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    with (directory / f"{name}.log").open("ab") as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", name, cwd=ROOT, env=environment, stderr=log
        )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.terminate()
        async with asyncio.timeout(SECONDS):
            await started.wait()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
