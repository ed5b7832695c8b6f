"""Background jobs: Earful's, whose rows are in Postgres, beside plain Dramatiq and BullMQ on the same Valkey.

Each has one worker process. In every round each in turn is stopped, given its jobs, and set free; timed is how long it
takes to do them. What it costs to ask for one, and how soon after its commit one begins when nothing else is to be
done, is timed apart.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import redis
from dramatiq.brokers.redis import RedisBroker

from app.embedded.process import Child, Command, Guard
from app.stores import now
from bench import node, report
from bench.jobs import systems, tasks
from bench.jobs.systems import BULL, Bull, Earful, Plain, System
from bench.servers import ROOT, earful_environment
from bench.stores import empty
from domain import job
from persistence import database as databases
from persistence.database import Database

_KINDS = ("nothing", "row")
_ASKED = 1_000
_STAMPS = 200
_GOAL = 0.6
_GOAL_MILLISECONDS = 20.0
_SECONDS_TO_START = 60.0


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5_000, help="in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True, help="BullMQ too"
    )
    options = parser.parse_args(arguments)
    if options.peers:
        node.install()
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        environment = {**os.environ, **earful_environment(endpoints), "LOG_LEVEL": "error"}
        commands = {
            "earful": (sys.executable, "-m", "bench.jobs.process", "worker"),
            "relay": (sys.executable, "-m", "bench.jobs.process", "relay"),
            "dramatiq": (
                *(sys.executable, "-m", "dramatiq", "bench.jobs.plain"),
                *("--processes", "1", "--threads", "8"),
            ),
        }
        if options.peers:
            commands["bullmq"] = (str(node.binary()), str(BULL), "worker")
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-jobs-")))
        children = _start(commands, environment, parts.guard, logs, stack)
        found = asyncio.run(_measure(options, children, environment))
    _report(options, found)


def _start(
    commands: Mapping[str, tuple[str, ...]],
    environment: Mapping[str, str],
    guard: Guard,
    logs: Path,
    stack: ExitStack,
) -> dict[str, Child]:
    children = {
        name: Child(Command(name, argv, environment, ROOT, log=logs / f"{name}.log"), guard)
        for name, argv in commands.items()
    }
    for child in children.values():
        child.start()
        stack.callback(child.end)
    return children


async def _measure(
    options: argparse.Namespace, children: Mapping[str, Child], environment: Mapping[str, str]
) -> dict[str, Any]:
    database = await databases.connect(environment["DATABASE_URL"], clock=now)
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    client = redis.Redis.from_url(environment["REDIS_URL"])
    broker = RedisBroker(url=environment["REDIS_URL"])  # type: ignore[no-untyped-call]
    broker.declare_queue("plain")
    try:
        await systems.prepare(connection)
        given: dict[str, System] = {
            "earful": Earful(children["earful"], database, connection),
            "dramatiq": Plain(children["dramatiq"], broker, client),
        }
        if "bullmq" in children:
            given["bullmq"] = Bull(children["bullmq"], environment, client)
        for system in given.values():
            for kind in _KINDS:
                async with asyncio.timeout(_SECONDS_TO_START):
                    await system.ask(kind, 200)
                    await systems.drained(system)
        latencies = await _latencies(database, connection)
        found: dict[str, Any] = {"latency": latencies}
        for kind in _KINDS:
            found[kind] = {name: [] for name in given}
            for _ in range(options.rounds):
                for name, system in given.items():
                    await connection.execute("DELETE FROM job WHERE kind LIKE 'bench%'")
                    await connection.execute("VACUUM ANALYZE job")
                    found[kind][name].append(await _timed(system, kind, options.jobs))
        found["ask"] = {name: [] for name in given}
        for _ in range(options.rounds):
            for name, system in given.items():
                found["ask"][name].append(_ASKED / await system.ask("nothing", _ASKED))
                await systems.drained(system)
    finally:
        await connection.close()
        await database.close()
        client.close()
        broker.close()
    return found


async def _timed(system: System, kind: str, number: int) -> float:
    """Jobs a second, from when it is set free."""
    os.killpg(system.worker.pid, signal.SIGSTOP)
    try:
        await system.fill(kind, number)
    finally:
        os.killpg(system.worker.pid, signal.SIGCONT)
    began = time.perf_counter()
    await systems.drained(system)
    return number / (time.perf_counter() - began)


async def _latencies(database: Database, connection: Any) -> list[float]:
    """Seconds from the moment in which a commit is sent to that in which its job begins, one at a time."""
    asked = []
    for _ in range(_STAMPS):
        async with database.transaction() as uow:
            row = await job.enqueue(uow, tasks.STAMP, workspace=None)
            moment = time.time()
        asked.append((row.id, moment))
        await asyncio.sleep(0.05)
    results = {
        row["id"]: orjson.loads(row["result"])["begun"]
        for row in await connection.fetch(
            "SELECT id, result FROM job WHERE kind = $1 AND status = 'SUCCEEDED'", tasks.STAMP.name
        )
    }
    return sorted(results[id_] - moment for id_, moment in asked if id_ in results)


def _report(options: argparse.Namespace, found: dict[str, Any]) -> None:
    latencies = [seconds * 1e3 for seconds in found["latency"]]
    median, late = statistics.median(latencies), latencies[len(latencies) * 95 // 100]
    names = list(found["nothing"])
    titles = {
        "nothing": "no-op jobs/s",
        "row": "jobs/s that update a row",
        "ask": "asked for one by one, jobs/s",
    }
    lines = [
        f"## Background jobs: {options.jobs:,} a round, medians of {options.rounds} rounds",
        "",
        f"| | {' | '.join(names)} | Earful's share of the others' |",
        f"|---|{'---|' * (len(names) + 1)}",
    ]
    shares = {}
    for key, title in titles.items():
        rates = {name: statistics.median(found[key][name]) for name in names}
        # Of each round by itself: what else the machine did was the same for all.
        shares[key] = {
            name: statistics.median(
                ours / theirs
                for ours, theirs in zip(found[key]["earful"], found[key][name], strict=True)
            )
            for name in names[1:]
        }
        figures = " | ".join(f"{rate:,.0f}" for rate in rates.values())
        of_others = " / ".join(f"{share:.2f}" for share in shares[key].values())
        lines.append(f"| {title} | {figures} | {of_others} |")
    lines += [
        "",
        f"From commit to start when idle: {median:.1f} ms (median), {late:.1f} ms (95th percentile).",
        "",
        report.goal_table(
            [
                *(
                    report.goal(
                        f"{titles[kind]}: at least {_GOAL} of plain Dramatiq's",
                        shares[kind]["dramatiq"] >= _GOAL,
                        f"{shares[kind]['dramatiq']:.2f}",
                    )
                    for kind in _KINDS
                ),
                report.goal(
                    f"from commit to start under {_GOAL_MILLISECONDS:.0f} ms (median, idle)",
                    median < _GOAL_MILLISECONDS,
                    f"{median:.1f} ms",
                ),
            ]
        ),
    ]
    report.keep("jobs", "\n".join(lines), found)
