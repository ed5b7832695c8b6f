"""A large CSV file is imported while the worker is killed with SIGKILL, imported again, exported and undone.

Counted is that every row is stored or refused, once; watched is how much memory the worker takes; timed is each step
and, with --score, how long it takes until every row is scored.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.buckets import objects
from app.embedded.process import Child, Command
from app.settings import Settings
from app.stores import now, open_database
from bench import report
from bench.imports import table
from bench.imports.table import Written
from bench.servers import ROOT, ServerError, earful_environment
from bench.stores import empty
from domain import export, ids, imports
from domain.export import Format, StartExport
from domain.feedback import Filter
from domain.imports import StartImport
from domain.viewer import Viewer
from persistence import account as account_store
from persistence import file as file_store
from persistence import workspace as workspace_store
from persistence.database import Database, new_id
from persistence.objects import Objects

_PART = 8 * 2**20
_KILLED_AT = 0.45
_LOOK_SECONDS = 0.2
_SECONDS_TO_START = 60.0
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
# Above what it takes once it has begun: what lies in Postgres' and S3's answers at one moment.
_FLAT = 64 * 2**20


@dataclass
class World:
    """What runs, who asks, and what was found."""

    worker: Child
    database: Database
    bucket: Objects
    connection: Any
    viewer: Viewer
    workspace: UUID
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, name: str, found: Any, wanted: Any) -> None:
        self.figures[name] = found
        if found != wanted:
            self.wrong.append(f"{name}: {found} instead of {wanted}")


def main(arguments: Sequence[str]) -> None:
    """Run it and print; ends with 1 if a row was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--score", action="store_true", help="only time how long it takes to score the rows"
    )
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        given = earful_environment(endpoints)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-imports-")))
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
        path = logs / "rows.csv"
        written = table.write(path, options.rows)
        run = _score if options.score else _all
        found = asyncio.run(_run(settings, children["worker"], path, written, run))
    _report(options.rows, found)
    sys.exit(1 if found.wrong else 0)


async def _run(
    settings: Settings,
    worker: Child,
    path: Path,
    written: Written,
    steps: Callable[[World, Path, Written], Any],
) -> World:
    async with _world(settings, worker) as world:
        async with asyncio.timeout(_SECONDS_TO_START):
            while not await _count(world, "worker"):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
        await steps(world, path, written)
    return world


@asynccontextmanager
async def _world(settings: Settings, worker: Child) -> AsyncIterator[World]:
    async with open_database(settings, "earful bench") as database, objects(settings) as bucket:
        await bucket.create_bucket()
        async with database.transaction() as uow:
            user = await account_store.add_user(
                uow,
                email="bench@example.com",
                name="Bench",
                password_hash="none",  # noqa: S106
            )
            workspace = await workspace_store.add(uow, name="Bench", slug="bench")
            await workspace_store.add_member(uow, workspace=workspace, user=user.id, role="OWNER")
        connection = await asyncpg.connect(settings.database_url)
        viewer = Viewer(user.id, new_id(), now() + timedelta(days=1))
        try:
            yield World(worker, database, bucket, connection, viewer, workspace)
        finally:
            await connection.close()


async def _all(world: World, path: Path, written: Written) -> None:
    stored = written.rows - len(written.broken)
    began = time.monotonic()
    first = await _import(world, path)
    await _until(world, first, "import", lambda job: (job["progress"] or 0) >= _KILLED_AT)
    world.figures["progress when killed"] = (await _job(world, first))["progress"]
    os.kill(world.worker.pid, signal.SIGKILL)
    while world.worker.running():  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    world.worker.start()
    result = await _ended(world, first, "import")
    world.figures["seconds of import"] = time.monotonic() - began
    world.expect("rows", result["rows"], written.rows)
    world.expect("stored", result["stored"], stored)
    world.expect("refused", result["refused"], len(written.broken))
    world.expect("feedback", await _count(world, "feedback"), stored)
    refused = table.numbers(await _file(world, result))
    world.expect("rows in the error file", len(refused), len(written.broken))
    world.expect("they are the broken ones", refused == list(written.broken), wanted=True)
    began = time.monotonic()
    result = await _ended(world, await _import(world, path), "again")
    world.figures["seconds of the same again"] = time.monotonic() - began
    world.expect("stored again", result["stored"], 0)
    world.expect("feedback then", await _count(world, "feedback"), stored)
    began = time.monotonic()
    async with world.database.transaction() as uow:
        command = StartExport(world.workspace, Format.CSV, Filter())
        asked = await export.start(uow, world.viewer, command)
    result = await _ended(world, asked.id, "export")
    world.figures["seconds of export"] = time.monotonic() - began
    rows, said = table.total(table.lines([await _file(world, result)]))
    world.expect("exported", rows, stored)
    world.expect("each as it was written", said == written.sum, wanted=True)
    began = time.monotonic()
    async with world.database.transaction() as uow:
        undo = await imports.undo(uow, world.viewer, first)
    await _ended(world, undo.id, "undo")
    world.figures["seconds of undo"] = time.monotonic() - began
    for name in ("feedback", "tag", "feedback_tag", "import_feedback", "import_refusal"):
        world.expect(f"{name} afterwards", await _count(world, name), 0)


async def _score(world: World, path: Path, written: Written) -> None:
    began = time.monotonic()
    await _ended(world, await _import(world, path), "import")
    world.figures["seconds of import"] = time.monotonic() - began
    while left := await world.connection.fetchval(
        "SELECT count(*) FROM feedback WHERE scored_at IS NULL"
    ):
        print(f"score: {left:,} left after {time.monotonic() - began:.0f} s", flush=True)
        await asyncio.sleep(5)
    took, first = await world.connection.fetchrow(
        "SELECT extract(epoch FROM max(scored_at) - min(scored_at))::float8,"
        " extract(epoch FROM min(scored_at) - min(received_at))::float8 FROM feedback"
    )
    stored = written.rows - len(written.broken)
    world.figures |= {
        "seconds until the first score": first,
        "seconds of scoring": took,
        "scores a second": stored / took,
    }


async def _import(world: World, path: Path) -> UUID:
    """Ask for an import of the file, which is sent to the bucket before; answers the job."""
    id_, size = new_id(), 0
    key = f"files/{world.workspace.hex}/{id_.hex}"
    upload = await world.bucket.begin_parts(key, "text/csv")
    with await asyncio.to_thread(path.open, "rb") as file:
        number = 0
        while part := file.read(_PART):
            number += 1
            size += len(part)
            await world.bucket.send_part(key, upload, number, part)
    await world.bucket.join_parts(key, upload, size=size)
    async with world.database.transaction() as uow:
        await uow.enter(world.workspace)
        tomorrow = uow.now + timedelta(days=1)
        await file_store.add(
            uow,
            workspace=world.workspace,
            quota=2**60,
            id=id_,
            name="rows.csv",
            content_type="text/csv",
            size=size,
            sha256=None,
            purpose="IMPORT",
            key=key,
            upload=None,
            created_by=world.viewer.id,
            expires_at=tomorrow,
        )
        await file_store.settle(
            uow, world.workspace, id_, status="READY", reason=None, expires_at=tomorrow
        )
    asked = await imports.start(world.database, world.bucket, world.viewer, StartImport(id_))
    return asked.id


async def _job(world: World, id_: UUID) -> Any:
    return await world.connection.fetchrow(
        "SELECT status, progress, attempts, result, error FROM job WHERE id = $1", id_
    )


async def _until(world: World, id_: UUID, name: str, is_over: Callable[[Any], bool]) -> Any:
    """The job when it is so far; what memory the worker takes meanwhile is noted."""
    began = told = time.monotonic()
    memory = world.figures.setdefault("memory", {}).setdefault(name, [])
    while not is_over(job := await _job(world, id_)) and job["status"] not in _ENDED:
        if job["progress"] and world.worker.running():
            memory.append(_resident(world.worker.pid))
        if time.monotonic() - told > 10:  # noqa: PLR2004 - seconds
            told = time.monotonic()
            print(f"{name}: {job['progress'] or 0:.0%} after {told - began:.0f} s", flush=True)
        await asyncio.sleep(_LOOK_SECONDS)
    return job


async def _ended(world: World, id_: UUID, name: str) -> dict[str, Any]:
    """What the job has to tell when it has succeeded."""
    job = await _until(world, id_, name, lambda job: job["status"] in _ENDED)
    if job["status"] != "SUCCEEDED":
        raise ServerError(f"{name}: {job['status']}, {job['error']}")
    return dict(orjson.loads(job["result"]))


async def _count(world: World, name: str) -> int:
    return int(await world.connection.fetchval(f"SELECT count(*) FROM {name}"))  # noqa: S608


async def _file(world: World, result: dict[str, Any]) -> bytes:
    """The file that a job has made."""
    key = await world.connection.fetchval(
        "SELECT key FROM file WHERE id = $1", ids.read(ids.Kind.FILE, result["file_id"])
    )
    return b"".join([chunk async for chunk in world.bucket.chunks(key)])


def _resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024
    return 0


def _shown(figure: Any) -> str:
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    return f"{figure:,.2f}" if isinstance(figure, float) else f"{figure:,}"


def _report(rows: int, world: World) -> None:
    memory = world.figures.pop("memory", {})
    lines = [f"## A file of {rows:,} rows", ""]
    for name, figure in world.figures.items():
        lines.append(f"- {name}: {_shown(figure)}")
    lines += ["", "| | MiB when it began | at most |", "|---|---|---|"]
    lines += [
        f"| {name} | {taken[0] / 2**20:.0f} | {max(taken) / 2**20:.0f} |"
        for name, taken in memory.items()
        if taken
    ]
    lines += ["", *(f"WRONG: {text}" for text in world.wrong)]
    lines += [] if world.wrong else ["Each row once: none lost, none twice, none left."]
    flat = all(max(taken) - taken[0] <= _FLAT for taken in memory.values() if taken)
    goals = [report.goal("each row once", not world.wrong, f"{len(world.wrong)} wrong")]
    goals += [report.goal("flat memory of the worker", flat, f"within {_FLAT // 2**20} MiB")]
    text = "\n".join([*lines, "", report.goal_table(goals)])
    report.keep("imports", text, world.figures | {"memory": memory, "wrong": world.wrong})
