"""The caller, and finding things by id."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import strawberry

from domain import (
    account,
    alert,
    api_key,
    audit,
    export,
    feedback,
    file,
    invitation,
    job,
    note,
    privacy,
    saved_view,
    schedule,
    source,
    tag,
    webhook,
    workspace,
)
from domain import viewer as viewer_
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind, parse
from domain.scopes import Scope
from graph.access import (
    Access,
    guarded,
    open_but_scoped,
    public,
    recognised,
    scoped,
    signed_in,
)
from graph.account import Session, User
from graph.api_key import ApiKey
from graph.context import Info
from graph.cost import ListSize
from graph.fields import batch
from graph.job import JOB_SCOPES
from graph.node import Node
from graph.security import SecurityEventConnection, security_log_of
from graph.workspace import Workspace

MOST_NODES = 100


async def _user(parents: Sequence[viewer_.Viewer], info: Info) -> Sequence[account.User | None]:
    async with info.context.reader() as reader:
        user = await account.me(reader, info.context.viewer, columns=info.columns("User"))
    return [user for _ in parents]


async def _workspaces(
    parents: Sequence[viewer_.Viewer], info: Info
) -> Sequence[Sequence[workspace.Workspace]]:
    async with info.context.reader() as reader:
        rows = await workspace.of_viewer(
            reader, info.context.viewer, columns=info.columns("Workspace")
        )
    return [rows for _ in parents]


async def _sessions(
    parents: Sequence[viewer_.Viewer], info: Info
) -> Sequence[Sequence[account.Session]]:
    async with info.context.reader() as reader:
        rows = await account.sessions(
            reader,
            info.context.viewer,
            info.context.services.clock(),
            columns=info.columns("Session"),
        )
    return [rows for _ in parents]


async def _api_key(
    parents: Sequence[viewer_.Viewer], info: Info
) -> Sequence[api_key.ApiKey | None]:
    async with info.context.reader() as reader:
        key = await api_key.own(reader, info.context.viewer, columns=info.columns("ApiKey"))
    return [key for _ in parents]


@guarded("user", "workspaces", "sessions", "api_key")
@strawberry.type(description="The caller: a signed-in user or a partner's API key.")
class Viewer:
    user: User | None = batch(
        _user, reads=(), graphql_type=User | None, description="The user; null for a key."
    )
    workspaces: list[Workspace] = batch(
        _workspaces,
        reads=(),
        graphql_type=list[Workspace],
        description="The workspaces that the caller belongs to, the oldest first.",
    )
    sessions: list[Session] = batch(
        _sessions,
        reads=(),
        graphql_type=list[Session],
        description="Where the user is signed in, the latest used first; empty for a key.",
    )

    api_key: ApiKey | None = batch(
        _api_key,
        reads=(),
        graphql_type=ApiKey | None,
        description="The API key; null for a user.",
    )
    security_log: SecurityEventConnection = batch(
        security_log_of,
        reads=(),
        access=signed_in,
        graphql_type=SecurityEventConnection,
        description="What happened to the user's account, the newest first, in pages of up to 100.",
    )


async def _users(reader: Any, viewer: viewer_.Viewer, wanted: Any, columns: Any) -> Sequence[Any]:
    return list((await account.users(reader, viewer, wanted, columns=columns)).values())


async def _sources(reader: Any, viewer: viewer_.Viewer, wanted: Any, columns: Any) -> Sequence[Any]:
    return list((await source.by_ids(reader, viewer, wanted, columns=columns)).values())


async def _feedback(
    reader: Any, viewer: viewer_.Viewer, wanted: Any, columns: Any
) -> Sequence[Any]:
    return list((await feedback.by_ids(reader, viewer, wanted, columns=columns)).values())


_FIND: dict[Kind, tuple[str, Callable[..., Awaitable[Sequence[Any]]]]] = {
    Kind.USER: ("User", _users),
    Kind.SESSION: ("Session", account.sessions_by_ids),
    Kind.WORKSPACE: ("Workspace", workspace.by_ids),
    Kind.MEMBER: ("Member", workspace.members_by_ids),
    Kind.SOURCE: ("Source", _sources),
    Kind.FEEDBACK: ("Feedback", _feedback),
    Kind.TAG: ("Tag", tag.by_ids),
    Kind.JOB: ("Job", job.by_ids),
    Kind.SCHEDULE: ("Schedule", schedule.by_ids),
    Kind.API_KEY: ("ApiKey", api_key.by_ids),
    Kind.WEBHOOK: ("Webhook", webhook.by_ids),
    Kind.WEBHOOK_DELIVERY: ("WebhookDelivery", webhook.deliveries),
    Kind.ALERT_RULE: ("AlertRule", alert.rules_by_ids),
    Kind.ALERT: ("Alert", alert.by_ids),
    Kind.FILE: ("File", file.by_ids),
    Kind.FEEDBACK_NOTE: ("FeedbackNote", note.by_ids),
    Kind.SAVED_VIEW: ("SavedView", saved_view.by_ids),
    Kind.EXPORT_SCHEDULE: ("ExportSchedule", export.by_ids),
    Kind.INVITATION: ("Invitation", invitation.by_ids),
    Kind.IDENTITY: ("LinkedIdentity", account.identities_by_ids),
    Kind.AUDIT_ENTRY: ("AuditEntry", audit.by_ids),
    Kind.ERASURE: ("ErasureReceipt", privacy.by_ids),
}


_ACCESS: dict[Kind, Access] = {
    Kind.WORKSPACE: recognised,
    Kind.SOURCE: scoped(Scope.FEEDBACK_READ, Scope.FEEDBACK_WRITE, Scope.SOURCES_MANAGE),
    Kind.FEEDBACK: scoped(Scope.FEEDBACK_READ),
    Kind.TAG: scoped(Scope.FEEDBACK_READ, Scope.FEEDBACK_TAG),
    # Of all kinds only jobs may be anybody's who knows their ids.
    Kind.JOB: open_but_scoped(*JOB_SCOPES),
    Kind.SCHEDULE: scoped(Scope.JOBS_MANAGE),
}
"""Who may ask for things of a kind; what is not said is closed to keys."""


async def _find(info: Info, wanted: Sequence[tuple[Kind, UUID] | None]) -> Sequence[Any]:
    """Each thing or None, one statement a kind."""
    by_kind: dict[Kind, set[UUID]] = {}
    for id_ in wanted:
        if id_ is not None:
            by_kind.setdefault(id_[0], set()).add(id_[1])
    found: dict[tuple[Kind, UUID], Any] = {}
    for kind, uuids in by_kind.items():
        for row in await _read(info, kind, list(uuids)):
            found[kind, row.id] = row
    return [id_ and found.get(id_) for id_ in wanted]


async def _read(info: Info, kind: Kind, uuids: list[UUID]) -> Sequence[Any]:
    """Those of the things that there are and that are the caller's."""
    type_name, read = _FIND[kind]
    context = info.context
    _ACCESS.get(kind, signed_in).check(context)
    viewer = context.viewer_or_none if kind is Kind.JOB else context.viewer
    async with context.reader() as reader:
        return await read(reader, viewer, uuids, columns=info.columns(type_name))


@strawberry.type
class ViewerQuery:
    @strawberry.field(
        extensions=[public],
        graphql_type=Viewer | None,
        description="Null when nobody is signed in.",
    )
    def viewer(self, info: Info) -> viewer_.Viewer | None:
        return info.context.viewer_or_none

    @strawberry.field(
        extensions=[public],
        graphql_type=Node | None,
        description="Anything by its id; null when it does not exist or is not the caller's. Only for a job "
        "need nobody be signed in, and then it is null unless `submitContact` answered it.",
    )
    async def node(self, info: Info, id: strawberry.ID) -> Any:
        parsed = parse(id)
        if parsed is None:
            message = "must be an id, such as feedback_01932c07c0de7abc8def0123456789ab"
            raise InvalidInputError(f"`id` {message}.", [FieldError(("id",), message)])
        kind, uuid = parsed
        return next(iter(await _read(info, kind, [uuid])), None)

    @strawberry.field(
        extensions=[recognised],
        directives=[ListSize(slicing_arguments=["ids"])],
        graphql_type=list[Node | None],
        description="Up to 100 things by their ids, in order; null for each that does not exist or "
        "is not the caller's.",
    )
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> Sequence[Any]:
        if len(ids) > MOST_NODES:
            message = f"must be at most {MOST_NODES}"
            raise InvalidInputError(f"`ids` {message}.", [FieldError(("ids",), message)])
        return await _find(info, [parse(id_) for id_ in ids])
