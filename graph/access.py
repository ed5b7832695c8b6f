"""Who may use a root field. Each declares one of these; a test walks the schema for one that does not."""

from collections.abc import Callable
from typing import Any

from strawberry.extensions import FieldExtension

from graph.context import Info


class Access(FieldExtension):
    """What a root field says about its callers."""


class _Public(Access):
    """Anybody, signed in or not."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs)

    # Not a coroutine function: what comes back may be awaitable or a subscription's generator.
    def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        return next_(source, info, **kwargs)


class _SignedIn(_Public):
    """A signed-in user; anybody else gets UNAUTHENTICATED."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        info.context.viewer  # noqa: B018 - raises
        return next_(source, info, **kwargs)

    def resolve_async(
        self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any
    ) -> Any:
        return self.resolve(next_, source, info, **kwargs)


public = _Public()
signed_in = _SignedIn()
