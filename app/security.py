"""What every answer tells browsers: to do nothing with it but what it is for."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from graph.http import Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_OVER_HTTPS = (*_ALWAYS, (b"strict-transport-security", b"max-age=31536000"))


def secured(
    scope: Scope,
    send: Send,
    more: Sequence[tuple[bytes, bytes]] = (),
    answered: Callable[[int], None] | None = None,
) -> Send:
    """Sends with these headers, and with `more`, where the answer has none of its own; `answered` hears the status."""
    ours = (*more, *(_OVER_HTTPS if scope["scheme"] == "https" else _ALWAYS))

    async def send_secured(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            if answered is not None:
                answered(message["status"])
            headers = message.get("headers", ())
            given = {name for name, _ in headers}
            message["headers"] = [*headers, *(pair for pair in ours if pair[0] not in given)]
        await send(message)

    return send_secured
