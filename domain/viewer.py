"""Who is asking."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.errors import ForbiddenError
from domain.origin import Origin


@dataclass(frozen=True, slots=True)
class Key:
    """A partner's API key as it was looked up: what its holder may, and where."""

    workspace_id: UUID
    scopes: frozenset[str]
    role: str
    """What the key is in its workspace (domain/scopes.py)."""
    secret_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody until the access token expires: a person, through one session, or a partner's API key.

    `id` is whom the members of a workspace are known by: the user's id or the key's. What ends them is known by
    `session_id`: the session's id or the key's.
    """

    id: UUID
    session_id: UUID
    expires_at: datetime
    key: Key | None = None
    origin: Origin | None = field(default=None, compare=False)
    """Where this request of theirs comes from."""

    @property
    def user_id(self) -> UUID:
        """The person's id; ForbiddenError for a key."""
        self.require_person()
        return self.id

    def require_person(self) -> None:
        """ForbiddenError for a key: for what is people's alone."""
        if self.key is not None:
            raise ForbiddenError("API keys may not do this.")
