"""Whether the providers that sign people in are there, and are who they are taken for."""

from collections.abc import AsyncIterator

import aiohttp

from app.doctor.finding import Finding, Patient
from app.settings import OidcProvider

PART = "oidc"
_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def look(patient: Patient) -> AsyncIterator[Finding]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        for provider in patient.settings.identity_providers:
            yield await _look(http, provider)


async def _look(http: aiohttp.ClientSession, provider: OidcProvider) -> Finding:
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        async with http.get(url, allow_redirects=False) as answer:
            answer.raise_for_status()
            said = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        text = f"{provider.name} does not answer at {url}: {str(error) or 'no answer'}"
    else:
        issuer = said.get("issuer") if isinstance(said, dict) else None
        if issuer == provider.issuer:
            return Finding(PART, "ok", f"{provider.name} answers")
        text = f"{provider.name} calls itself {issuer}, and not {provider.issuer}"
    return Finding(
        PART,
        "broken",
        text,
        "Nobody can sign in with it.",
        "Correct the issuer in OIDC_PROVIDERS or OIDC_ISSUER, to the letter, or let the firewall pass.",
    )
