"""Providers of identities that speak OpenID Connect: the authorization code flow with PKCE."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import orjson

from clients import id_token
from clients.id_token import BadTokenError, UnknownKeyError

DISCOVERY = "/.well-known/openid-configuration"

_SECONDS = 10.0
_LARGEST = 1_048_576
# What was fetched is taken for so long; while it cannot be fetched anew, for longer.
_FRESH = timedelta(hours=1)
_STALE = timedelta(days=1)
# A token of an unknown key makes us look for new ones, but not again and again.
_ROTATION = timedelta(minutes=1)
_OK = 200
_SERVER_ERROR = 500

T = TypeVar("T")


class ProviderUnavailableError(Exception):
    """The provider does not answer, or with nothing that can be used: try again later."""


class ProviderRefusedError(Exception):
    """The provider refused the code, or what it answered is not to be believed."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A provider, and what we are to it. Its issuer is compared letter by letter."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the provider has signed in; all of it is printable."""

    subject: str
    email: str | None
    email_verified: bool
    name: str | None


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    secret_in_body: bool
    names_issuer: bool


class Providers:
    """Those that are registered; `async with` or close() ends it."""

    def __init__(
        self,
        registrations: Sequence[Registration],
        *,
        clock: Callable[[], datetime],
        user_agent: str = "Earful",
        seconds: float = _SECONDS,
    ) -> None:
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=seconds, connect=seconds / 2),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent, "Accept": "application/json"},
        )
        self._by_id = {each.id: Provider(each, self._http, clock) for each in registrations}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.close()

    def get(self, id_: str) -> "Provider | None":
        return self._by_id.get(id_)


class Provider:
    """One provider. What it says of itself is kept for an hour."""

    def __init__(
        self,
        registration: Registration,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
    ) -> None:
        self.registration = registration
        self._http = http
        self._clock = clock
        self._metadata = _Kept(self._discover, clock)
        self._keys = _Kept(self._fetch_keys, clock)

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str
    ) -> str:
        """Where to send the browser; ProviderUnavailableError."""
        metadata = await self._metadata.get()
        digest = hashlib.sha256(verifier.encode()).digest()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.registration.client_id,
                "redirect_uri": redirect_uri,
                "scope": " ".join(self.registration.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        endpoint = metadata.authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def redeem(
        self, *, code: str, issuer: str | None, redirect_uri: str, nonce: str, verifier: str
    ) -> Claims:
        """Trade a code for whom it speaks of; `issuer` is what the answer with the code named, if anything (RFC 9207).

        ProviderUnavailableError, or ProviderRefusedError when the code or the answer is no good.
        """
        metadata = await self._metadata.get()
        if issuer not in (None, self.registration.issuer):
            raise ProviderRefusedError("the answer is another provider's")
        if issuer is None and metadata.names_issuer:
            raise ProviderRefusedError("the answer does not say whose it is")
        answer = await self._trade(metadata, code, redirect_uri, verifier)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderRefusedError("the provider answered without an ID token")
        try:
            claims = await self._verified(token, nonce)
        except BadTokenError as error:
            raise ProviderRefusedError(str(error)) from error
        if "email" not in claims and metadata.userinfo_endpoint is not None:
            claims = await self._with_user_info(
                claims, metadata.userinfo_endpoint, answer.get("access_token")
            )
        email, name = claims.get("email"), claims.get("name")
        return Claims(
            claims["sub"],
            email if isinstance(email, str) and email.isprintable() else None,
            # Some write it as a string.
            claims.get("email_verified") in (True, "true"),
            "".join(filter(str.isprintable, name)) if isinstance(name, str) else None,
        )

    async def _trade(
        self, metadata: _Metadata, code: str, redirect_uri: str, verifier: str
    ) -> Mapping[str, Any]:
        ours = self.registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if ours.client_secret is None:
            form["client_id"] = ours.client_id
        elif metadata.secret_in_body:
            form |= {"client_id": ours.client_id, "client_secret": ours.client_secret}
        else:
            # RFC 6749, 2.3.1: both are encoded as in a form first.
            pair = f"{quote(ours.client_id, safe='')}:{quote(ours.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        status, answer = await self._ask(
            "POST", metadata.token_endpoint, data=form, headers=headers
        )
        if status != _OK:
            reason = str(answer.get("error", status))[:100]
            raise ProviderRefusedError(f"the provider refused the code: {reason}")
        return answer

    async def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        keys = await self._keys.get()
        try:
            return self._verify(token, keys, nonce)
        except UnknownKeyError:
            return self._verify(token, await self._keys.get(_ROTATION), nonce)

    def _verify(
        self, token: str, keys: Sequence[Mapping[str, Any]], nonce: str
    ) -> Mapping[str, Any]:
        return id_token.verify(
            token,
            keys,
            issuer=self.registration.issuer,
            client_id=self.registration.client_id,
            nonce=nonce,
            now=self._clock(),
        )

    async def _with_user_info(
        self, claims: Mapping[str, Any], endpoint: str, access_token: object
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        status, answer = await self._ask("GET", endpoint, headers=headers)
        if status != _OK or answer.get("sub") != claims["sub"]:
            raise ProviderRefusedError("the provider's user info is not about whom it signed in")
        return {**answer, **claims}

    async def _discover(self) -> _Metadata:
        issuer = self.registration.issuer
        answer = await self._document(issuer.rstrip("/") + DISCOVERY)
        if answer.get("issuer") != issuer:
            raise ProviderUnavailableError(f"{issuer} says that it is {answer.get('issuer')}")
        ways = answer.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        userinfo = answer.get("userinfo_endpoint")
        return _Metadata(
            self._url(answer.get("authorization_endpoint")),
            self._url(answer.get("token_endpoint")),
            self._url(answer.get("jwks_uri")),
            None if userinfo is None else self._url(userinfo),
            secret_in_body="client_secret_basic" not in ways and "client_secret_post" in ways,
            names_issuer=answer.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _fetch_keys(self) -> Sequence[Mapping[str, Any]]:
        answer = await self._document((await self._metadata.get()).jwks_uri)
        keys = answer.get("keys")
        if not isinstance(keys, list):
            raise ProviderUnavailableError("the provider's keys are no JSON Web Key Set")
        return [key for key in keys if isinstance(key, dict)]

    async def _document(self, url: str) -> Mapping[str, Any]:
        status, answer = await self._ask("GET", url)
        if status != _OK:
            raise ProviderUnavailableError(f"{url} answered {status}")
        return answer

    def _url(self, given: object) -> str:
        """An endpoint, over TLS where the issuer is."""
        secure = urlsplit(self.registration.issuer).scheme
        if not isinstance(given, str) or urlsplit(given).scheme not in {secure, "https"}:
            raise ProviderUnavailableError("the provider's description of itself is incomplete")
        return given

    async def _ask(self, method: str, url: str, **how: Any) -> tuple[int, Mapping[str, Any]]:
        """The status and the JSON object of an answer; none is followed elsewhere."""
        try:
            async with self._http.request(method, url, allow_redirects=False, **how) as response:
                status = response.status
                body = await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailableError(f"{url} does not answer: {error!r}") from error
        if status >= _SERVER_ERROR:
            raise ProviderUnavailableError(f"{url} answered {status}")
        try:
            answer = orjson.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            if status == _OK:
                raise ProviderUnavailableError(f"{url} did not answer a JSON object")
            answer = {}
        return status, answer


class _Kept(Generic[T]):
    """Something fetched and kept. All who wait for it share one fetch."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: tuple[datetime, T] | None = None
        self._fetching: asyncio.Future[T] | None = None

    async def get(self, fresh: timedelta = _FRESH) -> T:
        """What was fetched within that time; older, if it cannot be fetched now."""
        kept = self._kept
        if kept is not None and self._clock() - kept[0] < fresh:
            return kept[1]
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        try:
            return await asyncio.shield(self._fetching)
        except ProviderUnavailableError:
            if kept is None or self._clock() - kept[0] >= _STALE:
                raise
            return kept[1]

    def _fetched(self, done: "asyncio.Future[T]") -> None:
        self._fetching = None
        if not done.cancelled() and done.exception() is None:
            self._kept = (self._clock(), done.result())


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while chunk := await response.content.read(_LARGEST + 1 - len(body)):
        body += chunk
    if len(body) > _LARGEST:
        raise ProviderUnavailableError(f"{response.url} answered more than {_LARGEST:,} bytes")
    return bytes(body)
