"""Who people are: their accounts as they and others see them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar
from uuid import UUID

from domain import security
from domain.checks import Checks
from domain.errors import UnauthenticatedError
from domain.viewer import Viewer
from persistence import account as store
from persistence import workspace as workspace_store
from persistence.database import Columns, Reader, UnitOfWork

User = store.UserRow
LONGEST_NAME = 200
U = TypeVar("U", bound=User)


async def me(reader: Reader, viewer: Viewer, *, columns: Columns | None = None) -> User | None:
    """The caller's account; a key has none."""
    if viewer.key is not None:
        return None
    found = await store.users(reader, [viewer.user_id], columns=columns)
    return found.get(viewer.user_id)


async def is_operator(reader: Reader, viewer: Viewer, operators: AbstractSet[str]) -> bool:
    """Whether the viewer's address is one of these (in lower case), and is proven to be the viewer's."""
    if not operators or viewer.key is not None:
        return False
    user = await me(reader, viewer)
    return user is not None and user.email_verified and user.email.lower() in operators


async def users(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, User]:
    """Those of the users that the viewer shares a workspace with, and the viewer."""
    return await workspace_store.fellows(reader, viewer.id, ids, columns=columns)


async def rename(uow: UnitOfWork, viewer: Viewer, name: str) -> User:
    """Call the caller by another name."""
    checks = Checks()
    checks.line(name, "name", longest=LONGEST_NAME, required=True)
    checks.done()
    user = there(await store.set_name(uow, viewer.user_id, name))
    await security.record_own(uow, viewer, security.Action.PROFILE_UPDATED)
    return user


def there(user: U | None) -> U:
    """The caller; UnauthenticatedError when their account has been deleted in this moment."""
    if user is None:
        raise UnauthenticatedError("This account does not exist any more.")
    return user
