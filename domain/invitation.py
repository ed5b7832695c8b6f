"""Invitations: a place in a workspace for whoever has an address, by a link that is mailed there.

What an invitation answers is the same whether the address has an account or not. It is worth what its inviter may:
once they may not invite any more, its link does not work until somebody else sends it again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import audit, job, passwords, roles, security, tokens
from domain import workspace as workspaces
from domain.account.entry import SignedIn
from domain.account.people import LONGEST_NAME, User, there
from domain.account.session import Client, SessionPolicy, open_session
from domain.checks import Checks
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidCredentialsError,
    NotFoundError,
)
from domain.job import Kind, Once, Priority
from domain.letters import Link, letter
from domain.mail import Message
from domain.roles import Action
from domain.viewer import Viewer
from domain.workspace import Workspace
from persistence import account as account_store
from persistence import invitation as store
from persistence import workspace as workspace_store
from persistence.database import Columns, Database, Reader, UniqueViolationError, UnitOfWork

Invitation = store.InvitationRow

INVITATION_MAIL = Kind(
    "invitation_mail",
    priority=Priority.HIGH,
    most_failures=30,
    first_pause=timedelta(seconds=2),
    longest_pause=timedelta(hours=1),
)
LIFETIME = timedelta(days=7)
MOST_INVITATIONS = 500
# One that has expired is listed for so long.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who has no account yet, and what is asked of them for one."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A place was taken; who was not signed in is so now."""

    workspace: Workspace
    user: User
    signed_in: SignedIn | None = None


async def require_inviter(reader: Reader, viewer: Viewer, workspace: UUID, role: str) -> None:
    """NotFoundError to strangers, ForbiddenError by role: asked before mail is counted."""
    found = await workspaces.roles_in(reader, [(viewer, workspace)])
    has = workspaces.require_role(found.get((viewer.id, workspace)))
    roles.require(has, roles.to_manage(role))


async def invite(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, *, email: str, role: str
) -> Invitation:
    """Invite an address, or renew its invitation; ConflictError when it is a member's."""
    entered = await workspaces.enter(uow, viewer, workspace, roles.to_manage(role))
    email = email.strip()
    checks = Checks()
    checks.email(email, "email", required=True)
    checks.done()
    inviter = there((await account_store.users(uow, [viewer.user_id])).get(viewer.user_id))
    if not inviter.email_verified:
        # The letter names them, and is to be true.
        raise ConflictError("Verify your e-mail address first.")
    await workspace_store.lock(uow, workspace)
    if await store.is_member(uow, workspace, email):
        raise ConflictError("Whoever has this address belongs to the workspace already.")
    before = await store.of_address(uow, workspace, email)
    if before is not None:
        roles.require(entered.viewer_role, roles.to_manage(role, before.role))
    elif await store.count(uow, workspace) >= MOST_INVITATIONS:
        checks.refuse(
            ["workspaceId"], f"has {MOST_INVITATIONS} invitations, which is the most: revoke one"
        )
        checks.done()
    return await _put(uow, viewer, workspace, email=email, role=role)


async def find_to_manage(reader: Reader, viewer: Viewer, invitation: UUID) -> Invitation:
    """The invitation, for sending it again or revoking it; NotFoundError to strangers, ForbiddenError by role."""
    row = await store.enter(reader, viewer.user_id, invitation)
    if row is None:
        raise NotFoundError("There is no such invitation.")
    roles.require(row.viewer_role, roles.to_manage(row.role))
    return row


async def resend(uow: UnitOfWork, viewer: Viewer, invitation: UUID) -> Invitation:
    """Mail another link, from the viewer and for seven days more; the one before works no longer."""
    row = await find_to_manage(uow, viewer, invitation)
    return await invite(uow, viewer, row.workspace_id, email=row.email, role=row.role)


async def revoke(uow: UnitOfWork, viewer: Viewer, invitation: UUID) -> None:
    """Take an invitation back: its link works no longer."""
    row = await find_to_manage(uow, viewer, invitation)
    await workspace_store.lock(uow, row.workspace_id)
    if not await store.remove(uow, row.workspace_id, row.id):
        raise NotFoundError("There is no such invitation.")
    what = audit.Action.INVITATION_REVOKED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row)


async def accept(uow: UnitOfWork, viewer: Viewer, token: str) -> Joined:
    """Give the viewer the place, if the letter went to their address, which is proven by that.

    ForbiddenError for another's, ConflictError for who belongs to the workspace already.
    """
    user: User = there(await account_store.lock(uow, viewer.user_id))
    row = await _take(uow, tokens.hash_token(token))
    if user.email.lower() != row.email.lower():
        raise ForbiddenError(
            "This invitation was sent to another address than that of your account: sign in with that one."
        )
    if not user.email_verified:
        user = there(await account_store.set_verified(uow, user.id))
        await security.record_own(uow, viewer, security.Action.EMAIL_VERIFIED)
    return Joined(await _join(uow, row, user, viewer), user)


async def accept_newly(
    database: Database,
    policy: SessionPolicy,
    client: Client,
    token: str,
    newcomer: Newcomer,
) -> Joined:
    """Make an account of the address, which is proven, and sign it in; ConflictError when the address has one."""
    token_hash = tokens.hash_token(token)
    async with database.transaction() as uow:
        # Looked at before: whoever has no token is to cost no hash.
        found = await store.find(uow, token_hash, uow.now)
    if found is None:
        raise _not_valid()
    checks = Checks()
    checks.line(newcomer.name, "name", longest=LONGEST_NAME, required=True)
    passwords.check(checks, newcomer.password, "password", about=(found.email, newcomer.name))
    checks.done()
    password_hash = await asyncio.to_thread(passwords.hash, newcomer.password)
    try:
        async with database.transaction() as uow:
            row = await _take(uow, token_hash)
            added = await account_store.add_user(
                uow, email=row.email, name=newcomer.name, password_hash=password_hash
            )
            user = there(await account_store.set_verified(uow, added.id))
            await security.record(uow, user.id, security.Action.REGISTERED, client)
            opened = await open_session(uow, policy, client, user.id)
            viewer = policy.access.read(opened.access.text, uow.now)
            workspace = await _join(uow, row, user, replace(viewer, origin=client))
    except UniqueViolationError:
        raise ConflictError(
            "There is an account with this address: sign in first, then accept."
        ) from None
    return Joined(workspace, user, SignedIn(user, opened))


async def compose(
    uow: UnitOfWork, workspace: UUID, arguments: Mapping[str, Any], *, base_url: str
) -> Message | None:
    """The letter with a token of its own; None when there is nothing to invite to any more."""
    row = await store.letter(uow, workspace, UUID(hex=arguments["invitation"]))
    if row is None or row.inviter_email is None or row.expires_at <= uow.now:
        return None
    token = tokens.new_mailed_token()
    await store.add_token(
        uow, token_hash=tokens.hash_token(token), workspace=workspace, invitation=row.id
    )
    name = " ".join(row.workspace_name.split())
    return letter(
        row.email,
        "You are invited to a workspace",
        [
            "Hello,",
            f"{row.inviter_email} invites you to the workspace “{name}” at {base_url}, as {row.role}.",
            Link("Accept the invitation", f"{base_url}/account/accept-invitation?token={token}"),
            "The link works once, for seven days. If you do not know who this is, there is nothing to do.",
        ],
    )


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Invitation]:
    """The invitations into those of the workspaces whose members the viewer manages, the oldest first."""
    managers = roles.sufficient(viewer, Action.MANAGE_MEMBERS)
    return await store.of_workspaces(reader, viewer.user_id, managers, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Invitation]:
    managers = roles.sufficient(viewer, Action.MANAGE_MEMBERS)
    return await store.by_ids(reader, viewer.user_id, managers, ids, columns=columns)


async def forget(database: Database, now: datetime) -> None:
    """Forget the invitations that expired long ago, one workspace at a time."""
    before = now - REMEMBERED
    async with database.reader() as reader:
        stale = await store.with_expired(reader, before)
    for workspace in stale:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.forget(uow, workspace, before)


async def _put(
    uow: UnitOfWork, viewer: Viewer, workspace: UUID, *, email: str, role: str
) -> Invitation:
    row = await store.put(
        uow,
        workspace=workspace,
        email=email,
        role=role,
        invited_by=viewer.user_id,
        expires_at=uow.now + LIFETIME,
    )
    await audit.record(uow, viewer, audit.Action.INVITATION_SENT, workspace, row.id, after=row)
    await job.enqueue(
        uow,
        INVITATION_MAIL,
        workspace=workspace,
        arguments={"invitation": row.id.hex},
        once=Once(row.id.hex),
    )
    return row


async def _take(uow: UnitOfWork, token_hash: bytes) -> Invitation:
    """Use the invitation up, with nobody else changing its workspace's members meanwhile."""
    entered = await store.enter_by_token(uow, token_hash)
    if entered is None:
        raise _not_valid()
    await workspace_store.lock(uow, entered.workspace_id)
    # It may have been taken, revoked or renewed while we waited.
    row = await store.enter_by_token(uow, token_hash)
    if row is None or not await store.remove(uow, row.workspace_id, row.id):
        raise _not_valid()
    inviter = await store.role_of(uow, row.workspace_id, row.invited_by)
    if inviter not in roles.holders(roles.to_manage(row.role)):
        raise _not_valid()
    return row


async def _join(uow: UnitOfWork, row: Invitation, user: User, viewer: Viewer) -> Workspace:
    """Give the user, who is the viewer, the place that the invitation held."""
    try:
        member = await workspace_store.add_member(
            uow, workspace=row.workspace_id, user=user.id, role=row.role
        )
    except UniqueViolationError:
        raise ConflictError("You belong to this workspace already.") from None
    what = audit.Action.MEMBER_JOINED
    await audit.record(uow, viewer, what, row.workspace_id, member.id, after=member)
    workspaces.announce(uow, row.workspace_id, user.id)
    joined = await workspace_store.enter(uow, user.id, row.workspace_id)
    assert joined is not None  # noqa: S101 - they have just joined
    return joined


def _not_valid() -> InvalidCredentialsError:
    return InvalidCredentialsError("This invitation is not valid any more. Ask for a new one.")
