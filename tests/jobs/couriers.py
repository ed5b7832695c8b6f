"""What tests of webhooks use: receivers, a worker with a clock of its own, and a look at what became of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from app.resources import Api
from app.settings import Settings
from clients import mail
from clients.outgoing import Outgoing
from domain.job import Priority
from graph.schema import schema
from graph.webhook_payload import Payloads
from jobs import mail as mail_jobs
from jobs import webhook
from jobs.resources import WorkerResources
from jobs.runner import Runner
from persistence import database as databases
from persistence.database import Database
from tests.factories import Factory

SECONDS = 20
LOOPBACK = (ip_network("127.0.0.0/8"),)
_DUE = """
    SELECT count(*) FROM job WHERE kind IN ('deliver_webhooks', 'send_mail')
    AND (status = 'RUNNING' OR status = 'QUEUED' AND run_at <= :now)
"""
_NEXT = "SELECT min(run_at) FROM job WHERE status = 'QUEUED' AND kind = 'deliver_webhooks'"


class Clock:
    """Stands still until it is told to go on; a little ahead, so that all that was asked for is due."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, length: timedelta) -> None:
        self.now += length


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    """An HTTP response."""
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Receiver:
    """A server that gives its answers one after the other, the last again and again; what was sent to it."""

    answers: list[bytes]
    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://receiver.example:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of each request."""
        return [headers["webhook-id"] for headers in self.headers]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in head)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.headers.append(headers)
            self.bodies.append(body)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            answer_ = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            await self.open.wait()
            self.under_way -= 1
            writer.write(answer_)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(
    *answers: bytes, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Receiver]:
    """A receiver that answers; one whose `open` is cleared keeps what it was asked waiting."""
    served = Receiver(list(answers) or [answer(204)])
    served.open.set()
    server = await asyncio.start_server(served.serve, address, port)
    async with server:
        served.port = server.sockets[0].getsockname()[1]
        yield served


class Here(AbstractResolver):
    """A name server that knows of one address for every name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


@dataclass
class Courier:
    """A worker that delivers webhooks by its own clock, and mail into a directory."""

    clock: Clock
    database: Database
    factory: Factory
    runner: Runner[WorkerResources]
    mails: Path

    async def work(self) -> None:
        """Do what is due, until nothing is."""
        async with asyncio.timeout(SECONDS):
            while await self._due():
                for priority in Priority:
                    self.runner.look(priority)
                await asyncio.sleep(0.01)

    async def work_until(self, moment: timedelta) -> None:
        """Do what is due now and in that time, each when it is."""
        end = self.clock.now + moment
        await self.work()
        while (next_at := await self._next_at()) is not None and next_at <= end:
            self.clock.now = next_at
            await self.work()
        self.clock.now = end

    async def next(self) -> None:
        """Do what is due next, when it is."""
        next_at = await self._next_at()
        assert next_at is not None
        self.clock.now = next_at
        await self.work()

    async def planned(self, count: int) -> None:
        """Until there are so many deliveries: the relay writes them."""
        await self.until("SELECT count(*) FROM webhook_delivery", count)

    async def until(self, sql: str, value: object) -> None:
        async with asyncio.timeout(SECONDS):
            while (await self.factory.rows(sql)) != [(value,)]:
                await asyncio.sleep(0.01)

    async def statuses(self) -> list[tuple[str, int]]:
        """What has become of each delivery, the oldest first, and how many attempts that took."""
        rows = await self.factory.rows(
            "SELECT status, attempts FROM webhook_delivery ORDER BY created_at, id"
        )
        return [(status, attempts) for status, attempts in rows]

    async def endpoint(self, columns: str) -> tuple[Any, ...]:
        """Of the only endpoint."""
        (row,) = await self.factory.rows(f"SELECT {columns} FROM webhook")
        return row

    async def attempts(self, columns: str) -> list[tuple[Any, ...]]:
        return await self.factory.rows(
            f"SELECT {columns} FROM webhook_attempt ORDER BY at, delivery_id, number"
        )

    def mail(self) -> list[str]:
        """The mails that were sent."""
        return [path.read_text() for path in sorted(self.mails.glob("*.eml"))]

    async def _next_at(self) -> datetime | None:
        ((next_at,),) = await self.factory.rows(_NEXT)
        return None if next_at is None else max(next_at, self.clock.now)

    async def _due(self) -> int:
        ((due,),) = await self.factory.rows(_DUE, now=self.clock.now)
        return int(due)


@asynccontextmanager
async def courier(
    settings: Settings,
    api: Api,
    factory: Factory,
    mails: Path,
    *,
    resolver: AbstractResolver | None = None,
    allowed: Sequence[Any] = LOOPBACK,
) -> AsyncIterator[Courier]:
    """A worker; its names lead to this machine, which it may call, unless others are given."""
    clock = Clock()
    assert settings.database_url is not None
    async with AsyncExitStack() as stack:
        database = await databases.connect(settings.database_url, clock=clock, pool_size=5)
        stack.push_async_callback(database.close)
        outgoing = await stack.enter_async_context(
            Outgoing(
                allowed, http_allowed=True, user_agent="Earful/tests", resolver=resolver or Here()
            )
        )
        payloads = Payloads(
            schema._schema,
            database,
            api.objects,
            base_url=settings.base_url,
            seals=api.services.seals,
            clock=clock,
            seconds=5,
        )
        resources = WorkerResources(
            database,
            api.services.scorer,
            mail.mailer(None, settings.mail_from, mails),
            "earful.test",
            outgoing,
            base_url=settings.base_url,
            clock=clock,
            job_history=timedelta(days=30),
            audit_history=timedelta(days=400),
            seals=api.services.seals,
            render=payloads.render,
            objects=api.objects,
            file_rules=api.services.file_rules,
        )
        runner = Runner(database, resources, (*webhook.TASKS, *mail_jobs.TASKS), clock=clock)
        running = asyncio.ensure_future(runner.run())
        try:
            yield Courier(clock, database, factory, runner, mails)
        finally:
            await runner.drain(5)
            running.cancel()
            await asyncio.wait({running})
