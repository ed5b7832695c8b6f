"""The audit log of a workspace: who did what, from where, and what became another by it.

What changes something `record`s it in the same transaction. What is told of a thing are the columns named here, and
no others: no secret, token, hash or text of a customer gets into the log, whatever a row holds.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from domain import ids, roles
from domain.ids import Kind
from domain.origin import storable
from domain.viewer import Viewer
from persistence import audit as store
from persistence.audit import Key
from persistence.database import Columns, Database, Reader, UnitOfWork

Entry = store.AuditEntryRow
Where = store.Where

SYSTEM = "Earful"
"""Who does what nobody asked for."""


class Action(StrEnum):
    """What can be done, as `<kind of thing>.<what was done>`: these words are for good."""

    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_UPDATED = "workspace.updated"
    WORKSPACE_AUTHOR_EXPORTED = "workspace.author_exported"
    WORKSPACE_ERASURE_REQUESTED = "workspace.erasure_requested"
    WORKSPACE_AUTHOR_ERASED = "workspace.author_erased"
    INVITATION_SENT = "invitation.sent"
    INVITATION_REVOKED = "invitation.revoked"
    MEMBER_JOINED = "member.joined"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    SOURCE_CREATED = "source.created"
    SOURCE_UPDATED = "source.updated"
    SOURCE_SECRET_ROTATED = "source.secret_rotated"  # noqa: S105 - a name
    SOURCE_REPLAYED = "source.replayed"
    SOURCE_DELETED = "source.deleted"
    FEEDBACK_REVEALED = "feedback.revealed"
    TAG_CREATED = "tag.created"
    API_KEY_CREATED = "api_key.created"
    API_KEY_UPDATED = "api_key.updated"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    ALERT_RULE_CREATED = "alert_rule.created"
    ALERT_RULE_UPDATED = "alert_rule.updated"
    ALERT_RULE_DELETED = "alert_rule.deleted"
    ALERT_RULE_TESTED = "alert_rule.tested"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_UPDATED = "webhook.updated"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - a name
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    FILE_UPLOAD_CREATED = "file.upload_created"
    FILE_COMPLETED = "file.completed"
    FILE_ATTACHED = "file.attached"
    JOB_IMPORT_STARTED = "job.import_started"
    JOB_IMPORT_UNDONE = "job.import_undone"
    JOB_RESCORING_STARTED = "job.rescoring_started"
    JOB_EXPORT_STARTED = "job.export_started"
    EXPORT_SCHEDULE_CREATED = "export_schedule.created"
    EXPORT_SCHEDULE_UPDATED = "export_schedule.updated"
    EXPORT_SCHEDULE_DELETED = "export_schedule.deleted"
    FEEDBACK_NOTE_EDITED = "feedback_note.edited"
    FEEDBACK_NOTE_DELETED = "feedback_note.deleted"
    SAVED_VIEW_CREATED = "saved_view.created"
    SAVED_VIEW_UPDATED = "saved_view.updated"
    SAVED_VIEW_DELETED = "saved_view.deleted"
    JOB_CANCELLED = "job.cancelled"
    JOB_RETRIED = "job.retried"

    @property
    def kind(self) -> Kind:
        """Of what it is done to."""
        return Kind(self.partition(".")[0])


def _as_is(value: Any) -> Any:
    return value


def _host(url: str) -> str:
    """The rest of an URL may be a secret."""
    return urlsplit(url).hostname or ""


def _parsed(text: str) -> Any:
    return orjson.loads(text)


def _ids(values: Sequence[UUID] | None) -> list[str] | None:
    return None if values is None else [value.hex for value in values]


_TOLD: Mapping[Kind, Mapping[str, Callable[[Any], Any]]] = {
    Kind.WORKSPACE: dict.fromkeys(("name", "slug", "inbox_email"), _as_is),
    Kind.MEMBER: {"user_id": lambda user: ids.write(Kind.USER, user), "role": _as_is},
    Kind.INVITATION: dict.fromkeys(("email", "role"), _as_is),
    Kind.SOURCE: dict.fromkeys(("name", "kind", "provider", "deliveries_per_minute"), _as_is)
    | {"masking": _parsed},
    Kind.FEEDBACK: {},
    Kind.TAG: dict.fromkeys(("name", "color"), _as_is),
    Kind.API_KEY: dict.fromkeys(("name", "prefix", "scopes", "allowed_ips", "expires_at"), _as_is),
    Kind.ALERT_RULE: dict.fromkeys(("name", "kind", "enabled"), _as_is)
    | {"definition": _parsed, "channels": _parsed},
    Kind.WEBHOOK: dict.fromkeys(
        ("name", "algorithm", "event_types", "sentiments", "rate_per_second", "disabled_at"), _as_is
    )
    | {"url": _host, "source_ids": _ids, "tag_ids": _ids},
    Kind.FILE: dict.fromkeys(("name", "content_type", "size", "purpose", "status"), _as_is),
    Kind.EXPORT_SCHEDULE: dict.fromkeys(
        ("name", "format", "period", "hour", "time_zone", "enabled"), _as_is
    )
    | {"user_ids": _ids},
    Kind.FEEDBACK_NOTE: {"actor_name": _as_is},
    Kind.SAVED_VIEW: dict.fromkeys(("name", "order_by"), _as_is)
    | {"private_to": lambda member: ids.write(Kind.MEMBER, member)},
    Kind.JOB: dict.fromkeys(("kind", "status"), _as_is),
}
"""The columns that the log tells of a thing, and how each is written."""


async def record(
    uow: UnitOfWork,
    viewer: Viewer | None,
    action: Action,
    workspace: UUID,
    target: UUID,
    *,
    before: Any = None,
    after: Any = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the log of a workspace that was entered; without a viewer Earful itself has done it.

    `before` and `after` are rows of the target. Of two rows what differs is told. `more` is told as it is: no
    secrets, and nothing that a customer wrote.
    """
    was, is_ = _told(action.kind, before), _told(action.kind, after)
    name = (is_ or was or {}).get("name")
    if was is not None and is_ is not None:
        changed = [key for key in is_ if was[key] != is_[key]]
        was, is_ = ({key: side[key] for key in changed} for side in (was, is_))
    if more is not None:
        is_ = {**(is_ or {}), **more}
    origin = None if viewer is None else viewer.origin
    await store.add(
        uow,
        workspace=workspace,
        action=action.value,
        actor_kind="SYSTEM" if viewer is None else "USER" if viewer.key is None else "API_KEY",
        actor=None if viewer is None else viewer.id,
        otherwise=SYSTEM if viewer is None else "",
        session=None if viewer is None or viewer.key is not None else viewer.session_id,
        target=ids.write(action.kind, target),
        summary=_summary(action, name),
        before=_json(was),
        after=_json(is_),
        ip=None if origin is None else origin.ip,
        user_agent=None if origin is None else storable(origin.user_agent),
    )


async def pages(
    reader: Reader,
    viewer: Viewer,
    workspaces: Sequence[UUID],
    *,
    where: Where,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[Entry]:
    """The newest `limit` entries older than `after` of those of the workspaces whose logs the viewer may read."""
    return await store.pages(
        reader,
        viewer.user_id,
        roles.sufficient(viewer, roles.Action.READ_AUDIT_LOG),
        workspaces,
        where=where,
        limit=limit,
        after=after,
        columns=columns,
    )


async def by_ids(
    reader: Reader, viewer: Viewer, wanted: Sequence[UUID], *, columns: Columns | None = None
) -> list[Entry]:
    managers = roles.sufficient(viewer, roles.Action.READ_AUDIT_LOG)
    return await store.by_ids(reader, viewer.user_id, managers, wanted, columns=columns)


async def expunge(database: Database, now: datetime, *, kept: timedelta) -> None:
    """Take away what is older, one workspace at a time."""
    async with database.reader() as reader:
        workspaces = await store.with_old(reader, now - kept)
    for workspace in workspaces:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.expunge(uow, workspace, now - kept)


def _told(kind: Kind, row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        name: None if (value := getattr(row, name)) is None else write(value)
        for name, write in _TOLD[kind].items()
    }


def _summary(action: Action, name: object) -> str:
    """Such as: Alert rule Much deleted."""
    kind, _, done = action.replace("_", " ").partition(".")
    noun = "API key" if action.kind is Kind.API_KEY else kind.capitalize()
    return " ".join(str(part) for part in (noun, name, done) if part)


def _json(told: Mapping[str, Any] | None) -> str | None:
    # Postgres keeps no NUL.
    return None if told is None else orjson.dumps(told).decode().replace("\\u0000", "")
