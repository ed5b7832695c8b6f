"""Nothing is lost and nothing happens twice: mixed jobs, while all that does them is killed with SIGKILL.

Two workers and two relays, and below them Valkey and Postgres, are killed at random moments and started again, as
their supervisor would. In the end every job is as its row says, every effect in Postgres is there once, and a real
mail server and a real webhook receiver have got everything, under one id each, however often it came.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import redis.asyncio

from app.embedded import EmbeddedParts, Endpoints
from app.embedded.process import Child, Command
from app.stores import now
from bench import processes
from bench.chaos import asking, checks
from bench.chaos.asking import Asker
from bench.chaos.checks import Found
from bench.servers import ROOT, ServerError, earful_environment, free_port
from bench.stores import empty
from persistence import database as databases

_VICTIMS = ("worker0", "worker1", "relay0", "relay1", "valkey", "postgres")
_LOOK_SECONDS = 0.25
_PATIENCE = 240.0
_MAY_BE_SILENT = 30.0


@dataclass(frozen=True)
class Plan:
    """How much is to happen, and within how many seconds."""

    jobs: int
    kills: int
    poisons: int
    seconds: float
    chance: random.Random


@dataclass
class World:
    """What runs, and what has happened to it."""

    endpoints: Endpoints
    parts: EmbeddedParts
    children: dict[str, Child]
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_VICTIMS, 0))
    starts: int = 0
    silence: float = 0.0
    requeued: int = 0


def main(arguments: Sequence[str]) -> None:
    """Run it; anything wrong ends the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m bench chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--poisons", type=int, default=3, help="jobs that kill who does them")
    parser.add_argument("--seconds", type=float, default=300.0, help="in which jobs are asked for")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        found, world = run(
            options.jobs, options.kills, options.poisons, options.seconds, options.seed
        )
    except ServerError as error:
        sys.exit(str(error))
    print(report(found, world, time.monotonic() - began))
    if found.wrong:
        sys.exit(f"{len(found.wrong)} things are wrong.")


def run(
    jobs: int, kills: int, poisons: int, seconds: float, seed: int | None = None
) -> tuple[Found, World]:
    """So many jobs and kills over so many seconds, and then until all has ended."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-chaos-")))
        http, smtp = free_port(), free_port()
        received = place / "received"
        received.touch()
        environment = {
            **os.environ,
            **earful_environment(endpoints),
            "LOG_LEVEL": "error",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp}?starttls=never",
            "OUTGOING_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        commands = {
            "receiver": ("bench.chaos.receiver", str(http), str(smtp), str(received)),
            **{f"worker{at}": ("bench.chaos.process", "worker") for at in range(2)},
            **{f"relay{at}": ("bench.chaos.process", "relay") for at in range(2)},
        }
        children = {
            name: Child(
                Command(
                    name,
                    (sys.executable, "-m", *command),
                    environment,
                    ROOT,
                    log=place / f"{name}.log",
                ),
                parts.guard,
            )
            for name, command in commands.items()
        }
        world = World(endpoints, parts, children)
        for child in children.values():
            child.start()
            stack.callback(child.end)
        url = f"http://127.0.0.1:{http}/"
        plan = Plan(jobs, kills, poisons, seconds, chance)
        found = asyncio.run(_run(world, plan, url, received))
        if found.wrong:
            for name, child in children.items():
                print(f"{name}:{child.last_lines(8)}", file=sys.stderr)
        return found, world


async def _run(
    world: World,
    plan: Plan,
    url: str,
    received: Path,
) -> Found:
    assert world.endpoints.database_url is not None
    database = await databases.connect(world.endpoints.database_url, clock=now)
    tending = asyncio.ensure_future(_tend(world))
    watching = asyncio.ensure_future(_watch(world))
    try:
        asker = await asking.prepare(database, url)
        await _until_up(world)
        async with asyncio.TaskGroup() as group:
            group.create_task(asker.ask(plan.jobs, plan.poisons, plan.seconds))
            group.create_task(_kill(world, plan))
        await asker.unschedule()
        await _until_all_ended(world, asker)
        connection = await asyncpg.connect(world.endpoints.database_url)
        try:
            found = await checks.check(connection, plan.jobs, received)
        finally:
            await connection.close()
    finally:
        for task in (tending, watching):
            task.cancel()
        await asyncio.gather(tending, watching, return_exceptions=True)
        await database.close()
    found.expect(
        world.silence <= _MAY_BE_SILENT,
        f"a dead worker kept its jobs for {world.silence:.0f} seconds",
    )
    return found


async def _kill(world: World, plan: Plan) -> None:
    """Each in turn of a shuffled list, at random moments."""
    victims = [_VICTIMS[at % len(_VICTIMS)] for at in range(plan.kills)]
    plan.chance.shuffle(victims)
    moments = sorted(plan.chance.uniform(0, plan.seconds) for _ in victims)
    begun = asyncio.get_running_loop().time()
    for moment, victim in zip(moments, victims, strict=True):
        await asyncio.sleep(max(0, begun + moment - asyncio.get_running_loop().time()))
        while not (pid := await _process(world, victim)):  # noqa: ASYNC110 - it is being started
            await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        world.kills[victim] += 1


async def _process(world: World, victim: str) -> int:
    """Its process id; 0 when it does not run."""
    if victim in world.children:
        child = world.children[victim]
        return child.pid if child.running() else 0
    if victim == "valkey":
        assert world.endpoints.redis_url is not None
        with contextlib.suppress(redis.exceptions.RedisError):
            async with redis.asyncio.Redis.from_url(world.endpoints.redis_url) as client:
                return int((await client.info("server"))["process_id"])
        return 0
    with contextlib.suppress(*checks.LOST):
        connection = await asyncpg.connect(world.endpoints.database_url, timeout=2)
        try:
            return processes.parent(await connection.fetchval("SELECT pg_backend_pid()"))
        finally:
            connection.terminate()
    return 0


async def _tend(world: World) -> None:
    """Start again what has died."""
    while True:
        world.parts.tend()
        for child in world.children.values():
            if not child.running():
                child.start()
                world.starts += 1
        await asyncio.sleep(0.05)


async def _watch(world: World) -> None:
    """For how long dead workers keep jobs, while Postgres can be asked."""
    while True:
        with contextlib.suppress(*checks.LOST):
            connection: Any = await asyncpg.connect(world.endpoints.database_url, timeout=2)
            try:
                while True:
                    silence = await checks.longest_silence(connection)
                    world.silence = max(world.silence, silence)
                    await asyncio.sleep(_LOOK_SECONDS)
            finally:
                connection.terminate()
        await asyncio.sleep(_LOOK_SECONDS)


async def _until_up(world: World) -> None:
    connection = await asyncpg.connect(world.endpoints.database_url)
    try:
        async with asyncio.timeout(_PATIENCE):
            while not await checks.are_up(connection):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await connection.close()


async def _until_all_ended(world: World, asker: Asker) -> None:
    connection = await asyncpg.connect(world.endpoints.database_url)
    try:
        async with asyncio.timeout(_PATIENCE):
            while await checks.unfinished(connection) or await _requeued(world, asker):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
            while await connection.fetchval("SELECT count(*) FROM outbox"):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        left = await checks.unfinished(connection)
        raise ServerError(f"{left} jobs have not ended after {_PATIENCE:.0f} seconds") from None
    finally:
        await connection.close()


async def _requeued(world: World, asker: Asker) -> int:
    number = await asker.requeue()
    world.requeued += number
    return number


def report(found: Found, world: World, seconds: float) -> str:
    """What was done and found, for people."""
    lines = [
        f"{found.figures['asked']} jobs were asked for in {seconds:.0f} s; killed with SIGKILL:"
    ]
    lines += [f"  {victim:<10} {times}" for victim, times in world.kills.items()]
    lines += [f"  started again: {world.starts} of our own processes, what killed itself included"]
    lines += [f"  {name:<10} {figure}" for name, figure in found.figures.items()]
    lines += [f"  jobs queued again that were there at three kills: {world.requeued}"]
    lines += [f"  the longest that a dead worker kept jobs: {world.silence:.1f} s"]
    lines += [f"WRONG: {text}" for text in found.wrong[:20]]
    lines += [] if found.wrong else ["All as it must be: each row, each effect once, none lost."]
    return "\n".join(lines)
