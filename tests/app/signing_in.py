"""A browser that signs in with a provider of identities, for tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from app.resources import Api
from app.settings import Settings
from clients.oidc import Providers, Registration
from domain.account import IdentityProvider
from tests.applications import client
from tests.callers import JSON, Caller
from tests.factories import Factory
from tests.identity_providers import CLIENT, SECRET, Liar, sign_in_at

USER = """
    { viewer { user { id email name emailVerified linkedIdentities { id issuer email } } } }
"""
COOKIES = {"earful_access", "earful_refresh"}
SCOPES = ("openid", "email", "profile")


@dataclass(frozen=True, slots=True)
class Browser:
    """Keeps cookies, and follows only where a test says."""

    http: httpx.AsyncClient

    async def start(self, provider: str, return_to: str = "/inbox?tab=new") -> httpx.Response:
        return await self.http.get(f"/auth/oidc/{provider}/start", params={"return_to": return_to})

    async def come_back(self, location: str) -> httpx.Response:
        """To the address that the provider has sent the browser to."""
        url = httpx.URL(location)
        assert url.path.startswith("/auth/oidc/")
        return await self.http.get(url.raw_path.decode())

    async def by_real(self, subject: str) -> httpx.Response:
        """The whole way, by the provider that is a process of its own."""
        url = (await self.start("real")).headers["location"]
        return await self.come_back(await sign_in_at(url, subject))

    async def by_liar(self, liar: Liar, subject: str = "ada") -> httpx.Response:
        """The whole way, by the provider that says what a test wants."""
        url = (await self.start("liar")).headers["location"]
        return await self.come_back(liar.grant(url, subject))

    async def user(self) -> JSON:
        """Whom the cookies sign in."""
        viewer = (await Caller(self.http).ask(USER))["viewer"]
        return None if viewer is None else viewer["user"]


@asynccontextmanager
async def browser(
    settings: Settings, api: Api, issuers: Mapping[str, str], *, address: str = "127.0.0.1"
) -> AsyncIterator[Browser]:
    """A browser of an application that has these providers."""
    registered = [
        Registration(id_, id_.title(), issuer, CLIENT, SECRET, SCOPES)
        for id_, issuer in issuers.items()
    ]
    async with Providers(registered, clock=api.services.clock, seconds=5) as providers:
        services = replace(
            api.services,
            identity_providers=[IdentityProvider(r.id, r.name, r.issuer) for r in registered],
        )
        serving = replace(api, services=services, providers=providers)
        async with client(settings, serving, address=address) as http:
            yield Browser(http)


def code(answer: httpx.Response) -> tuple[int, str]:
    """The status, and the word for programs."""
    return answer.status_code, answer.headers["x-error-code"]


async def register(issuer: str, subject: str, **claims: Any) -> None:
    """Make somebody known to the real provider."""
    async with httpx.AsyncClient() as http:
        answer = await http.put(f"{issuer}/users/{subject}", json=claims)
    assert answer.status_code == 204, answer.text


async def accounts(factory: Factory) -> list[tuple[Any, ...]]:
    return await factory.rows(
        'SELECT u.email, issuer, subject FROM "user" u LEFT JOIN identity ON user_id = u.id ORDER BY 1, 2'
    )
