"""Invitations in the schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import account, ids, invitation
from domain.ids import Kind
from graph.access import for_people, signed_in
from graph.account import AuthTokens, User
from graph.account.entry import set_cookies
from graph.account.guard import LINKS, address_key
from graph.context import Context, Info
from graph.errors import (
    Conflict,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    NotFound,
    RateLimited,
)
from graph.fields import batch, rows
from graph.node import Node, id_field, read_id
from graph.role import Role
from persistence.limits import Limit

if TYPE_CHECKING:
    from graph.workspace import Workspace

OF_WORKSPACE = Limit("invitations-of-workspace", points=100, seconds=3600)
OF_INVITER = Limit("invitations-of-inviter", points=100, seconds=3600)
TO_ADDRESS = Limit("invitations-to-address", points=10, seconds=3600)
"""How many letters of invitation leave in an hour: of a workspace, of somebody, to one address."""


async def _inviters(
    parents: Sequence[invitation.Invitation], info: Info
) -> Sequence[account.User | None]:
    wanted = list({parent.invited_by for parent in parents if parent.invited_by is not None})
    async with info.context.reader() as reader:
        found = await account.users(
            reader, info.context.viewer, wanted, columns=info.columns("User")
        )
    return [found.get(parent.invited_by) if parent.invited_by else None for parent in parents]


@strawberry.type(
    description="A place in a workspace for whoever has an address. Seen by those who manage members: ADMINs. One that "
    "was accepted or revoked is no more; one that has expired is listed for 30 days."
)
@rows(invitation.Invitation)
class Invitation(Node):
    id: strawberry.ID = id_field(Kind.INVITATION)
    email: str = strawberry.field(description="Whom it was mailed to.")
    role: Role = strawberry.field(description="What they may do once they have accepted.")
    invited_by: User | None = batch(
        _inviters,
        reads=("invited_by",),
        graphql_type=User | None,
        description="Who sent it last; null when they have left.",
    )
    created_at: datetime = strawberry.field(description="When the address was invited first.")
    expires_at: datetime = strawberry.field(description="Until when its link works.")


@strawberry.input(description="Whom to invite.")
class InviteMemberInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    email: str = strawberry.field(description="Their address, whether it has an account or not.")
    role: Role = strawberry.field(description="What they may do once they have accepted.")


@strawberry.type(description="A letter is on its way.")
class InviteMemberSuccess:
    invitation: Invitation = strawberry.field(
        description="The invitation: a new one, or the address' own, renewed with this role."
    )


InviteMemberResult = Annotated[
    InviteMemberSuccess | InvalidInput | Forbidden | NotFound | Conflict | RateLimited,
    strawberry.union("InviteMemberResult"),
]


@strawberry.input(description="Which invitation to send again.")
class ResendInvitationInput:
    invitation_id: strawberry.ID = strawberry.field(
        description="One of `Workspace.invitations`, expired or not."
    )


@strawberry.type(description="Another letter is on its way; the link in the one before is void.")
class ResendInvitationSuccess:
    invitation: Invitation = strawberry.field(description="The invitation as it is now.")


ResendInvitationResult = Annotated[
    ResendInvitationSuccess | InvalidInput | Forbidden | NotFound | Conflict | RateLimited,
    strawberry.union("ResendInvitationResult"),
]


@strawberry.input(description="Which invitation to take back.")
class RevokeInvitationInput:
    invitation_id: strawberry.ID = strawberry.field(description="One of `Workspace.invitations`.")


@strawberry.type(description="There is no such invitation any more.")
class RevokeInvitationSuccess:
    invitation_id: strawberry.ID = strawberry.field(description="The id that it had.")


RevokeInvitationResult = Annotated[
    RevokeInvitationSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("RevokeInvitationResult"),
]


@strawberry.input(
    description="That the caller wants the place. Signed in, the token alone; otherwise with what an account takes."
)
class AcceptInvitationInput:
    token: str = strawberry.field(description="Out of the link in the letter.")
    name: str | None = strawberry.field(
        default=None,
        description="For who is not signed in: one line of up to 200 characters. Otherwise nothing looks at it.",
    )
    password: str | None = strawberry.field(
        default=None,
        description="For who is not signed in: 12 to 256 characters, and none of the most common ones.",
    )
    cookies: bool = strawberry.field(
        default=False, description="Set the new account's tokens as cookies too."
    )


@strawberry.type(description="The caller belongs to the workspace.")
class AcceptInvitationSuccess:
    workspace: Annotated["Workspace", strawberry.lazy("graph.workspace")] = strawberry.field(
        description="The workspace."
    )
    user: User = strawberry.field(description="The caller; their address is proven.")
    tokens: AuthTokens | None = strawberry.field(
        description="The new account's session; null for who was signed in."
    )


AcceptInvitationResult = Annotated[
    AcceptInvitationSuccess
    | InvalidInput
    | InvalidCredentials
    | Forbidden
    | Conflict
    | RateLimited,
    strawberry.union("AcceptInvitationResult"),
]


async def _count_letter(context: Context, workspace: UUID, email: str) -> None:
    """Count a letter that the caller may send; who may not uses up nobody's."""
    await context.spend(OF_INVITER, context.viewer.user_id.hex)
    await context.spend(OF_WORKSPACE, workspace.hex)
    await context.spend(TO_ADDRESS, address_key(email))


async def _accept(context: Context, input: AcceptInvitationInput) -> invitation.Joined:
    if context.viewer_or_none is not None:
        async with context.transaction() as uow:
            return await invitation.accept(uow, context.viewer, input.token)
    services = context.services
    return await invitation.accept_newly(
        services.database,
        services.policy,
        context.client,
        input.token,
        invitation.Newcomer(input.name or "", input.password or ""),
    )


@strawberry.type
class InvitationMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Mail an address an invitation into a workspace; its link works for seven days. Again renews it: "
        "there is one for each address. Needs the role ADMIN, OWNER to invite an OWNER, and that the caller's address "
        "is verified. Conflict when the address is a member's; whether it has an account shows nowhere. At most 100 "
        "letters an hour from a workspace and from a person, 10 to an address.",
    )
    async def invite_member(self, info: Info, input: InviteMemberInput) -> InviteMemberResult:
        context, role = info.context, input.role.value
        workspace = read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId")
        async with context.reader() as reader:
            await invitation.require_inviter(reader, context.viewer, workspace, role)
        await _count_letter(context, workspace, input.email)
        async with context.transaction() as uow:
            row = await invitation.invite(
                uow, context.viewer, workspace, email=input.email, role=role
            )
        return InviteMemberSuccess(invitation=row)  # type: ignore[arg-type]  # rows are invitations

    @strawberry.mutation(
        extensions=[signed_in],
        description="Mail an invitation again, with another link that works for seven days. Needs and counts the same "
        "as `inviteMember`.",
    )
    async def resend_invitation(
        self, info: Info, input: ResendInvitationInput
    ) -> ResendInvitationResult:
        context = info.context
        id_ = read_id(Kind.INVITATION, input.invitation_id, "invitationId")
        async with context.reader() as reader:
            found = await invitation.find_to_manage(reader, context.viewer, id_)
        await _count_letter(context, found.workspace_id, found.email)
        async with context.transaction() as uow:
            row = await invitation.resend(uow, context.viewer, id_)
        return ResendInvitationSuccess(invitation=row)  # type: ignore[arg-type]  # rows are invitations

    @strawberry.mutation(
        extensions=[signed_in],
        description="Take an invitation back: its link is void. Needs the role ADMIN, and OWNER for an OWNER's.",
    )
    async def revoke_invitation(
        self, info: Info, input: RevokeInvitationInput
    ) -> RevokeInvitationResult:
        id_ = read_id(Kind.INVITATION, input.invitation_id, "invitationId")
        async with info.context.transaction() as uow:
            await invitation.revoke(uow, info.context.viewer, id_)
        return RevokeInvitationSuccess(invitation_id=strawberry.ID(ids.write(Kind.INVITATION, id_)))

    @strawberry.mutation(
        extensions=[for_people],
        description="Take the place that an invitation holds, by the token in its letter, which proves the address. "
        "Who is signed in must have that address, else Forbidden. Who is not gets an account with it, and is signed "
        "in; Conflict when the address has one. The link is void once who sent it may not invite any more.",
    )
    async def accept_invitation(
        self, info: Info, input: AcceptInvitationInput
    ) -> AcceptInvitationResult:
        context = info.context
        await context.spend(LINKS, context.client.ip)
        joined = await _accept(context, input)
        tokens = None if joined.signed_in is None else joined.signed_in.tokens
        if tokens is not None and input.cookies:
            set_cookies(context, tokens)
        return AcceptInvitationSuccess(
            workspace=joined.workspace,  # type: ignore[arg-type]  # rows are workspaces
            user=joined.user,  # type: ignore[arg-type]  # rows are users
            tokens=None if tokens is None else AuthTokens.of(tokens),
        )
