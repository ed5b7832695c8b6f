"""Stored texts are scored, and then scored again, while the worker is killed with SIGKILL in the middle of each.

Counted is that every text has one score in the totals; watched is how much memory the worker takes; timed is each step.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from app.embedded.process import Child, Command
from app.settings import Settings
from app.stores import now, open_database
from bench import report
from bench.servers import ROOT, earful_environment
from bench.stores import empty
from domain import demo, rescoring, scoring
from domain.feedback import Filter
from domain.viewer import Viewer
from persistence import account as account_store
from persistence import source as source_store
from persistence import workspace as workspace_store
from persistence.database import Database, new_id

_KILLED_AT = 0.45
_LOOK_SECONDS = 0.5
_BATCH = 5_000
# Above what it takes once it has begun.
_FLAT = 64 * 2**20
_ADD = """
    INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)
    SELECT gen_random_uuid(), $1, $2, body, now() - number * interval '7 seconds', now()
    FROM unnest($3::text[], $4::int[]) AS given(body, number)"""
_OUTDATE = "UPDATE feedback SET sentiment_model = 'older' WHERE sentiment_label IS NOT NULL"
_LEFT = {
    "score": "SELECT count(*) FROM feedback WHERE scored_at IS NULL",
    "score again": "SELECT count(*) FROM feedback WHERE sentiment_model = 'older'",
}
_KEPT = """
    SELECT sum(n)::bigint, sum(score)::bigint FROM (
        SELECT negative + neutral + positive AS n, negative_score + neutral_score + positive_score AS score
        FROM stats_hour
        WHERE tag_id = source_id AND tag_id = '00000000-0000-0000-0000-000000000000'
        UNION ALL SELECT feedback, score FROM stats_delta
        WHERE tag_id = '00000000-0000-0000-0000-000000000000' AND label IS NOT NULL
    ) AS parts"""
_RECOUNTED = """
    SELECT count(*), sum((sentiment_score * '1e9'::float8)::bigint)::bigint FROM feedback
    WHERE sentiment_label IS NOT NULL"""
_BY_MODEL = (
    "SELECT model, sum(feedback)::bigint FROM model_hour GROUP BY model HAVING sum(feedback) <> 0"
)


@dataclass
class World:
    """What runs, and what was found."""

    rows: int
    worker: Child
    database: Database
    connection: Any
    viewer: Viewer
    workspace: UUID
    figures: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, name: str, found: Any, wanted: Any) -> None:
        self.figures[name] = found
        if found != wanted:
            self.wrong.append(f"{name}: {found} instead of {wanted}")


def main(arguments: Sequence[str]) -> None:
    """Run it and print; ends with 1 if a text was left out or counted twice."""
    parser = argparse.ArgumentParser(prog="python -m bench scoring", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--once", action="store_true", help="do not score them again")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        given = earful_environment(endpoints)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-scoring-")))
        environment = {**os.environ, **given, "DATA_DIR": str(logs), "LOG_LEVEL": "warning"}
        children = {
            name: Child(
                Command(
                    name, (sys.executable, "-m", "app", name), environment, ROOT, log=logs / name
                ),
                parts.guard,
            )
            for name in ("relay", "worker")
        }
        for child in children.values():
            child.start()
            stack.callback(child.end)
        settings = Settings.model_validate({name.lower(): value for name, value in given.items()})
        found = asyncio.run(
            _run(settings, children["worker"], options.rows, again=not options.once)
        )
    _report(found)
    sys.exit(1 if found.wrong else 0)


async def _run(settings: Settings, worker: Child, rows: int, *, again: bool) -> World:
    async with _world(settings, worker, rows) as world:
        await scoring.ask(world.database, world.workspace)
        await _finish(world, "score")
        model = await world.connection.fetchval(
            "SELECT max(sentiment_model) FROM feedback WHERE sentiment_label IS NOT NULL"
        )
        if again:
            await world.connection.execute(_OUTDATE)
            async with world.database.transaction() as uow:
                await rescoring.ask(uow, world.viewer, world.workspace, Filter())
            await _finish(world, "score again")
        scored, _ = await world.connection.fetchrow(_RECOUNTED)
        by_model = [tuple(row) for row in await world.connection.fetch(_BY_MODEL)]
        world.expect("by model", by_model, [(model, scored)])
    return world


@asynccontextmanager
async def _world(settings: Settings, worker: Child, rows: int) -> AsyncIterator[World]:
    async with open_database(settings, "earful bench") as database:
        async with database.transaction() as uow:
            user = await account_store.add_user(
                uow,
                email="bench@example.com",
                name="Bench",
                password_hash="none",  # noqa: S106
            )
            workspace = await workspace_store.add(uow, name="Bench", slug="bench")
            await workspace_store.add_member(uow, workspace=workspace, user=user.id, role="OWNER")
            source = await source_store.add(
                uow, workspace=workspace, name="Bench", kind="API", provider="STANDARD"
            )
        connection = await asyncpg.connect(settings.database_url)
        viewer = Viewer(user.id, new_id(), now() + timedelta(days=1))
        try:
            await _fill(connection, workspace, source.id, rows)
            yield World(rows, worker, database, connection, viewer, workspace)
        finally:
            await connection.close()


async def _fill(connection: Any, workspace: UUID, source: UUID, rows: int) -> None:
    """Store so many texts of the demo, each again and again where they are not enough."""
    texts = demo.bodies()
    await connection.execute("SELECT set_config('earful.workspace_id', $1, false)", str(workspace))
    for first in range(0, rows, _BATCH):
        numbers = range(first, min(first + _BATCH, rows))
        bodies = [texts[number % len(texts)] for number in numbers]
        await connection.execute(_ADD, workspace, source, bodies, list(numbers))


async def _finish(world: World, name: str) -> None:
    """Until nothing is left, with a kill in the middle; then the totals must be what a recount says."""
    began, killed, left_then = time.monotonic(), False, world.rows
    memory = world.memory.setdefault(f"{name}, until it was killed", [])
    while left := await world.connection.fetchval(_LEFT[name]):
        done = 1 - left / world.rows
        if left < left_then and world.worker.running():
            memory.append(_resident(world.worker.pid))
        if done >= _KILLED_AT and not killed:
            killed = True
            world.figures[f"{name}: done when killed"] = done
            os.kill(world.worker.pid, signal.SIGKILL)
            while world.worker.running():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
            world.worker.start()
            memory, left_then = world.memory.setdefault(f"{name}, the next worker", []), left
        await asyncio.sleep(_LOOK_SECONDS)
    world.figures[f"{name}: seconds"] = time.monotonic() - began
    kept = tuple(await world.connection.fetchrow(_KEPT))
    recounted = tuple(await world.connection.fetchrow(_RECOUNTED))
    world.expect(f"{name}: number and sum of scores in the totals", kept, recounted)
    world.expect(f"{name}: killed", killed, wanted=True)


def _resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024
    return 0


def _report(world: World) -> None:
    lines = [f"## {world.rows:,} stored texts", ""]
    lines += [f"- {name}: {figure}" for name, figure in world.figures.items()]
    lines += [
        "",
        "| MiB of the worker | at first | halfway | at last | at most |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {taken[0] >> 20} | {taken[len(taken) // 2] >> 20} | {taken[-1] >> 20} | {max(taken) >> 20} |"
        for name, taken in world.memory.items()
        if taken
    ]
    lines += ["", *(f"WRONG: {text}" for text in world.wrong)]
    flat = all(max(taken) - taken[0] <= _FLAT for taken in world.memory.values() if taken)
    goals = [
        report.goal("each text once in the totals", not world.wrong, f"{len(world.wrong)} wrong")
    ]
    goals += [report.goal("flat memory of the worker", flat, f"within {_FLAT // 2**20} MiB")]
    text = "\n".join([*lines, "", report.goal_table(goals)])
    report.keep("scoring", text, world.figures | {"memory": world.memory, "wrong": world.wrong})
