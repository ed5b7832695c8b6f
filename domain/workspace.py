"""Workspaces and their members."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import audit, roles
from domain.account.confirming import confirmed, lock_confirmed
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.events import INSTANCE, MemberChanged
from domain.roles import Action, Role
from domain.viewer import Viewer
from persistence import source as source_store
from persistence import workspace as store
from persistence.database import Columns, Database, Reader, UniqueViolationError, UnitOfWork

Workspace = store.WorkspaceRow
Member = store.MemberRow

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


async def enter(uow: UnitOfWork, viewer: Viewer, workspace: UUID, action: Action) -> Workspace:
    """The workspace, for changing something in it; NotFoundError to strangers, ForbiddenError by role."""
    row = await store.enter(uow, viewer.id, workspace)
    if row is None:
        raise NotFoundError("There is no such workspace.")
    roles.require(row.viewer_role, action)
    return row


async def create(uow: UnitOfWork, viewer: Viewer, *, name: str, slug: str) -> Workspace:
    """A new workspace that the viewer owns, with an API source to submit feedback to."""
    checks = Checks()
    checks.text(name, "name", longest=200, required=True)
    if _SLUG.fullmatch(slug) is None:
        checks.refuse(
            ["slug"], "must be 1 to 63 lower-case letters, digits and inner hyphens, as in a URL"
        )
    checks.done()
    try:
        workspace = await store.add(uow, name=name, slug=slug)
    except UniqueViolationError:
        raise ConflictError("This slug is taken.") from None
    await store.add_member(uow, workspace=workspace, user=viewer.user_id, role="OWNER")
    await source_store.add(uow, workspace=workspace, name="API", kind="API", provider="STANDARD")
    row = await store.enter(uow, viewer.id, workspace)
    assert row is not None  # noqa: S101 - it was just made
    await audit.record(uow, viewer, audit.Action.WORKSPACE_CREATED, workspace, workspace, after=row)
    return row


async def change(
    uow: UnitOfWork,
    viewer: Viewer,
    workspace_id: UUID,
    *,
    name: str | None,
    sets_inbox: bool,
    inbox_email: str | None,
) -> Workspace:
    """Give it another name, unless that is None, and another inbox if that is to be set; None is its owners."""
    before = await enter(uow, viewer, workspace_id, Action.MANAGE_WORKSPACE)
    checks = Checks()
    checks.line(name, "name", longest=200, required=name is not None)
    checks.email(inbox_email, "inboxEmail")
    checks.done()
    await store.change(
        uow, workspace_id, name=name, sets_inbox=sets_inbox, inbox=inbox_email or None
    )
    after = await enter(uow, viewer, workspace_id, Action.MANAGE_WORKSPACE)
    what = audit.Action.WORKSPACE_UPDATED
    await audit.record(uow, viewer, what, workspace_id, workspace_id, before=before, after=after)
    return after


async def of_viewer(
    reader: Reader, viewer: Viewer, *, columns: Columns | None = None
) -> list[Workspace]:
    """The viewer's workspaces, the oldest first."""
    return await store.of_viewer(reader, viewer.id, columns=columns)


async def by_slug(
    reader: Reader, viewer: Viewer, slug: str, *, columns: Columns | None = None
) -> Workspace | None:
    if _SLUG.fullmatch(slug) is None:
        return None
    return await store.by_slug(reader, viewer.id, slug, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Workspace]:
    return await store.by_ids(reader, viewer.id, ids, columns=columns)


async def roles_in(
    reader: Reader, asked: Iterable[tuple[Viewer, UUID]]
) -> dict[tuple[UUID, UUID], str]:
    """What each viewer is in the workspace beside them, by their id and workspace; strangers are left out."""
    pairs = {(viewer.id, workspace) for viewer, workspace in asked}
    rows = await store.roles(
        reader, {who for who, _ in pairs}, {workspace for _, workspace in pairs}
    )
    return {
        pair: row.role for row in rows if (pair := (row.principal_id, row.workspace_id)) in pairs
    }


def require_role(role: str | None) -> str:
    """What somebody is in a workspace; NotFoundError to strangers."""
    if role is None:
        raise NotFoundError("There is no such workspace.")
    return role


async def members(
    reader: Reader, viewer: Viewer, workspaces: Sequence[UUID], *, columns: Columns | None = None
) -> list[Member]:
    """The members of all these workspaces, the longest-standing first."""
    return await store.members(reader, viewer.user_id, workspaces, columns=columns)


async def members_by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Member]:
    return await store.members_by_ids(reader, viewer.user_id, ids, columns=columns)


async def change_role(uow: UnitOfWork, viewer: Viewer, member_id: UUID, role: str) -> Member:
    """Give the member this role and announce it; ConflictError where no owner would be left."""
    concerned = await _concerned(uow, viewer, member_id)
    member = concerned.member
    roles.require(concerned.viewer_role, roles.to_manage(member.role, role))
    if role != member.role:
        concerned.require_another_owner()
    return await _become(uow, viewer, member, role)


async def remove_member(uow: UnitOfWork, viewer: Viewer, member_id: UUID) -> Member:
    """Take the member out of the workspace and announce it; ConflictError where no owner would be left.

    Whoever removes their own membership leaves.
    """
    concerned = await _concerned(uow, viewer, member_id)
    member = concerned.member
    leaves = member.user_id == viewer.user_id
    roles.require(concerned.viewer_role, Action.LEAVE if leaves else roles.to_manage(member.role))
    concerned.require_another_owner()
    await store.remove_member(uow, member.workspace_id, member.id)
    what = audit.Action.MEMBER_LEFT if leaves else audit.Action.MEMBER_REMOVED
    await audit.record(uow, viewer, what, member.workspace_id, member.id, before=member)
    announce(uow, member.workspace_id, member.user_id)
    return member


async def transfer(
    database: Database, viewer: Viewer, workspace: UUID, member_id: UUID, *, password: str
) -> tuple[Workspace, Member]:
    """Make the member an OWNER and the viewer, who is one, an ADMIN; announce both.

    InvalidCredentialsError for a wrong password, NotFoundError for who is no member there.
    """
    user = await confirmed(database, viewer, password)
    async with database.transaction() as uow:
        await lock_confirmed(uow, user)
        concerned = await _concerned(uow, viewer, member_id)
        if concerned.member.workspace_id != workspace:
            raise NotFoundError("There is no such member.")
        roles.require(concerned.viewer_role, Action.MANAGE_OWNERS)
        if concerned.member.id == concerned.own.id:
            raise ConflictError("You own this workspace yourself: name somebody else.")
        heir = await _become(uow, viewer, concerned.member, Role.OWNER.name)
        await _become(uow, viewer, concerned.own, Role.ADMIN.name)
        row = await store.enter(uow, viewer.user_id, workspace)
        assert row is not None  # noqa: S101 - the viewer is an ADMIN there
    return row, heir


async def _become(uow: UnitOfWork, viewer: Viewer, member: Member, role: str) -> Member:
    """Give the member, who is locked, a role that they may already have."""
    if role == member.role:
        return member
    changed = await store.set_role(uow, member.workspace_id, member.id, role)
    assert changed is not None  # noqa: S101 - it is locked
    what = audit.Action.MEMBER_ROLE_CHANGED
    await audit.record(
        uow, viewer, what, member.workspace_id, member.id, before=member, after=changed
    )
    announce(uow, changed.workspace_id, changed.user_id)
    return changed


def announce(uow: UnitOfWork, workspace: UUID, user: UUID) -> None:
    """Tell every process that the user's place in the workspace is another one."""
    event = MemberChanged(workspace, user)
    uow.emit(INSTANCE, event.kind, event.to_json())


@dataclass(frozen=True, slots=True)
class _Concerned:
    """A member who is to change, the viewer's own place in their workspace, and how many own it."""

    member: Member
    own: Member
    owners: int

    @property
    def viewer_role(self) -> str:
        return self.own.role

    def require_another_owner(self) -> None:
        """ConflictError if the member is the last owner."""
        if self.member.role == Role.OWNER.name and self.owners == 1:
            raise ConflictError("A workspace needs an owner: make somebody else an OWNER first.")


async def _concerned(uow: UnitOfWork, viewer: Viewer, member_id: UUID) -> _Concerned:
    """Lock the members of this member's workspace; NotFoundError to strangers."""
    rows = await store.lock_members(uow, viewer.user_id, member_id)
    member = next((row for row in rows if row.id == member_id), None)
    own = next((row for row in rows if row.user_id == viewer.user_id), None)
    # Either may have gone while we waited for the lock.
    if member is None or own is None:
        raise NotFoundError("There is no such member.")
    return _Concerned(member, own, sum(row.role == Role.OWNER.name for row in rows))
