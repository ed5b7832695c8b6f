"""What every answer tells browsers: to do nothing with it but what it is for."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from graph.http import Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OVER_HTTPS = (*_ALWAYS, (b"strict-transport-security", b"max-age=31536000"))
_NAMES = frozenset(name for name, _ in _OVER_HTTPS)


class Secured:
    """Sends with these headers where an answer has none of its own, and with `more`; `heard` is told the status."""

    __slots__ = ("_heard", "_ours", "_send", "has_begun")

    def __init__(
        self,
        scope: Scope,
        send: Send,
        *more: tuple[bytes, bytes],
        heard: Callable[[int], None] | None = None,
    ) -> None:
        self._send = send
        self._ours = (*more, *(_OVER_HTTPS if scope["scheme"] == "https" else _ALWAYS))
        self._heard = heard
        self.has_begun = False
        """Whether an answer was begun."""

    def __call__(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.has_begun = True
            if self._heard is not None:
                self._heard(message["status"])
            headers = message.get("headers", ())
            given = {name for name, _ in headers}
            ours = self._ours
            message["headers"] = (
                [*headers, *ours]
                if given.isdisjoint(_NAMES)
                else [*headers, *(pair for pair in ours if pair[0] not in given)]
            )
        return self._send(message)
