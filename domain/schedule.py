"""Schedules: jobs that are asked for again and again, each time once, whatever dies when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from cronsim import CronSim, CronSimError

from domain import job, roles
from domain.errors import FieldError, InvalidInputError
from domain.job import Kind, Once
from domain.roles import Action
from domain.stats import zone
from domain.viewer import Viewer
from persistence import schedule as store
from persistence.database import Columns, Database, Reader, UnitOfWork

Schedule = store.ScheduleRow

_MOST_MADE_UP = 100
# A run that is later than that was missed.
_PUNCTUAL = timedelta(minutes=1)


class Missed(StrEnum):
    """What becomes of runs that nobody could begin: each is made up for, one is for all of them, or none."""

    EVERY = "EVERY"
    ONCE = "ONCE"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class Cron:
    """Minute, hour, day of month, month, day of week, by the clock on the wall in an IANA time zone."""

    expression: str
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Every:
    """So many seconds after the last time."""

    seconds: int


Rhythm = Cron | Every


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and when."""

    name: str
    kind: Kind
    rhythm: Rhythm
    missed: Missed = Missed.ONCE
    arguments: Mapping[str, Any] | None = None
    enabled: bool = True


def following(rhythm: Rhythm, moment: datetime) -> datetime:
    """The first time after the moment; InvalidInputError where there is none, or the expression is no cron's."""
    match rhythm:
        case Every(seconds):
            return moment + timedelta(seconds=seconds)
        case Cron(expression, time_zone):
            try:
                found = next(CronSim(expression, moment.astimezone(zone(time_zone))))
            except (CronSimError, StopIteration):
                message = (
                    "must be a cron expression of five fields that comes to pass, as in 0 9 * * 1-5"
                )
                raise InvalidInputError(
                    f"{expression!r} {message}.", [FieldError(("cron",), message)]
                ) from None
            return found.astimezone(UTC)


def runs_due(
    rhythm: Rhythm, missed: Missed, due: datetime, now: datetime
) -> tuple[list[datetime], datetime]:
    """The times of the runs to begin now, where the first is due at `due`, and of the one after these."""
    if missed is Missed.EVERY:
        runs = [due]
        # From the time that was meant, so that delays do not add up.
        while (after := following(rhythm, runs[-1])) <= now and len(runs) < _MOST_MADE_UP:
            runs.append(after)
        return runs, after
    latest = _latest(rhythm, due, now)
    is_wanted = missed is Missed.ONCE or now - latest <= _PUNCTUAL
    return [latest] if is_wanted else [], following(rhythm, latest)


def _latest(rhythm: Rhythm, due: datetime, now: datetime) -> datetime:
    """The last time, from `due` on, that is not after now."""
    match rhythm:
        case Every(seconds):
            step = timedelta(seconds=seconds)
            return due + (now - due) // step * step
        case Cron(expression, time_zone):
            before = (now + timedelta(microseconds=1)).astimezone(zone(time_zone))
            return max(due, next(CronSim(expression, before, reverse=True)).astimezone(UTC))


async def put(uow: UnitOfWork, plan: Plan, *, workspace: UUID | None) -> Schedule:
    """Make a schedule of a workspace that was entered, or of the instance, or change the one of the same name.

    One whose rhythm stays as it is keeps the time of its next run. One that was paused and is enabled again makes up
    for nothing.
    """
    cron: str | None = None
    every_seconds: int | None = None
    time_zone = "UTC"
    match plan.rhythm:
        case Cron(expression, zone_name):
            cron, time_zone = expression, zone_name
        case Every(seconds):
            every_seconds = seconds
    return await store.put(
        uow,
        workspace=workspace,
        name=plan.name,
        kind=plan.kind.name,
        arguments=orjson.dumps(plan.arguments or {}).decode(),
        cron=cron,
        every_seconds=every_seconds,
        time_zone=time_zone,
        missed=plan.missed,
        enabled=plan.enabled,
        next_run_at=following(plan.rhythm, uow.now),
    )


async def keep(uow: UnitOfWork, plans: Sequence[Plan]) -> None:
    """Let the instance have these schedules and no others."""
    await store.drop_others(uow, [plan.name for plan in plans])
    for plan in plans:
        await put(uow, plan, workspace=None)


async def run_due(database: Database, now: datetime, kinds: Mapping[str, Kind]) -> int:
    """Ask for the jobs whose time has come; answers how many. Any number of processes may do so at once."""
    async with database.reader() as reader:
        due = await store.due(reader, now)
    asked = 0
    for schedule_id in due:
        async with database.transaction() as uow:
            await uow.operate()
            schedule = await store.take(uow, schedule_id)
            if schedule is not None and (kind := kinds.get(schedule.kind)) is not None:
                asked += await _run(uow, schedule, kind)
    return asked


async def listed(
    reader: Reader, viewer: Viewer, *, is_operator: bool, columns: Columns | None = None
) -> list[Schedule]:
    """The schedules that the viewer manages; an operator's are all."""
    return await store.listed(
        reader,
        viewer.id,
        roles.sufficient(viewer, Action.MANAGE_JOBS),
        of_all=is_operator,
        columns=columns,
    )


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Schedule]:
    """Those schedules that the viewer manages."""
    return await store.by_ids(
        reader, viewer.id, roles.sufficient(viewer, Action.MANAGE_JOBS), ids, columns=columns
    )


async def _run(uow: UnitOfWork, schedule: Schedule, kind: Kind) -> int:
    runs, after = runs_due(
        _rhythm(schedule), Missed(schedule.missed), schedule.next_run_at, uow.now
    )
    last_job = schedule.last_job_id
    for moment in runs:
        arguments = orjson.loads(schedule.arguments) | {"scheduled_for": moment.isoformat()}
        asked = await job.enqueue(
            uow,
            kind,
            workspace=schedule.workspace_id,
            arguments=arguments,
            # One that runs for longer than its rhythm is not begun beside itself.
            once=None if schedule.missed == Missed.EVERY else Once(f"schedule {schedule.id.hex}"),
        )
        last_job = asked.id
    await store.move(
        uow,
        schedule.id,
        next_run_at=after,
        last_run_at=runs[-1] if runs else schedule.last_run_at,
        last_job=last_job,
    )
    return len(runs)


def _rhythm(schedule: Schedule) -> Rhythm:
    if schedule.cron is not None:
        return Cron(schedule.cron, schedule.time_zone)
    assert schedule.every_seconds is not None  # noqa: S101 - a constraint of the table
    return Every(schedule.every_seconds)
