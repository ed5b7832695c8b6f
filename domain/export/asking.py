"""Asking for an export, and what was asked for as its job keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain import audit, job
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import NotFoundError
from domain.events import INSTANCE
from domain.feedback import Filter
from domain.job import Job, Kind, Priority
from domain.roles import Action
from domain.viewer import Viewer
from persistence import feedback as store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence.database import UnitOfWork

EXPORT = Kind(
    "export",
    priority=Priority.BULK,
    timeout=timedelta(hours=1),
    most_failures=4,
    first_pause=timedelta(seconds=10),
)
MOST_NAMED = 100


class Format(StrEnum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    PARQUET = "PARQUET"
    PDF = "PDF"


@dataclass(frozen=True, slots=True)
class StartExport:
    workspace_id: UUID
    format: Format
    where: Filter


@dataclass(frozen=True, slots=True)
class Wanted:
    """An export, and as whom it is read: whoever asked for it, who must still be allowed to when it is made."""

    workspace_id: UUID
    format: Format
    where: Filter
    viewer: Viewer

    @classmethod
    def of(cls, workspace_id: UUID, arguments: Mapping[str, Any], now: datetime) -> "Wanted":
        """As `start` has written it."""
        where = filter_of(arguments["filter"])
        viewer = Viewer(UUID(arguments["viewer"]), session_id=INSTANCE, expires_at=now)
        return cls(workspace_id, Format(arguments["format"]), where, viewer)


def filter_of(written: Mapping[str, Any]) -> Filter:
    """A filter whose `values()` were kept as JSON."""
    values = dict(written)
    for name in ("source_ids", "tag_ids", "assignee_ids"):
        if name in values:
            values[name] = tuple(UUID(each) for each in values[name])
    for name in ("occurred_after", "occurred_before"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("sentiments", "statuses"):
        if name in values:
            values[name] = tuple(values[name])
    return Filter(**values)


async def start(uow: UnitOfWork, viewer: Viewer, command: StartExport) -> Job:
    """Ask for an export of what passes the filter; what it names must be of the workspace."""
    await workspaces.enter(uow, viewer, command.workspace_id, Action.EXPORT_FEEDBACK)
    await check_filter(uow, command.workspace_id, command.where)
    asked = await job.enqueue(
        uow,
        EXPORT,
        workspace=command.workspace_id,
        arguments={
            "format": command.format,
            "filter": command.where.values(),
            "viewer": viewer.id.hex,
        },
        created_by=viewer.id if viewer.key is None else None,
    )
    what, told = audit.Action.JOB_EXPORT_STARTED, {"format": command.format.value}
    await audit.record(uow, viewer, what, command.workspace_id, asked.id, after=asked, more=told)
    return asked


async def check_filter(uow: UnitOfWork, workspace: UUID, where: Filter) -> None:
    """Refuse one that names too much, or what is not the workspace's."""
    checks = Checks()
    _few(checks, "sourceIds", where.source_ids)
    _few(checks, "tagIds", where.tag_ids)
    _few(checks, "assigneeIds", where.assignee_ids)
    checks.done()
    for source in where.source_ids or ():
        if await source_store.in_workspace(uow, workspace, source) is None:
            raise NotFoundError("There is no such source in this workspace.")
    tags = set(where.tag_ids or ())
    if tags and len(await tag_store.in_workspace(uow, workspace, list(tags))) < len(tags):
        raise NotFoundError("There is no such tag in this workspace.")
    members = set(where.assignee_ids or ())
    if members and len(await store.members_of(uow, workspace, list(members))) < len(members):
        raise NotFoundError("There is no such member in this workspace.")


def _few(checks: Checks, name: str, ids: Sequence[UUID] | None) -> None:
    if ids is not None and len(ids) > MOST_NAMED:
        checks.refuse(["filter", name], f"must name at most {MOST_NAMED}")
