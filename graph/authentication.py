"""Who sends this request: by bearer token, or by cookie where no foreign page can have sent it."""

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit

from domain import api_key
from domain.account import Client
from domain.errors import RateLimitedError, UnauthenticatedError
from domain.viewer import Viewer
from graph.account import ACCESS_COOKIE, REFRESH_COOKIE
from graph.context import PENDING_COOKIE, Context, Cookie, Services
from graph.keys import Keys
from graph.sessions import Sessions

Headers = dict[bytes, bytes]


def headers_of(scope: dict[str, object]) -> Headers:
    """The request's headers by lower-case name; the last of a kind counts."""
    return dict(scope["headers"])  # type: ignore[call-overload, no-any-return]  # ASGI says pairs of bytes


def client_of(scope: dict[str, object], headers: Headers) -> Client:
    """The device as far as HTTP tells."""
    peer = scope.get("client")
    agent = headers.get(b"user-agent")
    return Client(
        ip=str(peer[0]) if isinstance(peer, tuple | list) else "unknown",
        user_agent=None if agent is None else agent.decode("latin-1"),
    )


def context_of(services: Services, scope: dict[str, object], headers: Headers) -> Context:
    """A context for one HTTP request. A token that is not good leaves nobody signed in, and says why.

    An API key is still to be looked up, by `recognise`.
    """
    context = Context(services, client_of(scope, headers), is_secure=scope["scheme"] == "https")
    token: str | None = None
    if b"cookie" in headers:
        cookies = cookies_of(services, headers)
        context.refresh_cookie = cookies.get(REFRESH_COOKIE)
        context.pending_cookie = cookies.get(PENDING_COOKIE)
        token = cookies.get(ACCESS_COOKIE)
    authorization = headers.get(b"authorization")
    if authorization is not None:
        token = bearer(authorization.decode("latin-1"))
    if token is None:
        return context
    if api_key.is_secret(token):
        context.key_secret = token
        return context
    try:
        context.viewer_or_none = viewer_of(services, token, context.client)
    except UnauthenticatedError as refused:
        context.refused = refused
    return context


async def recognise(context: Context, secret: str) -> None:
    """Let the holder of an API key in. A key that is not good leaves nobody signed in, and says why."""
    context.key_secret = None
    try:
        viewer = await context.services.keys.viewer(api_key.hash_secret(secret), context.client.ip)
        context.viewer_or_none = replace(viewer, origin=context.client)
    except (UnauthenticatedError, RateLimitedError) as refused:
        context.refused = refused


def bearer(authorization: str) -> str:
    """The token of an Authorization value; what has another scheme is a token that is not good."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def viewer_of(services: Services, token: str, client: Client | None = None) -> Viewer:
    """Whom the token speaks for; UnauthenticatedError when it is not good or its session was revoked."""
    viewer = services.policy.access.read(token, services.clock(), client)
    if services.sessions.is_revoked(viewer):
        raise UnauthenticatedError("The session has ended. Sign in again.")
    return viewer


def standing(services: Services, viewer: Viewer) -> Sessions | Keys:
    """What can be watched for changes of what lets the viewer in."""
    return services.sessions if viewer.key is None else services.keys


def cookies_of(services: Services, headers: Headers) -> dict[str, str]:
    """Our cookies by their plain names, whatever stands beside them.

    Ours are never quoted. http.cookies would take a second for 30 KB of quoted backslashes (CVE-2024-7592), and let one
    cookie that it cannot read hide all others.
    """
    raw = headers.get(b"cookie", b"").decode("latin-1")
    prefix = _prefix(services)
    pairs = (pair.strip().partition("=") for pair in raw.split(";"))
    return {name.removeprefix(prefix): value for name, _, value in pairs if name.startswith(prefix)}


def is_known(services: Services, headers: Headers) -> bool:
    """Whether a cookie of ours says who it is."""
    cookies = cookies_of(services, headers)
    return ACCESS_COOKIE in cookies or REFRESH_COOKIE in cookies


def is_from_ours(headers: Headers, origins: Collection[bytes]) -> bool:
    """Whether a request comes from a page of our own or of one of these origins, or from no page at all."""
    origin, host = headers.get(b"origin"), headers.get(b"host")
    if origin is None or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def set_cookie(services: Services, cookie: Cookie, *, is_secure: bool = False) -> bytes:
    """A Set-Cookie header's value; `is_secure`: the request came over https."""
    parts = [f"{_prefix(services)}{cookie.name}={cookie.value or ''}", "Path=/", "HttpOnly"]
    if cookie.value is None:
        parts.append("Max-Age=0")
    elif cookie.expires_at is not None:
        lasts = int((cookie.expires_at - services.clock()).total_seconds())
        parts.append(f"Max-Age={max(lasts, 0)}")
    parts.append("SameSite=Lax")
    if services.secure_cookies or is_secure:
        parts.append("Secure")
    return "; ".join(parts).encode()


def _prefix(services: Services) -> str:
    return "__Host-" if services.secure_cookies else ""
