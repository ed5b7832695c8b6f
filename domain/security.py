"""The security log of a person: what happened to the account, and from where. Nobody but that person reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import InvalidCredentialsError
from domain.origin import Origin, storable
from domain.viewer import Viewer
from persistence import security as store
from persistence.database import Columns, Database, Reader, UnitOfWork
from persistence.security import Key

Event = store.SecurityEventRow


class Action(StrEnum):
    """What can happen to an account; these words are for good."""

    REGISTERED = "account.registered"
    SIGNED_IN = "session.opened"
    SIGNED_OUT = "session.closed"
    SESSION_REVOKED = "session.revoked"
    OTHER_SESSIONS_REVOKED = "session.others_revoked"
    REFRESH_TOKEN_REUSED = "session.refresh_token_reused"  # noqa: S105 - a name
    SECOND_FACTOR_FAILED = "second_factor.failed"
    SECOND_FACTOR_STARTED = "second_factor.started"
    SECOND_FACTOR_ENABLED = "second_factor.enabled"
    SECOND_FACTOR_DISABLED = "second_factor.disabled"
    RECOVERY_CODES_REPLACED = "second_factor.recovery_codes_replaced"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - a name
    PASSWORD_RESET = "password.reset"  # noqa: S105 - a name
    EMAIL_VERIFIED = "email.verified"
    EMAIL_CHANGE_REQUESTED = "email.change_requested"
    EMAIL_CHANGED = "email.changed"
    PROFILE_UPDATED = "profile.updated"
    AVATAR_CHANGED = "profile.avatar_changed"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"


async def record(
    uow: UnitOfWork,
    user: UUID,
    action: Action,
    origin: Origin | None,
    *,
    session: UUID | None = None,
) -> None:
    """Add an event to a user's log; `session` is which it concerns, or came by."""
    await store.add(
        uow,
        user=user,
        action=action.value,
        session=session,
        ip=None if origin is None else origin.ip,
        user_agent=None if origin is None else storable(origin.user_agent),
    )


async def record_own(uow: UnitOfWork, viewer: Viewer, action: Action) -> None:
    """The same of what the caller does in a session of theirs."""
    await record(uow, viewer.user_id, action, viewer.origin, session=viewer.session_id)


@asynccontextmanager
async def noting_wrong_codes(
    database: Database, user: UUID, origin: Origin | None
) -> AsyncIterator[None]:
    """For work that is undone by a wrong code: that somebody tried one is written down all the same."""
    try:
        yield
    except InvalidCredentialsError:
        async with database.transaction() as uow:
            await record(uow, user, Action.SECOND_FACTOR_FAILED, origin)
        raise


async def page(
    reader: Reader,
    viewer: Viewer,
    *,
    limit: int,
    after: Key | None,
    columns: Columns | None = None,
) -> list[Event]:
    """The newest `limit` events of the caller's log that are older than `after`; a key has none."""
    if viewer.key is not None:
        return []
    return await store.page(reader, viewer.user_id, limit=limit, after=after, columns=columns)


async def expunge(uow: UnitOfWork, now: datetime, *, kept: timedelta) -> None:
    """Take away what is older."""
    await store.expunge(uow, now - kept)
