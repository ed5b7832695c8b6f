"""The three that are timed: each asks for jobs, one by one and many at once, and knows when all are done."""

import asyncio
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from app.embedded.process import Child
from bench import node
from bench.jobs import tasks
from domain import job
from domain.job import Kind
from persistence.database import Database

ROWS = 1_000
_LOOK_SECONDS = 0.005
_BACKLOG = """
    INSERT INTO job (id, kind, arguments, status, attempts, created_at, run_at)
    SELECT gen_random_uuid(), $1, jsonb_build_object('id', n % 1000), 'QUEUED', 0, now(), now()
    FROM generate_series(1, $2) AS n"""


class System(Protocol):
    """A queue with a worker process."""

    worker: Child

    async def ask(self, kind: str, number: int) -> float:
        """One after the other; answers the seconds."""

    async def fill(self, kind: str, number: int) -> None:
        """Many at once."""

    async def left(self) -> int:
        """How many are not done."""


@dataclass
class Earful:
    """A row per job in Postgres, asked for in a transaction."""

    worker: Child
    database: Database
    connection: Any

    async def ask(self, kind: str, number: int) -> float:
        of = _KINDS[kind]
        began = time.perf_counter()
        for at in range(number):
            async with self.database.transaction() as uow:
                await job.enqueue(uow, of, workspace=None, arguments={"id": at % ROWS})
        return time.perf_counter() - began

    async def fill(self, kind: str, number: int) -> None:
        await self.connection.execute(_BACKLOG, _KINDS[kind].name, number)

    async def left(self) -> int:
        return int(
            await self.connection.fetchval(
                "SELECT count(*) FROM (SELECT FROM job WHERE status = 'QUEUED' AND kind LIKE 'bench%' LIMIT 1) AS q"
            )
        ) or int(
            await self.connection.fetchval("SELECT count(*) FROM job WHERE status = 'RUNNING'")
        )


@dataclass
class Plain:
    """Dramatiq's messages in Redis."""

    worker: Child
    broker: RedisBroker
    client: "redis.Redis"

    def _message(self, kind: str, at: int) -> dramatiq.Message[None]:
        return dramatiq.Message(
            queue_name="plain", actor_name=kind, args=(at % ROWS,), kwargs={}, options={}
        )

    async def ask(self, kind: str, number: int) -> float:
        began = time.perf_counter()
        for at in range(number):
            self.broker.enqueue(self._message(kind, at))
        return time.perf_counter() - began

    async def fill(self, kind: str, number: int) -> None:
        await self.ask(kind, number)

    async def left(self) -> int:
        return int(self.client.hlen("dramatiq:plain.msgs"))


@dataclass
class Bull:
    """BullMQ's jobs in Redis."""

    worker: Child
    environment: Mapping[str, str]
    client: "redis.Redis"

    async def ask(self, kind: str, number: int) -> float:
        return await asyncio.to_thread(self._run, "ask", kind, number) / 1e3

    async def fill(self, kind: str, number: int) -> None:
        await asyncio.to_thread(self._run, "fill", kind, number)

    async def left(self) -> int:
        waiting = int(self.client.llen("bull:bench:wait"))
        return waiting or int(self.client.llen("bull:bench:active"))

    def _run(self, what: str, kind: str, number: int) -> float:
        done = subprocess.run(  # noqa: S603 - our own program
            [str(node.binary()), str(BULL), what, kind, str(number)],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout)


BULL = Path(__file__).with_name("bullmq.mjs")
_KINDS: dict[str, Kind] = {"nothing": tasks.NOTHING, "row": tasks.ROW}


async def drained(system: System) -> None:
    """Until nothing is left."""
    while await system.left():  # noqa: ASYNC110 - what it asks is not an event
        await asyncio.sleep(_LOOK_SECONDS)


async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The rows that jobs update."""
    await connection.execute("CREATE TABLE bench_counter (id int PRIMARY KEY, value int NOT NULL)")
    await connection.execute(
        "INSERT INTO bench_counter SELECT n, 0 FROM generate_series(0, $1 - 1) AS n", ROWS
    )
