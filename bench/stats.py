"""What counting by the hour buys and costs: statistics from the hours and row by row, and storing with and without it.

On the 200,000 rows of data.sql, each question in turn both ways; storing in rounds in which the trigger that counts
is on and off. Commits do not wait for the disk.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.stores import now
from bench import data
from bench.stores import postgres
from domain import feedback, stats
from domain.feedback import Message
from domain.stats import Interval, Period
from persistence import database as databases
from persistence.database import Database, Reader, new_id
from persistence.feedback import ALL, Filter
from persistence.stats import counting, counts

ROUNDS = 15
WRITES = 300
AT_ONCE = 4
END = datetime(2026, 6, 1, tzinfo=UTC)
TRIGGERS = ("feedback_counted_on_insert",)


@dataclass(frozen=True, slots=True)
class Question:
    """What to count of the workspace with 200,000."""

    name: str
    within: Period
    where: Filter = ALL
    buckets: bool = True


async def main() -> None:
    """Measure and print."""
    async with postgres() as url:
        await data.fill(url)
        database = await databases.connect(url, clock=now)
        connection = await asyncpg.connect(url)
        try:
            print(
                "Statistics of 200,000 feedback in 90 days: milliseconds, from the hours and row by row"
            )
            await _read(database, connection)
            print(f"\nStoring feedback, {AT_ONCE} at once: microseconds each, counted and not")
            await _write(database, connection)
        finally:
            await connection.close()
            await database.close()


async def _read(database: Database, connection: Any) -> None:
    workspace = await connection.fetchval("SELECT id FROM workspace WHERE slug = 'large'")
    viewer = await connection.fetchval('SELECT id FROM "user"')
    of_workspace = "FROM {} WHERE workspace_id = $1 LIMIT 1"
    tag = await connection.fetchval(f"SELECT id {of_workspace.format('tag')}", workspace)
    source = await connection.fetchval(f"SELECT id {of_workspace.format('source')}", workspace)
    async with database.reader() as reader:
        for question in _questions(source, tag):
            hours, rows = await _rounds(
                lambda asked=question: _by_hours(reader, viewer, workspace, asked),  # type: ignore[misc]
                lambda asked=question: _row_by_row(reader, viewer, workspace, asked),  # type: ignore[misc]
            )
            print(
                f"  {question.name:<28} {hours * 1e3:7.2f} {rows * 1e3:8.2f}   {rows / hours:5.1f} times"
            )


def _questions(source: UUID, tag: UUID) -> list[Question]:
    month = _days(30)
    return [
        *(Question(f"{days} days, by day", _days(days)) for days in (1, 7, 30, 90)),
        Question("30 days, totals only", month, buckets=False),
        Question("30 days, by hour", _days(30, interval=Interval.HOUR)),
        Question(
            "30 days until 12:43:07, by day", _days(30, off=timedelta(minutes=16, seconds=53))
        ),
        Question("30 days in Berlin, by day", _days(30, zone="Europe/Berlin")),
        Question("30 days of one source, by day", month, Filter(source_ids=(source,))),
        Question("30 days of one tag, by day", month, Filter(tag_ids=(tag,))),
        Question("30 days of NEGATIVE, by day", month, Filter(sentiments=("NEGATIVE",))),
    ]


def _days(
    days: int,
    *,
    off: timedelta = timedelta(0),
    zone: str = "UTC",
    interval: Interval = Interval.DAY,
) -> Period:
    return stats.period(END - off - timedelta(days=days), END - off, interval, zone)


async def _by_hours(reader: Reader, viewer: UUID, workspace: UUID, asked: Question) -> object:
    return await counts(
        reader,
        viewer,
        [workspace],
        start=asked.within.start,
        end=asked.within.end,
        where=asked.where,
        boundaries=asked.within.boundaries if asked.buckets else (),
    )


async def _row_by_row(reader: Reader, viewer: UUID, workspace: UUID, asked: Question) -> object:
    values = asked.where.values()
    statement = counting._raw(  # noqa: SLF001
        tuple(values), bounded=True, totals=True, buckets=asked.buckets, columns=None
    )
    return await reader.fetch(
        statement,
        viewer=viewer,
        workspaces=[workspace],
        start=asked.within.start,
        end=asked.within.end,
        boundaries=asked.within.boundaries,
        **values,
    )


async def _write(database: Database, connection: Any) -> None:
    source = await connection.fetchval(
        "SELECT source.id FROM source JOIN workspace ON workspace.id = workspace_id"
        " WHERE slug = 'inbox' LIMIT 1"
    )

    async def store_some() -> None:
        for _ in range(WRITES // AT_ONCE):
            async with database.transaction() as uow:
                await feedback.receive(
                    uow, source, new_id().hex, Message(body="It works.", rating=5)
                )

    async def store(state: str) -> None:
        for trigger in TRIGGERS:
            await connection.execute(f"ALTER TABLE feedback {state} TRIGGER {trigger}")
        await asyncio.gather(*(store_some() for _ in range(AT_ONCE)))

    counted, bare = await _rounds(lambda: store("ENABLE"), lambda: store("DISABLE"))
    print(
        f"  {counted / WRITES * 1e6:7.0f} {bare / WRITES * 1e6:7.0f}   {counted / bare:.2f} times"
    )


async def _rounds(*ways: Callable[[], Awaitable[object]]) -> list[float]:
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS + 2):
        for way, taken in zip(ways, times, strict=True):
            began = time.perf_counter()
            await way()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken[2:]) for taken in times]  # the first rounds warm up
