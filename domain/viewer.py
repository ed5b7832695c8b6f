"""Who is asking."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in user, through one session, until the access token expires."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime
