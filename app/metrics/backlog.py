"""What all processes together have left to do."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from app.metrics.registry import gauge
from persistence.backlog import BacklogRow, backlog
from persistence.database import Database, StoreUnavailableError

# Postgres is asked at most so often, however many scrape, and not waited for for longer.
_REMEMBERED_SECONDS = 3.0
_ANSWER_SECONDS = 2.0


class Backlog:
    """Asks Postgres, at most every few seconds, how much waits; remembers that it did not say."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._rows: Sequence[BacklogRow] | None = None

    async def refresh(self) -> None:
        """Let `collect` know how it is now, or was a moment ago."""
        clock = asyncio.get_running_loop().time
        async with self._asking:
            if self._asked_at is None or clock() - self._asked_at > _REMEMBERED_SECONDS:
                self._rows = await self._ask()
                self._asked_at = clock()

    def collect(self) -> Iterable[Metric]:
        """What is known; nothing but that it is not known while Postgres is away."""
        yield gauge(
            "earful_database_up",
            "Whether Postgres said in time what there is to do.",
            0 if self._rows is None else 1,
        )
        if self._rows is not None:
            yield from _outbox(self._rows)
            yield from _jobs(self._rows)

    async def _ask(self) -> Sequence[BacklogRow] | None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), self._database.reader() as reader:
                return await backlog(reader, self._clock())
        except (TimeoutError, StoreUnavailableError):
            return None


def _outbox(rows: Sequence[BacklogRow]) -> Iterable[Metric]:
    events = next((row for row in rows if row.kind is None), None)
    yield gauge(
        "earful_outbox_events",
        "Events that are not delivered yet, up to 10,000.",
        0 if events is None else events.number,
    )
    yield gauge(
        "earful_outbox_oldest_seconds",
        "How long the oldest of them has waited.",
        0 if events is None else events.seconds,
    )


def _jobs(rows: Sequence[BacklogRow]) -> Iterable[Metric]:
    jobs = GaugeMetricFamily(
        "earful_jobs",
        "Jobs by kind and state: up to 10,000 of each state, and of what waits of each priority.",
        labels=["kind", "state"],
    )
    oldest = GaugeMetricFamily(
        "earful_jobs_oldest_waiting_seconds",
        "For how long the oldest job of a kind that waits has been due.",
        labels=["kind"],
    )
    for row in rows:
        if row.kind is not None:
            jobs.add_metric([row.kind, row.state], row.number)
            if row.state == "waiting":
                oldest.add_metric([row.kind], row.seconds)
    yield jobs
    yield oldest
