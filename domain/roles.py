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
    SUBMIT_FEEDBACK = "submit feedback"
    TAG_FEEDBACK = "tag feedback"
    MANAGE_SOURCES = "manage sources"


LEAST = {
    Action.READ: Role.VIEWER,
    Action.SUBMIT_FEEDBACK: Role.ANALYST,
    Action.TAG_FEEDBACK: Role.ANALYST,
    Action.MANAGE_SOURCES: Role.ADMIN,
}


def holders(action: Action) -> list[str]:
    """The roles that may do it."""
    return [role.name for role in Role if role >= LEAST[action]]


def require(role: str, action: Action) -> None:
    """Raise ForbiddenError unless the role may do it."""
    least = LEAST[action]
    if Role[role] < least:
        raise ForbiddenError(f"You need the role {least.name} to {action}; yours is {role}.")
