"""How much is waiting: events to be delivered, and jobs of each kind, for metrics."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from persistence.database import Reader, Record, Statement

MOST = 10_000
"""So many of each state are counted, and of what waits so many of each priority: a scrape must not cost the more
the more there is to do."""


class BacklogRow(Record):
    """Of jobs the kind; without one it is the outbox. `seconds`: how long the oldest has waited."""

    state: str
    kind: str | None
    number: int
    seconds: float


_BACKLOG = Statement(
    text(f"""
    WITH found AS (
        SELECT 'waiting' AS state, due.kind, due.run_at AS since
        FROM unnest(ARRAY['HIGH', 'NORMAL', 'BULK']) AS p(priority)
        CROSS JOIN LATERAL (
            SELECT kind, run_at FROM job
            WHERE status = 'QUEUED' AND job.priority = p.priority AND run_at <= :now
            ORDER BY run_at LIMIT {MOST}
        ) AS due
        UNION ALL
        SELECT 'delayed', later.kind, :now
        FROM unnest(ARRAY['HIGH', 'NORMAL', 'BULK']) AS p(priority)
        CROSS JOIN LATERAL (
            SELECT kind FROM job
            WHERE status = 'QUEUED' AND job.priority = p.priority AND run_at > :now
            ORDER BY run_at LIMIT {MOST}
        ) AS later
        UNION ALL
        (SELECT 'running', kind, :now FROM job WHERE status = 'RUNNING' LIMIT {MOST})
        UNION ALL
        (SELECT 'dead', kind, :now FROM job WHERE status = 'FAILED' LIMIT {MOST})
        UNION ALL
        (SELECT 'event', NULL, created_at FROM outbox ORDER BY id LIMIT {MOST})
    )
    SELECT state, kind, count(*) AS number,
        extract(epoch FROM greatest(:now ::timestamptz - min(since), interval '0')) ::float8 AS seconds
    FROM found GROUP BY state, kind"""),  # noqa: S608 - of constants
    BacklogRow,
)


async def backlog(reader: Reader, now: datetime) -> Sequence[BacklogRow]:
    """What waits, is delayed, runs and is dead of each kind of job, and how many events are to be delivered."""
    return await reader.fetch(_BACKLOG, now=now)
