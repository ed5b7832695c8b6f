"""What each role may do: the one table, read by use cases and by the documentation. Keys have scopes for roles."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum, StrEnum

from domain import scopes
from domain.errors import ForbiddenError
from domain.scopes import Scope
from domain.viewer import Viewer


class Role(IntEnum):
    """Each role may do all that the one before may."""

    VIEWER = 1
    ANALYST = 2
    ADMIN = 3
    OWNER = 4


class Action(StrEnum):
    """What may be done in a workspace, in words that fit into a refusal."""

    READ = "read this workspace"
    LEAVE = "leave this workspace"
    SUBMIT_FEEDBACK = "submit feedback"
    TAG_FEEDBACK = "tag feedback"
    TRIAGE_FEEDBACK = "set the status and assignee of feedback"
    WRITE_NOTES = "write notes on feedback"
    SHARE_VIEWS = "share saved views"
    UPLOAD_FILES = "upload files"
    IMPORT_FEEDBACK = "import feedback"
    EXPORT_FEEDBACK = "export feedback"
    MANAGE_WORKSPACE = "change the workspace's name and inbox"
    MANAGE_SOURCES = "manage sources"
    MANAGE_ALERTS = "manage alert rules"
    MANAGE_WEBHOOKS = "manage webhooks"
    SCHEDULE_EXPORTS = "schedule exports"
    UNDO_IMPORTS = "undo imports"
    MANAGE_NOTES = "change the notes of others"
    MANAGE_VIEWS = "change the shared views of others"
    RESCORE_FEEDBACK = "have feedback scored again"
    MANAGE_JOBS = "cancel and retry jobs"
    MANAGE_API_KEYS = "manage API keys"
    READ_AUDIT_LOG = "read the audit log"
    REVEAL_FEEDBACK = "reveal what was masked"
    MANAGE_PRIVACY = "export and erase what is known of an author"
    MANAGE_MEMBERS = "manage members who are not owners"
    MANAGE_OWNERS = "make or unmake owners"


LEAST = {
    Action.READ: Role.VIEWER,
    Action.LEAVE: Role.VIEWER,
    Action.SUBMIT_FEEDBACK: Role.ANALYST,
    Action.TAG_FEEDBACK: Role.ANALYST,
    Action.TRIAGE_FEEDBACK: Role.ANALYST,
    Action.WRITE_NOTES: Role.ANALYST,
    Action.SHARE_VIEWS: Role.ANALYST,
    Action.UPLOAD_FILES: Role.ANALYST,
    Action.IMPORT_FEEDBACK: Role.ANALYST,
    Action.EXPORT_FEEDBACK: Role.ANALYST,
    Action.MANAGE_WORKSPACE: Role.ADMIN,
    Action.MANAGE_SOURCES: Role.ADMIN,
    Action.MANAGE_ALERTS: Role.ADMIN,
    Action.MANAGE_WEBHOOKS: Role.ADMIN,
    Action.SCHEDULE_EXPORTS: Role.ADMIN,
    Action.UNDO_IMPORTS: Role.ADMIN,
    Action.MANAGE_NOTES: Role.ADMIN,
    Action.MANAGE_VIEWS: Role.ADMIN,
    Action.RESCORE_FEEDBACK: Role.ADMIN,
    Action.MANAGE_JOBS: Role.ADMIN,
    Action.MANAGE_API_KEYS: Role.ADMIN,
    Action.READ_AUDIT_LOG: Role.ADMIN,
    Action.REVEAL_FEEDBACK: Role.ADMIN,
    Action.MANAGE_PRIVACY: Role.ADMIN,
    Action.MANAGE_MEMBERS: Role.ADMIN,
    Action.MANAGE_OWNERS: Role.OWNER,
}


_BY_SCOPE = {
    scope: frozenset(Action[name] for name in names) for scope, names in scopes.ACTIONS.items()
}


def holders(action: Action) -> list[str]:
    """The roles of people that may do it."""
    return [role.name for role in Role if role >= LEAST[action]]


_HOLDERS = {action: holders(action) for action in Action}


def sufficient(viewer: Viewer, action: Action) -> Sequence[str]:
    """The roles in which the viewer may do it, for statements: a key has its own or, without the scope, none."""
    key = viewer.key
    if key is None:
        return _HOLDERS[action]
    return [key.role] if action in _allowed(key.scopes) else []


def require(role: str, action: Action) -> None:
    """Raise ForbiddenError unless the role may do it, or the scopes that a key has for one."""
    of_key = scopes.of_role(role)
    if of_key is not None:
        if action not in _allowed(of_key):
            raise ForbiddenError(f"This API key has no scope to {action}.")
        return
    least = LEAST[action]
    if Role[role] < least:
        raise ForbiddenError(f"You need the role {least.name} to {action}; yours is {role}.")


def of_person(role: str) -> str:
    """The role or, for a key, the least that may do all that its scopes allow."""
    of_key = scopes.of_role(role)
    if of_key is None:
        return role
    return max((LEAST[action] for action in _allowed(of_key)), default=Role.VIEWER).name


def to_manage(*concerned: str) -> Action:
    """What somebody must be allowed who gives or takes away these roles."""
    return Action.MANAGE_OWNERS if Role.OWNER.name in concerned else Action.MANAGE_MEMBERS


def _allowed(of_key: AbstractSet[str]) -> AbstractSet[Action]:
    return frozenset[Action]().union(*(_BY_SCOPE[scope] for scope in Scope if scope in of_key))
