"""Exports that are sent again and again: of the day, week or month before, to people of the workspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain import audit, roles, schedule
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import INSTANCE
from domain.export.asking import EXPORT, Format, Wanted, check_filter, filter_of
from domain.feedback import Filter
from domain.file import File
from domain.job import Kind
from domain.mail import Attachment, Message
from domain.roles import Action
from domain.schedule import Cron, Missed, Plan
from domain.stats import zone
from domain.viewer import Viewer
from domain.workspace import Workspace
from persistence import export_schedule as store
from persistence.database import Columns, Reader, UnitOfWork

ExportSchedule = store.ExportScheduleRow
Person = store.PersonRow

SCHEDULED_EXPORT = Kind(
    "scheduled_export",
    priority=EXPORT.priority,
    timeout=EXPORT.timeout,
    most_failures=EXPORT.most_failures,
    first_pause=EXPORT.first_pause,
)
MOST_SCHEDULES = 50
MOST_RECIPIENTS = 20
# Base64 makes a third more of it, and mailboxes refuse what is beyond ten megabytes or so.
MOST_ATTACHED_BYTES = 5 * 2**20


class Period(StrEnum):
    """What each is about; it is sent on the day after."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


_DAYS: Mapping[Period, str] = {Period.DAY: "* * *", Period.WEEK: "* * 1", Period.MONTH: "1 * *"}


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is asked for; what is None stays as it is, or is as usual."""

    name: str | None = None
    format: Format | None = None
    where: Filter | None = None
    period: Period | None = None
    hour: int | None = None
    time_zone: str | None = None
    member_ids: Sequence[UUID] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An export to be made now: what of, and whom it is for."""

    name: str
    wanted: Wanted
    first: date
    last: date
    people: Sequence[Person]


async def create(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, settings: Settings
) -> ExportSchedule:
    """A new one; it is sent for the first time after the current day, week or month."""
    viewer.require_person()
    await workspaces.enter(uow, viewer, workspace, Action.SCHEDULE_EXPORTS)
    values = await _checked(uow, viewer, workspace, settings)
    if await store.number(uow, workspace) >= MOST_SCHEDULES:
        raise ConflictError(f"A workspace has at most {MOST_SCHEDULES} scheduled exports.")
    row = await store.add(uow, workspace=workspace, **values)
    await _plan(uow, row)
    what = audit.Action.EXPORT_SCHEDULE_CREATED
    await audit.record(uow, viewer, what, workspace, row.id, after=row)
    return row


async def update(uow: UnitOfWork, viewer: Viewer, id_: UUID, settings: Settings) -> ExportSchedule:
    """Change one; from now on it is read as whoever has changed it last.

    What is paused makes up for nothing when it is resumed.
    """
    row = await _enter(uow, viewer, id_)
    known = Settings(
        name=row.name,
        format=Format(row.format),
        where=filter_of(orjson.loads(row.filter)),
        period=Period(row.period),
        hour=row.hour,
        time_zone=row.time_zone,
        enabled=row.enabled,
    )
    given = {name: getattr(settings, name) for name in Settings.__slots__}
    wanted = replace(known, **{name: value for name, value in given.items() if value is not None})
    values = await _checked(
        uow, viewer, row.workspace_id, wanted, users=row.user_ids, where=known.where
    )
    changed = await store.change(uow, row.id, workspace=row.workspace_id, **values)
    await _plan(uow, changed)
    what = audit.Action.EXPORT_SCHEDULE_UPDATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row, after=changed)
    return changed


async def remove(uow: UnitOfWork, viewer: Viewer, id_: UUID) -> UUID:
    """Take one away; what was sent stays."""
    row = await _enter(uow, viewer, id_)
    await store.remove(uow, row.workspace_id, row.id, schedule=_plan_name(row.id))
    what = audit.Action.EXPORT_SCHEDULE_DELETED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row)
    return row.id


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[ExportSchedule]:
    """The schedules of those of the workspaces where the viewer manages them, the oldest first."""
    managers = roles.sufficient(viewer, Action.SCHEDULE_EXPORTS)
    return await store.of_workspaces(reader, viewer.id, managers, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[ExportSchedule]:
    managers = roles.sufficient(viewer, Action.SCHEDULE_EXPORTS)
    return await store.by_ids(reader, viewer.id, managers, ids, columns=columns)


async def due(
    reader: Reader, workspace: UUID, arguments: Mapping[str, Any], now: datetime
) -> Due | None:
    """What is to be made for a run; None where it was taken away or paused.

    NotFoundError where nobody may have it any more. It is about the period before the time that the run was meant for,
    however late it comes.
    """
    row = await store.find(reader, workspace, UUID(arguments["export_schedule"]))
    if row is None or not row.enabled:
        return None
    people = [
        person
        for person in await store.people(reader, workspace, row.user_ids)
        if person.role in roles.holders(Action.EXPORT_FEEDBACK)
    ]
    if row.updated_by is None or not people:
        raise NotFoundError("Nobody is left in the workspace whose export this is.")
    meant = datetime.fromisoformat(arguments["scheduled_for"]).astimezone(zone(row.time_zone))
    first, end = span(Period(row.period), meant.date())
    where = replace(
        filter_of(orjson.loads(row.filter)),
        occurred_after=_midnight(first, row.time_zone),
        occurred_before=_midnight(end, row.time_zone),
    )
    viewer = Viewer(row.updated_by, session_id=INSTANCE, expires_at=now)
    wanted = Wanted(workspace, Format(row.format), where, viewer)
    return Due(row.name, wanted, first, end - timedelta(days=1), people)


def span(period: Period, day: date) -> tuple[date, date]:
    """The last whole period before that day: its first day, and the one after its last."""
    match period:
        case Period.DAY:
            end = day
            first = end - timedelta(days=1)
        case Period.WEEK:
            end = day - timedelta(days=day.weekday())
            first = end - timedelta(days=7)
        case Period.MONTH:
            end = day.replace(day=1)
            first = (end - timedelta(days=1)).replace(day=1)
    return first, end


def message(
    found: Due, person: Person, workspace: Workspace, kept: File, *, url: str, rows: int
) -> Message:
    """The mail that brings it to somebody; a report that is not large is in it."""
    of = f"{found.first:%Y-%m-%d}"
    if found.last != found.first:
        of = f"{of} to {found.last:%Y-%m-%d}"
    feedback = "1 feedback" if rows == 1 else f"{rows:,} feedback"
    is_in_it = found.wanted.format is Format.PDF and kept.size <= MOST_ATTACHED_BYTES
    lines = [
        f"Hello {person.name},",
        "",
        f"here is {found.name} of {workspace.name}, {of}: {feedback}, {found.wanted.format}.",
        "",
        url,
        "",
        "The link works for seven days, for whoever has it: do not pass it on. You get this because an",
        "admin of the workspace has put you on its list, and can take you off it.",
    ]
    subject = f"{workspace.name}: {found.name}, {of}"
    return Message(
        to=person.email,
        subject=subject,
        text="\n".join(lines) + "\n",
        attachment=Attachment(kept.key, kept.name, kept.content_type) if is_in_it else None,
    )


async def _enter(uow: UnitOfWork, viewer: Viewer, id_: UUID) -> ExportSchedule:
    viewer.require_person()
    entered = await store.enter(uow, viewer.id, id_)
    row = None
    if entered is not None:
        workspace, role = entered
        roles.require(role, Action.SCHEDULE_EXPORTS)
        row = await store.lock(uow, workspace, id_)
    if row is None:
        raise NotFoundError("There is no such scheduled export.")
    return row


async def _checked(
    uow: UnitOfWork,
    viewer: Viewer,
    workspace: UUID,
    settings: Settings,
    *,
    users: Sequence[UUID] = (),
    where: Filter | None = None,
) -> dict[str, Any]:
    """What is to be stored of the settings; `users` and `where` are stored already."""
    checks = Checks()
    checks.line(settings.name, "name", longest=200, required=True)
    hour = 7 if settings.hour is None else settings.hour
    checks.number(hour, "hour", least=0, most=23)
    wanted, time_zone = settings.where or Filter(), settings.time_zone or "UTC"
    if wanted.occurred_after is not None or wanted.occurred_before is not None:
        checks.refuse(["filter"], "must be without times: the period says them")
    if settings.member_ids is not None and not 0 < len(settings.member_ids) <= MOST_RECIPIENTS:
        checks.refuse(["memberIds"], f"must be from 1 to {MOST_RECIPIENTS}")
    try:
        zone(time_zone)
    except InvalidInputError as error:
        checks.refuse(["timeZone"], error.fields[0].message)
    checks.done()
    if wanted != where:
        await check_filter(uow, workspace, wanted)
    if settings.member_ids is not None:
        users = await _users(uow, workspace, settings.member_ids)
    assert settings.format is not None  # noqa: S101 - the schema says so
    assert settings.period is not None  # noqa: S101
    return {
        "name": settings.name,
        "format": settings.format,
        "filter": orjson.dumps(wanted.values()).decode(),
        "period": settings.period,
        "hour": hour,
        "time_zone": time_zone,
        "user_ids": list(users),
        "enabled": settings.enabled is not False,
        "updated_by": viewer.user_id,
    }


async def _users(uow: UnitOfWork, workspace: UUID, members: Sequence[UUID]) -> list[UUID]:
    wanted = list(dict.fromkeys(members))
    people = await store.people_of_members(uow, workspace, wanted)
    if len(people) < len(wanted):
        raise NotFoundError("There is no such member in this workspace.")
    checks = Checks()
    if any(person.role not in roles.holders(Action.EXPORT_FEEDBACK) for person in people):
        checks.refuse(["memberIds"], "must be members who may export themselves: ANALYST at least")
    checks.done()
    return [person.id for person in people]


async def _plan(uow: UnitOfWork, row: ExportSchedule) -> None:
    rhythm = Cron(f"0 {row.hour} {_DAYS[Period(row.period)]}", row.time_zone)
    arguments = {"export_schedule": row.id.hex}
    plan = Plan(
        _plan_name(row.id), SCHEDULED_EXPORT, rhythm, Missed.ONCE, arguments, enabled=row.enabled
    )
    await schedule.put(uow, plan, workspace=row.workspace_id)


def _plan_name(id_: UUID) -> str:
    return f"export {id_.hex}"


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), zone(time_zone)).astimezone(UTC)
