"""What each role may do: the one table, read by use cases and by the documentation."""

from enum import IntEnum, StrEnum

from domain.errors import ForbiddenError


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
    MANAGE_WORKSPACE = "change the workspace's name and inbox"
    MANAGE_SOURCES = "manage sources"
    MANAGE_JOBS = "cancel and retry jobs"
    MANAGE_MEMBERS = "manage members who are not owners"
    MANAGE_OWNERS = "make or unmake owners"


LEAST = {
    Action.READ: Role.VIEWER,
    Action.LEAVE: Role.VIEWER,
    Action.SUBMIT_FEEDBACK: Role.ANALYST,
    Action.TAG_FEEDBACK: Role.ANALYST,
    Action.MANAGE_WORKSPACE: Role.ADMIN,
    Action.MANAGE_SOURCES: Role.ADMIN,
    Action.MANAGE_JOBS: Role.ADMIN,
    Action.MANAGE_MEMBERS: Role.ADMIN,
    Action.MANAGE_OWNERS: Role.OWNER,
}


def holders(action: Action) -> list[str]:
    """The roles that may do it."""
    return [role.name for role in Role if role >= LEAST[action]]


def require(role: str, action: Action) -> None:
    """Raise ForbiddenError unless the role may do it."""
    least = LEAST[action]
    if Role[role] < least:
        raise ForbiddenError(f"You need the role {least.name} to {action}; yours is {role}.")


def to_manage(*concerned: str) -> Action:
    """What somebody must be allowed who gives or takes away these roles."""
    return Action.MANAGE_OWNERS if Role.OWNER.name in concerned else Action.MANAGE_MEMBERS
