"""Signing in with a provider of identities, or linking one: the way of the browser there, and back."""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.resources import Api
from clients.address import customer_of
from clients.oidc import Claims, Provider, ProviderRefusedError, ProviderUnavailableError
from domain import account
from domain.account import Client, IdentityRefusedError, Proven, SignedIn
from domain.errors import (
    ConflictError,
    InvalidCredentialsError,
    SecondFactorRequiredError,
    UnauthenticatedError,
)
from graph.account import ACCESS_COOKIE, REFRESH_COOKIE
from graph.account.guard import LOGINS
from graph.account.identity import START
from graph.authentication import client_of, cookies_of, headers_of, set_cookie, viewer_of
from graph.context import LINK_COOKIE, PENDING_COOKIE, Cookie
from persistence.database import StoreUnavailableError

log = structlog.get_logger(__name__)

FLOW_COOKIE = "earful_oidc"
SECOND_FACTOR = "/account/second-factor"
_CALLBACK = "/auth/oidc/{}/callback"
_LIFETIME = timedelta(minutes=10)
_PURPOSE = "sign-in on its way"
# A path of ours and nothing that a browser takes for another host: no //, no \, no characters that it drops.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,999}")
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body><main data-error="{code}"><h1>{title}</h1><p>{message}</p>'
    "<p><code>{code}</code></p>{links}</main></body></html>"
)


@dataclass(frozen=True, slots=True)
class _Flow:
    """What a browser carries to the provider and back, sealed."""

    provider: str
    state: str
    nonce: str
    verifier: str
    return_to: str
    wish: account.Wish | None = None
    """Of somebody who is signed in and wants the identity to be theirs; None where somebody signs in."""


class _Refused(Exception):  # noqa: N818 - a refusal, answered as a page
    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def is_local(path: str) -> bool:
    """Whether it leads a browser to a page of our own origin."""
    return _LOCAL.fullmatch(path) is not None


class OidcSignIn:
    """The two addresses of each provider."""

    def __init__(self, api: Callable[[], Api | None]) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """GET each; a HEAD would use up what may be used once."""
        return [
            Route(START.format("{provider}"), self._start, methods=["GET"]),
            Route(_CALLBACK.format("{provider}"), self._callback, methods=["GET"]),
        ]

    async def _start(self, request: Request) -> Response:
        return await self._answer(request, self._leave, flow=None)

    async def _callback(self, request: Request) -> Response:
        api = self._api()
        flow = None if api is None else _flow(api, request)
        return await self._answer(request, self._arrive, flow=flow)

    async def _answer(
        self, request: Request, work: Callable[..., Any], *, flow: _Flow | None
    ) -> Response:
        """What the work answers, or a page that says why not."""
        id_ = request.path_params["provider"]
        try:
            api = self._api()
            if api is None:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Try again.")
            if request.method != "GET":
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Use GET.")
            provider = api.providers.get(id_)
            if provider is None:
                raise _Refused(
                    HTTPStatus.NOT_FOUND, "provider_unknown", "There is no such provider."
                )
            if wait := await api.services.limiter.wait(LOGINS, customer_of(_client(request).ip)):
                raise _Refused(
                    HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", f"Try again in {wait:.0f} s."
                )
            response: Response = await work(api, provider, request)
        except _Refused as refused:
            response = _page(refused, id_, flow)
        except ProviderUnavailableError as error:
            log.warning("a provider of identities is away", provider=id_, error=str(error))
            away = _Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "provider_unavailable",
                "The provider does not answer for the moment. Try again later.",
            )
            response = _page(away, id_, flow)
        except StoreUnavailableError as error:
            log.warning("store unavailable", error=str(error))
            away = _Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "A part of the server is away for the moment. Try again.",
            )
            response = _page(away, id_, flow)
        response.headers["cache-control"] = "no-store"
        return response

    async def _leave(self, api: Api, provider: Provider, request: Request) -> Response:
        """To the provider, with a cookie that knows where from."""
        return_to = request.query_params.get("return_to", "/")
        if not is_local(return_to):
            raise _Refused(
                HTTPStatus.BAD_REQUEST, "return_to", "return_to must be a path of this server."
            )
        wish = _wish(api, provider, request) if "link" in request.query_params else None
        flow = _Flow(
            provider=provider.registration.id,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            return_to=return_to,
            wish=wish,
        )
        url = await provider.authorization_url(
            redirect_uri=_redirect_uri(api, provider),
            state=flow.state,
            nonce=flow.nonce,
            verifier=flow.verifier,
        )
        until = api.services.clock() + _LIFETIME
        kept = account.seal_text(api.services.seals, asdict(flow), _PURPOSE, until)
        gone = () if wish is None else (Cookie(LINK_COOKIE, None),)
        return _with_cookies(
            api,
            RedirectResponse(url, HTTPStatus.SEE_OTHER),
            Cookie(FLOW_COOKIE, kept, until),
            *gone,
        )

    async def _arrive(self, api: Api, provider: Provider, request: Request) -> Response:
        """From the provider: signed in, or on to the second factor."""
        flow = _flow(api, request)
        given = request.query_params
        if (
            flow is None
            or flow.provider != provider.registration.id
            or not hmac.compare_digest(flow.state.encode(), given.get("state", "").encode())
            or (flow.wish is not None and _is_another(api, request, flow.wish))
        ):
            raise _Refused(
                HTTPStatus.BAD_REQUEST,
                "state",
                "This sign-in was not begun in this browser, or too long ago. Begin again.",
            )
        claims = await _redeemed(api, provider, flow, request)
        services = api.services
        proven = Proven(
            provider.registration.issuer,
            claims.subject,
            claims.email,
            claims.email_verified,
            claims.name,
        )
        gone = Cookie(FLOW_COOKIE, None)
        if flow.wish is not None:
            await _linked(api, request, flow.wish, proven)
            return _with_cookies(api, RedirectResponse(flow.return_to, HTTPStatus.SEE_OTHER), gone)
        try:
            signed = await _signed_in(api, _client(request), proven)
        except SecondFactorRequiredError:
            now = services.clock()
            ticket = account.seal_ticket(services.seals, proven, now)
            target = f"{SECOND_FACTOR}?{urlencode({'return_to': flow.return_to})}"
            pending = Cookie(PENDING_COOKIE, ticket, now + account.TICKET_LIFETIME)
            return _with_cookies(api, RedirectResponse(target, HTTPStatus.SEE_OTHER), pending, gone)
        return _with_cookies(
            api,
            RedirectResponse(flow.return_to, HTTPStatus.SEE_OTHER),
            Cookie(ACCESS_COOKIE, signed.tokens.access.text, signed.tokens.access.expires_at),
            Cookie(REFRESH_COOKIE, signed.tokens.refresh.text, signed.tokens.refresh.expires_at),
            gone,
        )


async def _redeemed(api: Api, provider: Provider, flow: _Flow, request: Request) -> Claims:
    given = request.query_params
    if "error" in given:
        denied = given["error"] == "access_denied"
        log.info("a provider refused", provider=flow.provider, error=given["error"][:100])
        raise _Refused(
            HTTPStatus.FORBIDDEN,
            "denied" if denied else "provider_error",
            "You were not signed in there." if denied else "The provider could not sign you in.",
        )
    try:
        return await provider.redeem(
            code=given.get("code", ""),
            issuer=given.get("iss"),
            redirect_uri=_redirect_uri(api, provider),
            nonce=flow.nonce,
            verifier=flow.verifier,
        )
    except ProviderRefusedError as error:
        log.warning("a provider's answer was refused", provider=flow.provider, error=str(error))
        raise _Refused(
            HTTPStatus.BAD_GATEWAY,
            "provider_invalid",
            "The provider's answer could not be believed. Begin again.",
        ) from error


async def _signed_in(api: Api, client: Client, proven: Proven) -> SignedIn:
    services = api.services
    try:
        return await account.sign_in_by_identity(
            services.database, services.policy, services.seals, client, proven
        )
    except IdentityRefusedError as refused:
        raise _Refused(HTTPStatus.FORBIDDEN, refused.refusal.value, str(refused)) from refused
    except (ConflictError, InvalidCredentialsError) as error:
        raise _Refused(HTTPStatus.CONFLICT, "conflict", str(error)) from error


async def _linked(api: Api, request: Request, wish: account.Wish, proven: Proven) -> None:
    try:
        await account.link_identity(api.services.database, _client(request), wish, proven)
    except IdentityRefusedError as refused:
        raise _Refused(HTTPStatus.FORBIDDEN, refused.refusal.value, str(refused)) from refused
    except ConflictError as error:
        raise _Refused(HTTPStatus.CONFLICT, "conflict", str(error)) from error


def _wish(api: Api, provider: Provider, request: Request) -> account.Wish:
    """What was asked for in this browser; a page of somebody else's does not know its key."""
    services = api.services
    kept = cookies_of(services, headers_of(dict(request.scope))).get(LINK_COOKIE)
    wish = account.open_wish(services.seals, kept, services.clock())
    given = request.query_params["link"]
    if (
        wish is None
        or wish.provider != provider.registration.id
        or not hmac.compare_digest(wish.key.encode(), given.encode())
        or _is_another(api, request, wish)
    ):
        raise _Refused(
            HTTPStatus.BAD_REQUEST,
            "state",
            "This link was not asked for in this browser, or too long ago. Begin again.",
        )
    return wish


def _is_another(api: Api, request: Request, wish: account.Wish) -> bool:
    """Whether somebody is signed in to this browser by now who is not whose wish it was, or in another session."""
    services = api.services
    token = cookies_of(services, headers_of(dict(request.scope))).get(ACCESS_COOKIE)
    if token is None:
        return False
    try:
        return viewer_of(services, token).session_id.hex != wish.session
    except UnauthenticatedError:
        return False


def _redirect_uri(api: Api, provider: Provider) -> str:
    return api.services.base_url + _CALLBACK.format(provider.registration.id)


def _flow(api: Api, request: Request) -> _Flow | None:
    """What the browser has brought back, if it is ours and not too old."""
    cookies = cookies_of(api.services, headers_of(dict(request.scope)))
    told = account.open_text(
        api.services.seals, cookies.get(FLOW_COOKIE), _PURPOSE, api.services.clock()
    )
    if told is None:
        return None
    wish = told.pop("wish")
    return _Flow(**told, wish=None if wish is None else account.Wish(**wish))


def _client(request: Request) -> Client:
    scope = dict(request.scope)
    return client_of(scope, headers_of(scope))


def _with_cookies(api: Api, response: Response, *cookies: Cookie) -> Response:
    for cookie in cookies:
        response.raw_headers.append((b"set-cookie", set_cookie(api.services, cookie)))
    return response


def _page(refused: _Refused, provider: str, flow: _Flow | None) -> Response:
    """Why somebody was not signed in or linked, for them and in a word for programs."""
    links = ""
    is_linking = flow is not None and flow.wish is not None
    if flow is not None and not is_linking:
        again = f"{START.format(quote(provider))}?{urlencode({'return_to': flow.return_to})}"
        links = f'<p><a href="{escape(again)}">Try again</a></p>'
    if flow is not None:
        links += f'<p><a href="{escape(flow.return_to)}">Go back</a></p>'
    page = _PAGE.format(
        title="Nothing was linked" if is_linking else "Signing in did not work",
        code=refused.code,
        message=escape(str(refused)),
        links=links,
    )
    return HTMLResponse(page, refused.status, headers={"x-error-code": refused.code})
