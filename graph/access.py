"""Who may use a root field. Each declares one of these; a test walks the schema for one that does not."""

from collections.abc import Callable
from typing import Any

from strawberry.extensions import FieldExtension

from graph.context import Context


class Access(FieldExtension):
    """What a root field says about its callers: anybody, signed in or not."""

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


class _SignedIn(Access):
    """A signed-in user; anybody else gets UNAUTHENTICATED."""

    def check(self, context: Context) -> None:
        context.viewer  # noqa: B018 - raises


public = Access()
signed_in = _SignedIn()
