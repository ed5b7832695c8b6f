"""Workspaces in the schema: the root of what belongs to a tenant."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import (
    account,
    alert,
    api_key,
    events,
    export,
    ids,
    invitation,
    privacy,
    roles,
    saved_view,
    source,
    tag,
    webhook,
)
from domain import workspace as workspaces
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import guarded, recognised, scoped, signed_in
from graph.account import User
from graph.account.guard import CHANGES, FAILED_PASSWORDS, guessing
from graph.alert import AlertConnection, AlertRule, alerts_of_workspaces
from graph.api_key import ApiKey
from graph.audit import AuditEntryConnection, audit_logs_of
from graph.caching import LONGEST, CacheControl
from graph.context import Info
from graph.errors import (
    Conflict,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    NotFound,
    RateLimited,
)
from graph.export_schedule import ExportSchedule
from graph.feedback import FeedbackConnection
from graph.feedback_page import feedback_of
from graph.fields import batch, column, rows
from graph.invitation import Invitation
from graph.job import JobConnection, jobs_of
from graph.node import Node, id_field, read_id
from graph.privacy import ErasureReceipt
from graph.role import Role
from graph.saved_view import SavedView
from graph.source import Source
from graph.stats import FeedbackStats, stats_of
from graph.tag import Tag
from graph.webhook import Webhook


def by_workspace(
    parents: Sequence[workspaces.Workspace], rows: Sequence[Any]
) -> Sequence[Sequence[Any]]:
    """Each workspace's rows, in their order."""
    found: dict[UUID, list[Any]] = {parent.id: [] for parent in parents}
    for row in rows:
        found[row.workspace_id].append(row)
    return [found[parent.id] for parent in parents]


def rows_of(read: Callable[..., Any], type_name: str) -> Callable[..., Any]:
    """A batch resolver for rows that `read(reader, viewer, workspace_ids, columns=...)` finds."""

    async def load(parents: Sequence[workspaces.Workspace], info: Info) -> Sequence[Sequence[Any]]:
        async with info.context.reader() as reader:
            rows = await read(
                reader,
                info.context.viewer,
                [parent.id for parent in parents],
                columns=info.columns(type_name),
            )
        return by_workspace(parents, rows)

    return load


async def _user(parents: Sequence[workspaces.Member], info: Info) -> Sequence[account.User]:
    async with info.context.reader() as reader:
        found = await account.users(
            reader,
            info.context.viewer,
            list({parent.user_id for parent in parents}),
            columns=info.columns("User"),
        )
    return [found[parent.user_id] for parent in parents]


@strawberry.type(description="A user's place in a workspace.")
@rows(workspaces.Member)
class Member(Node):
    id: strawberry.ID = id_field(Kind.MEMBER)
    user: User = batch(_user, reads=("user_id",), graphql_type=User, description="Who it is.")
    role: Role = strawberry.field(description="What they may do.")
    joined_at: datetime = strawberry.field(description="Since when.")


async def _feedback_cursors(
    parents: Sequence[workspaces.Workspace], info: Info
) -> Sequence[str | None]:
    position = info.context.services.hub.position
    topics = [events.topic(parent.id, events.FEEDBACK_TOPIC) for parent in parents]
    return [str(cursor) for cursor in await asyncio.gather(*map(position, topics))]


@guarded("id", "name", "slug", "viewer_role", "created_at")
@strawberry.type(description="A tenant: people, sources and their feedback.")
@rows(workspaces.Workspace)
class Workspace(Node):
    id: strawberry.ID = id_field(Kind.WORKSPACE)
    name: str = strawberry.field(description="Its name, for people.")
    slug: str = strawberry.field(description="Its name in URLs.")
    inbox_email: str | None = strawberry.field(
        extensions=[signed_in],
        description="Whom visitors reach through `submitContact`; null: the owners.",
    )
    viewer_role: Role = column(
        "viewer_role",
        roles.of_person,
        graphql_type=Role,
        description="What the caller may do in it; of an API key the least role that may do all that its scopes allow.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    feedback: FeedbackConnection = batch(
        feedback_of,
        reads=("id",),
        access=scoped(Scope.FEEDBACK_READ),
        graphql_type=FeedbackConnection,
        description="Its feedback, in pages of up to 100.",
    )
    feedback_cursor: str | None = batch(
        _feedback_cursors,
        reads=("id",),
        first=True,
        access=scoped(Scope.FEEDBACK_READ),
        graphql_type=str | None,
        description="Where `feedbackEvents` goes on from what is read beside it: all that happened before this cursor "
        "is in it. Pass it as `after`, and nothing is missed between the two; what happened meanwhile may come "
        "again as an event. Null, with an error, while events cannot be read.",
    )
    stats: FeedbackStats = batch(
        stats_of,
        reads=("id",),
        access=scoped(Scope.STATS_READ),
        directives=[CacheControl(max_age=LONGEST)],
        graphql_type=FeedbackStats,
        description="Its feedback counted, from `from` to before `to`, in at most 2,500 buckets. "
        "`timeZone` is an IANA name such as Europe/Berlin.",
    )
    sources: list[Source] = batch(
        rows_of(source.of_workspaces, "Source"),
        reads=("id",),
        access=scoped(Scope.FEEDBACK_READ, Scope.FEEDBACK_WRITE, Scope.SOURCES_MANAGE),
        graphql_type=list[Source],
        description="Where its feedback comes from, the oldest first.",
    )
    tags: list[Tag] = batch(
        rows_of(tag.of_workspaces, "Tag"),
        reads=("id",),
        access=scoped(Scope.FEEDBACK_READ, Scope.FEEDBACK_TAG),
        graphql_type=list[Tag],
        description="Its tags, by name.",
    )
    members: list[Member] = batch(
        rows_of(workspaces.members, "Member"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[Member],
        description="Who belongs to it, the longest-standing first.",
    )
    invitations: list[Invitation] = batch(
        rows_of(invitation.of_workspaces, "Invitation"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[Invitation],
        description="Who is invited into it, the oldest invitation first; empty for callers below ADMIN.",
    )
    api_keys: list[ApiKey] = batch(
        rows_of(api_key.of_workspaces, "ApiKey"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[ApiKey],
        description="Partners' keys, the oldest first; empty for callers below ADMIN.",
    )
    jobs: JobConnection = batch(
        jobs_of,
        reads=("id",),
        access=scoped(Scope.JOBS_READ, Scope.JOBS_MANAGE),
        graphql_type=JobConnection,
        description="Its jobs, the newest first; with `kind` or `status` only those that have it.",
    )
    alert_rules: list[AlertRule] = batch(
        rows_of(alert.of_workspaces, "AlertRule"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[AlertRule],
        description="What is to be noticed in its feedback, the oldest rule first.",
    )
    alerts: AlertConnection = batch(
        alerts_of_workspaces,
        reads=("id",),
        access=signed_in,
        graphql_type=AlertConnection,
        description="What its rules have raised, the newest first, in pages of up to 100. `alertRaised` follows it.",
    )
    saved_views: list[SavedView] = batch(
        rows_of(saved_view.of_workspaces, "SavedView"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[SavedView],
        description="Views of its feedback that are for all, and the caller's own, by name.",
    )
    export_schedules: list[ExportSchedule] = batch(
        rows_of(export.of_workspaces, "ExportSchedule"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[ExportSchedule],
        description="What is exported and mailed again and again, the oldest first; empty for callers below ADMIN.",
    )
    webhooks: list[Webhook] = batch(
        rows_of(webhook.of_workspaces, "Webhook"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[Webhook],
        description="Who is told of what happens in it, the oldest first; empty for callers below ADMIN.",
    )
    erasures: list[ErasureReceipt] = batch(
        rows_of(privacy.receipts_of, "ErasureReceipt"),
        reads=("id",),
        access=signed_in,
        graphql_type=list[ErasureReceipt],
        description="Receipts of authors that were erased, the newest first; empty for callers below ADMIN.",
    )
    audit_log: AuditEntryConnection = batch(
        audit_logs_of,
        reads=("id",),
        access=signed_in,
        graphql_type=AuditEntryConnection,
        description="Who did what in it, the newest first, in pages of up to 100: by one user or API key, of one "
        "`action`, from `from` to before `to`. Empty for callers below ADMIN.",
    )


@strawberry.type
class WorkspaceQuery:
    @strawberry.field(
        extensions=[recognised],
        directives=[CacheControl(max_age=LONGEST)],
        graphql_type=Workspace | None,
        description="Null when it does not exist or is not the caller's.",
    )
    async def workspace(self, info: Info, slug: str) -> workspaces.Workspace | None:
        async with info.context.reader() as reader:
            found = await workspaces.by_slug(
                reader, info.context.viewer, slug, columns=info.columns("Workspace")
            )
        if found is not None:
            await info.context.tells_of(found.id)
        return found


@strawberry.input(description="A new workspace.")
class CreateWorkspaceInput:
    name: str = strawberry.field(description="Up to 200 characters.")
    slug: str = strawberry.field(
        description="Its name in URLs: 1 to 63 lower-case letters, digits and inner hyphens; unique."
    )


@strawberry.type(description="The workspace was made.")
class CreateWorkspaceSuccess:
    workspace: Workspace = strawberry.field(description="The new workspace; the caller owns it.")


CreateWorkspaceResult = Annotated[
    CreateWorkspaceSuccess | InvalidInput | Conflict, strawberry.union("CreateWorkspaceResult")
]


@strawberry.input(description="What is to change of a workspace; what is left out stays.")
class UpdateWorkspaceInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    name: str | None = strawberry.field(default=None, description="Up to 200 characters.")
    inbox_email: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="Whom visitors reach through `submitContact`; null: the owners."
    )


@strawberry.type(description="The workspace was changed.")
class UpdateWorkspaceSuccess:
    workspace: Workspace = strawberry.field(description="The workspace as it is now.")


UpdateWorkspaceResult = Annotated[
    UpdateWorkspaceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateWorkspaceResult"),
]


@strawberry.input(description="A member's new role.")
class ChangeMemberRoleInput:
    member_id: strawberry.ID = strawberry.field(
        description="The member, as `Workspace.members` lists them; not the user's id."
    )
    role: Role = strawberry.field(description="What they may do from now on.")


@strawberry.type(description="The member has this role now.")
class ChangeMemberRoleSuccess:
    member: Member = strawberry.field(description="The member, with the new role.")


ChangeMemberRoleResult = Annotated[
    ChangeMemberRoleSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("ChangeMemberRoleResult"),
]


@strawberry.input(description="A member who is to go, or who goes.")
class RemoveMemberInput:
    member_id: strawberry.ID = strawberry.field(
        description="The member, as `Workspace.members` lists them; the caller's own to leave."
    )


@strawberry.type(description="The user does not belong to the workspace any more.")
class RemoveMemberSuccess:
    member_id: strawberry.ID = strawberry.field(description="The id that the member had.")


RemoveMemberResult = Annotated[
    RemoveMemberSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("RemoveMemberResult"),
]


@strawberry.input(description="Who is to own a workspace in the caller's place.")
class TransferOwnershipInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    member_id: strawberry.ID = strawberry.field(
        description="The member, as `Workspace.members` lists them; not the user's id."
    )
    password: str = strawberry.field(description="The caller's password.")


@strawberry.type(description="The member is an OWNER now, and the caller an ADMIN.")
class TransferOwnershipSuccess:
    workspace: Workspace = strawberry.field(description="The workspace, as the caller sees it.")
    member: Member = strawberry.field(description="The new OWNER.")


TransferOwnershipResult = Annotated[
    TransferOwnershipSuccess
    | InvalidInput
    | InvalidCredentials
    | Forbidden
    | NotFound
    | Conflict
    | RateLimited,
    strawberry.union("TransferOwnershipResult"),
]


@strawberry.type
class WorkspaceMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Make a workspace that the caller owns, with an API source to submit to.",
    )
    async def create_workspace(
        self, info: Info, input: CreateWorkspaceInput
    ) -> CreateWorkspaceResult:
        async with info.context.transaction() as uow:
            created = await workspaces.create(
                uow, info.context.viewer, name=input.name, slug=input.slug
            )
        return CreateWorkspaceSuccess(workspace=created)  # type: ignore[arg-type]  # rows are workspaces

    @strawberry.mutation(
        extensions=[signed_in], description="Change a workspace's name or inbox. For ADMINs."
    )
    async def update_workspace(
        self, info: Info, input: UpdateWorkspaceInput
    ) -> UpdateWorkspaceResult:
        inbox = input.inbox_email
        async with info.context.transaction() as uow:
            changed = await workspaces.change(
                uow,
                info.context.viewer,
                read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId"),
                name=input.name,
                sets_inbox=inbox is not None,
                inbox_email=None if inbox is None else inbox.value,
            )
        return UpdateWorkspaceSuccess(workspace=changed)  # type: ignore[arg-type]  # rows are workspaces

    @strawberry.mutation(
        extensions=[signed_in],
        description="Give a member another role. Needs the role ADMIN, and OWNER to make somebody an OWNER or an OWNER "
        "something else. The last OWNER stays one: Conflict. It holds at once, for subscriptions too.",
    )
    async def change_member_role(
        self, info: Info, input: ChangeMemberRoleInput
    ) -> ChangeMemberRoleResult:
        async with info.context.transaction() as uow:
            member = await workspaces.change_role(
                uow,
                info.context.viewer,
                read_id(Kind.MEMBER, input.member_id, "memberId"),
                input.role.value,
            )
        return ChangeMemberRoleSuccess(member=member)  # type: ignore[arg-type]  # rows are members

    @strawberry.mutation(
        extensions=[signed_in],
        description="Take a member out of a workspace, which needs the role ADMIN, and OWNER for an OWNER; or leave "
        "it, which everybody may. The last OWNER cannot go: Conflict. It holds at once, for subscriptions too.",
    )
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> RemoveMemberResult:
        async with info.context.transaction() as uow:
            removed = await workspaces.remove_member(
                uow, info.context.viewer, read_id(Kind.MEMBER, input.member_id, "memberId")
            )
        return RemoveMemberSuccess(member_id=strawberry.ID(ids.write(Kind.MEMBER, removed.id)))

    @strawberry.mutation(
        extensions=[signed_in],
        description="Make another member an OWNER and the caller, who is one, an ADMIN, both at once. Needs the "
        "caller's password. It holds at once, for subscriptions too.",
    )
    async def transfer_ownership(
        self, info: Info, input: TransferOwnershipInput
    ) -> TransferOwnershipResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS):
            workspace, member = await workspaces.transfer(
                context.services.database,
                context.viewer,
                read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId"),
                read_id(Kind.MEMBER, input.member_id, "memberId"),
                password=input.password,
            )
        return TransferOwnershipSuccess(workspace=workspace, member=member)  # type: ignore[arg-type]  # rows are both
