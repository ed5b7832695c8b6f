"""How sources are doing: what comes in, what is refused, and who has gone quiet by its own habit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from domain.viewer import Viewer
from persistence import source_health as store
from persistence.database import Database, Reader, UnitOfWork

KEPT = timedelta(days=30)
RECENT = timedelta(days=1)
_LEAST_KNOWN = 10
_SHORTEST_SILENCE = timedelta(hours=1)
_USUAL_TIMES = 2


@dataclass(frozen=True, slots=True)
class Health:
    """`usual_pause` is the longest between two of the latest 200 feedback; None before there are ten."""

    last_received_at: datetime | None
    per_hour: float
    usual_pause: timedelta | None
    quiet_since: datetime | None
    quarantined: int
    refused_last_day: int
    last_refusal: str | None
    last_refused_at: datetime | None


async def health(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], now: datetime
) -> Mapping[UUID, Health]:
    """Of those sources that the viewer may see."""
    rows = await store.health(reader, viewer.id, ids, since=now - RECENT)
    return {row.id: _judged(row, now) for row in rows}


def _judged(row: store.HealthRow, now: datetime) -> Health:
    pause = usual_pause(row.times)
    last = max(row.times, default=None)
    return Health(
        last_received_at=last,
        per_hour=per_hour(row.times, now),
        usual_pause=pause,
        quiet_since=last if is_quiet(last, pause, now) else None,
        quarantined=row.quarantined,
        refused_last_day=row.refused,
        last_refusal=row.message,
        last_refused_at=row.refused_at,
    )


def usual_pause(times: Sequence[datetime]) -> timedelta | None:
    """The longest pause between two of the times; None for too few of them to be a habit."""
    if len(times) < _LEAST_KNOWN:
        return None
    ordered = sorted(times)
    return max(later - earlier for earlier, later in pairwise(ordered))


def is_quiet(last: datetime | None, pause: timedelta | None, now: datetime) -> bool:
    """Silent for more than twice its longest pause, and for an hour at least."""
    if last is None or pause is None:
        return False
    return now - last > max(_USUAL_TIMES * pause, _SHORTEST_SILENCE)


def per_hour(times: Sequence[datetime], now: datetime) -> float:
    """How many came in an hour of the last day, or since the first of the times if these are more than a day's."""
    recent = [each for each in times if each > now - RECENT]
    if not recent:
        return 0.0
    is_all = len(recent) < len(times) or len(times) < store.SAMPLE
    span = RECENT if is_all else now - min(recent)
    return len(recent) / max(span / timedelta(hours=1), 1 / 60)


async def record_refusals(
    uow: UnitOfWork, workspace: UUID, refusals: Sequence[tuple[UUID, int, str]]
) -> None:
    """Count refusals of a workspace's sources: how many of each, and why the last one was."""
    await uow.enter(workspace)
    await store.add_refusals(uow, workspace, refusals)


async def forget(database: Database, now: datetime) -> None:
    """Take away the counts of hours that are long over, one workspace at a time."""
    before = now - KEPT
    async with database.reader() as reader:
        stale = await store.with_old(reader, before)
    for workspace in stale:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.forget(uow, workspace, before)
