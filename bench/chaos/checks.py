"""What must be so in the end: each job as its row says, each effect once, nothing sent under two ids, nothing lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from bench.chaos import tasks
from domain import ids
from domain.ids import Kind as IdKind

_EFFECTS: dict[str, list[str]] = {
    tasks.ROW.name: ["row"],
    tasks.FLAKY.name: ["row"],
    tasks.DELAYED.name: ["row"],
    tasks.CANCELLED.name: ["row"],
    tasks.STEPWISE.name: [f"step {number}" for number in range(tasks.STEPS)],
}
_ENDS: dict[str, set[str]] = {
    tasks.HOPELESS.name: {"FAILED"},
    tasks.DYING.name: {"FAILED"},
    tasks.POISON.name: {"FAILED"},
    tasks.CANCELLED.name: {"SUCCEEDED", "CANCELLED"},
}
_SECOND = timedelta(seconds=1)


@dataclass
class Found:
    """What is wrong, and figures for the report."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    def expect(self, is_so: bool, text: str) -> None:
        if not is_so:
            self.wrong.append(text)


async def check(connection: Any, jobs: int, received: Path) -> Found:
    """Compare everything."""
    found = Found()
    asked = await connection.fetch("SELECT * FROM chaos_asked ORDER BY at, number")
    rows = {
        row["id"]: row
        for row in await connection.fetch("SELECT * FROM job WHERE workspace_id IS NOT NULL")
    }
    effects: dict[UUID, list[str]] = defaultdict(list)
    for effect in await connection.fetch("SELECT job, name FROM chaos_effect"):
        effects[effect["job"]].append(effect["name"])
    _asked(found, jobs, asked, rows)
    for row in rows.values():
        _ended(found, row)
        _effects(found, row, sorted(effects[row["id"]]))
    found.expect(
        not effects.keys() - rows.keys(), "there are effects of jobs that nobody asked for"
    )
    _unique(found, asked, effects)
    _ticks(found, rows.values(), effects)
    _sent(found, asked, received)
    left = await connection.fetchval("SELECT count(*) FROM outbox")
    found.expect(left == 0, f"{left} events were not delivered")
    found.figures["ends"] = dict(Counter(row["status"] for row in rows.values()))
    found.figures["attempts"] = sum(row["attempts"] for row in rows.values())
    found.figures["effects"] = sum(len(names) for names in effects.values())
    return found


def _asked(found: Found, jobs: int, asked: Iterable[Any], rows: dict[UUID, Any]) -> None:
    """Transactional: a job if and only if the transaction that asked for it is committed."""
    numbers = [row["number"] for row in asked]
    found.expect(sorted(numbers) == list(range(jobs)), f"{len(numbers)} of {jobs} were asked for")
    wanted = {row["job"] for row in asked}
    there = {id_ for id_, row in rows.items() if row["kind"] != tasks.TICK.name}
    found.expect(wanted == there, f"{len(wanted)} jobs were asked for, there are {len(there)}")
    found.figures["asked"] = len(numbers)
    found.figures["jobs"] = len(there)


def _ended(found: Found, row: Any) -> None:
    of = f"{row['kind']} {row['id']}"
    ends = _ENDS.get(row["kind"], {"SUCCEEDED"})
    found.expect(row["status"] in ends, f"{of} is {row['status']}: {row['error']}")
    found.expect(row["finished_at"] is not None, f"{of} has not ended")
    found.expect(row["worker_id"] is None and not row["again"], f"{of} is still a worker's")
    if row["kind"] == tasks.FLAKY.name:
        found.expect(row["failures"] == tasks.FAILURES, f"{of} has failed {row['failures']} times")
    if row["kind"] == tasks.DYING.name:
        most = tasks.DYING.most_failures
        found.expect(row["failures"] == most, f"{of} has failed {row['failures']} times")
    if row["kind"] == tasks.POISON.name:
        found.expect(row["deaths"] == 3, f"{of} has killed {row['deaths']} workers")  # noqa: PLR2004
    if row["kind"] == tasks.DELAYED.name:
        delay = row["started_at"] - row["created_at"]
        found.expect(delay >= 5 * _SECOND, f"{of} was begun after {delay}")


def _effects(found: Found, row: Any, names: list[str]) -> None:
    if row["kind"] in {tasks.UNIQUE.name, tasks.TICK.name}:
        return
    wanted = _EFFECTS.get(row["kind"], []) if row["status"] == "SUCCEEDED" else []
    found.expect(names == wanted, f"{row['kind']} {row['id']} {row['status']} has effects {names}")


def _unique(found: Found, asked: Iterable[Any], effects: dict[UUID, list[str]]) -> None:
    """Of a key the last that was asked for was done, and none twice."""
    last: dict[str, Any] = {row["key"]: row for row in asked if row["key"] is not None}
    jobs = {row["job"] for row in asked if row["key"] is not None}
    done = Counter(name for id_ in jobs for name in effects[id_])
    twice = [name for name, times in done.items() if times > 1]
    found.expect(not twice, f"unique jobs were done twice: {twice}")
    for row in last.values():
        done_last = f"number {row['number']}" in effects[row["job"]]
        found.expect(done_last, f"of unique {row['key']} the last, {row['number']}, was not done")
    found.figures["unique"] = (
        f"{sum(row['key'] is not None for row in asked)} asked, {len(done)} done"
    )


def _ticks(found: Found, rows: Iterable[Any], effects: dict[UUID, list[str]]) -> None:
    """Each second of a schedule once."""
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for row in rows:
        if row["kind"] == tasks.TICK.name:
            moment = orjson.loads(row["arguments"])["scheduled_for"]
            found.expect(
                effects[row["id"]] == [f"tick {moment}"], f"tick {moment}: {effects[row['id']]}"
            )
            times[row["workspace_id"]].append(datetime.fromisoformat(moment))
    found.expect(len(times) > 0, "no schedule has run")
    for of_one in times.values():
        of_one.sort()
        steps = {after - before for before, after in pairwise(of_one)}
        found.expect(steps <= {_SECOND}, f"a schedule's runs are {steps} apart")
    found.figures["ticks"] = sum(len(of_one) for of_one in times.values())


def _sent(found: Found, asked: Iterable[Any], received: Path) -> None:
    """At least once each, and however often always under the one id."""
    came: dict[str, list[tuple[str, str]]] = {"mail": [], "post": []}
    for line in received.read_text().splitlines():
        what, id_, number = line.split("\t")
        came[what].append((number, id_))
    for what, kind in (("mail", tasks.MAIL.name), ("post", tasks.POST.name)):
        expected = {(str(row["number"]), row["job"]) for row in asked if row["kind"] == kind}
        wanted = {(number, _sent_as(what, id_)) for number, id_ in expected}
        there = {(number, id_.partition("@")[0]) for number, id_ in came[what]}
        missing, strange = wanted - there, there - wanted
        found.expect(not missing, f"{len(missing)} of {len(wanted)} {what}s are lost")
        found.expect(not strange, f"{len(strange)} {what}s under another id: {sorted(strange)[:3]}")
        twice = sum(times > 1 for times in Counter(came[what]).values())
        found.figures[what] = f"{len(wanted)} asked, {len(came[what])} came, {twice} more than once"


def _sent_as(what: str, id_: UUID) -> str:
    return f"<job.{id_.hex}" if what == "mail" else ids.write(IdKind.JOB, id_)


async def are_up(connection: Any) -> bool:
    """Whether both workers and a leader are at work."""
    return bool(
        await connection.fetchval(
            "SELECT (SELECT count(*) FROM worker) = 2"
            " AND EXISTS (SELECT FROM job WHERE kind = $1 AND status = 'SUCCEEDED')",
            tasks.TICK.name,
        )
    )


async def unfinished(connection: Any) -> int:
    """How many jobs wait or run."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM job WHERE status IN ('QUEUED', 'RUNNING')"
            " AND workspace_id IS NOT NULL"
        )
    )


async def longest_silence(connection: Any) -> float:
    """For how long, in seconds, the worker of some running job could have been seen and was not."""
    return float(
        await connection.fetchval(
            "SELECT coalesce(max(extract(epoch FROM clock_timestamp()"
            " - greatest(worker.seen_at, pg_postmaster_start_time()))), 0) FROM worker WHERE EXISTS (SELECT FROM job"
            " WHERE worker_id = worker.id AND status = 'RUNNING')"
        )
    )


LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
