"""Who may use a field. Each root field declares one of these; a test walks the schema for one that does not.

So does each field of a guarded type, which is otherwise closed to keys.

People may use what is not public once they are signed in: what they may do in a workspace, their role there says.
A partner's API key may use what names one of its scopes, or says that any key may.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from strawberry.extensions import FieldExtension
from strawberry.types import get_object_definition

from domain.errors import ForbiddenError
from domain.scopes import Scope
from graph.context import Context

T = TypeVar("T", bound=type)


class Access(FieldExtension):
    """What a field says about its callers: anybody, signed in or not."""

    def check(self, context: Context) -> None:
        """Raise unless the caller may use the field."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        self.check(info.context)
        return next_(source, info, **kwargs)

    # Not a coroutine function: what comes back may be awaitable or a subscription's generator.
    def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any
    ) -> Any:
        return self.resolve(next_, source, info, **kwargs)


class _People(Access):
    """Anybody but a key."""

    def check(self, context: Context) -> None:
        if context.viewer_or_none is not None:
            context.viewer_or_none.require_person()


class _SignedIn(Access):
    """A signed-in user; a key gets FORBIDDEN, and anybody else UNAUTHENTICATED."""

    def check(self, context: Context) -> None:
        if context.viewer.key is not None:
            context.viewer.require_person()


class _Recognised(Access):
    """A signed-in user or any key; anybody else gets UNAUTHENTICATED."""

    def check(self, context: Context) -> None:
        context.viewer  # noqa: B018 - raises


class Scoped(Access):
    """A signed-in user or a key with one of the scopes."""

    def __init__(self, scopes: frozenset[Scope]) -> None:
        self.scopes = scopes

    def check(self, context: Context) -> None:
        self._require(context.viewer.key)

    def _require(self, key: Any) -> None:
        if key is not None and self.scopes.isdisjoint(key.scopes):
            needed = " or ".join(sorted(self.scopes))
            raise ForbiddenError(f"This API key needs the scope {needed} to do this.")


class _Open(Scoped):
    """The same, and whoever is not signed in."""

    def check(self, context: Context) -> None:
        if context.viewer_or_none is not None:
            self._require(context.viewer_or_none.key)


public = Access()
for_people = _People()
signed_in = _SignedIn()
recognised = _Recognised()


def scoped(*scopes: Scope) -> Access:
    """Signed-in users, and keys with one of the scopes."""
    return Scoped(frozenset(scopes))


def open_but_scoped(*scopes: Scope) -> Access:
    """Anybody, but of keys those with one of the scopes."""
    return _Open(frozenset(scopes))


class Undeclared(_SignedIn):
    """What a field is that says nothing: closed to keys."""


def guarded(*free: str) -> Callable[[T], T]:
    """Closes a type's fields to keys, but for those that declare who may use them, and the `free` ones."""

    def guard(cls: T) -> T:
        for field in get_object_definition(cls, strict=True).fields:
            declares = any(isinstance(extension, Access) for extension in field.extensions)
            if not declares and field.python_name not in free:
                field.extensions = [*field.extensions, Undeclared()]
        return cls

    return guard
