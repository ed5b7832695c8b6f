"""Linking a provider on the page of the account, in Chromium, with the provider that is a process of its own."""

import asyncio
from dataclasses import replace

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from clients.oidc import Providers, Registration
from domain.account import IdentityProvider
from tests.app.signing_in import SCOPES, register
from tests.app.test_dashboard_browser import DASHBOARD, SECONDS, WEB, needs_dashboard
from tests.app.test_file_browser import CHROMIUM
from tests.both_ways import BothWays
from tests.factories import PASSWORD, Factory
from tests.graph.sockets import served
from tests.identity_providers import CLIENT, SECRET, free_port

_VERIFY = 'UPDATE "user" SET email_verified_at = now() WHERE id = :id'


@needs_dashboard
async def test_a_provider_is_linked_on_the_page_of_the_account(
    api: Api, settings: Settings, factory: Factory, issuer: str
) -> None:
    assert CHROMIUM is not None
    person = (await factory.tenant()).owner
    await factory.change(_VERIFY, id=person.id)
    await register(issuer, "ada", email="ada@example.com", email_verified=True)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    known = [IdentityProvider("real", "Real", issuer)]
    registered = [Registration("real", "Real", issuer, CLIENT, SECRET, SCOPES)]
    application = create_app(
        settings.model_copy(update={"dashboard": DASHBOARD / "dist", "public_url": base}), BothWays
    )
    async with Providers(registered, clock=api.services.clock, seconds=5) as providers:
        services = replace(api.services, identity_providers=known, base_url=base)
        application.open(replace(api, services=services, providers=providers))
        async with served(application, port=port):
            looking = await asyncio.create_subprocess_exec(
                "node",
                WEB / "e2e" / "linking.mjs",
                base,
                CHROMIUM,
                person.email,
                PASSWORD,
                issuer,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await asyncio.wait_for(looking.communicate(), SECONDS)

    assert looking.returncode == 0, said.decode()
