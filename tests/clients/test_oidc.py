"""What a provider of identities must answer to be believed, and what happens while it is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from clients.oidc import (
    Claims,
    Provider,
    ProviderRefusedError,
    Providers,
    ProviderUnavailableError,
    Registration,
)
from tests.identity_providers import CLIENT, SECRET, Key, Liar, free_port, liar

CALLBACK = "http://earful.test/auth/oidc/liar/callback"
ADA = Claims("ada", "ada@example.com", email_verified=True, name="Ada")


class Clock:
    """The time, and how far a test has turned it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
async def provider() -> AsyncIterator[Liar]:
    async with liar() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ours(provider: Liar, clock: Clock) -> AsyncIterator[Provider]:
    async with Providers([registration(provider.issuer)], clock=clock) as providers:
        yield get(providers)


def registration(issuer: str, secret: str | None = SECRET) -> Registration:
    return Registration("liar", "Liar", issuer, CLIENT, secret, ("openid", "email"))


def get(providers: Providers) -> Provider:
    found = providers.get("liar")
    assert found is not None
    return found


async def begin(ours: Provider) -> str:
    return await ours.authorization_url(
        redirect_uri=CALLBACK, state="s", nonce="n", verifier="v" * 43
    )


async def redeem(ours: Provider, back: str, **other: Any) -> Claims:
    """What the code in the address says, whatever else is sent."""
    code = parse_qs(urlsplit(back).query)["code"][0]
    given = {
        "code": code,
        "issuer": None,
        "redirect_uri": CALLBACK,
        "nonce": "n",
        "verifier": "v" * 43,
    } | other
    return await ours.redeem(**given)


async def signed_in(ours: Provider, provider: Liar, **other: Any) -> Claims:
    return await redeem(ours, provider.grant(await begin(ours)), **other)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_a_token_of_each_algorithm_is_believed(
    ours: Provider, provider: Liar, algorithm: str
) -> None:
    provider.key = Key.of(algorithm)

    assert await signed_in(ours, provider) == ADA


async def test_the_request_has_state_nonce_and_a_challenge(ours: Provider, provider: Liar) -> None:
    query = parse_qs(urlsplit(await begin(ours)).query)

    challenge = query.pop("code_challenge")
    assert query == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [CALLBACK],
        "scope": ["openid email"],
        "state": ["s"],
        "nonce": ["n"],
        "code_challenge_method": ["S256"],
    }
    assert len(challenge[0]) == 43
    assert challenge[0] != "v" * 43


async def test_a_code_works_once_and_with_its_own_verifier_alone(
    ours: Provider, provider: Liar
) -> None:
    back = provider.grant(await begin(ours))
    other = provider.grant(await begin(ours) + "&again=1")

    assert await redeem(ours, back) == ADA
    for url, verifier in ((back, "v" * 43), (other, "w" * 43)):
        with pytest.raises(ProviderRefusedError, match="refused the code: invalid_grant"):
            await redeem(ours, url, verifier=verifier)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"aud": "another"}, "[Aa]udience"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "another"]}, "for several"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"exp": int(time.time()) - 120}, "expired"),
        ({"exp": "tomorrow"}, "no numbers"),
        ({"exp": None}, "exp"),
        ({"iat": int(time.time()) + 3_600}, "future"),
        ({"nbf": int(time.time()) + 3_600}, "future"),
        ({"iat": None}, "iat"),
        ({"nonce": "another"}, "another nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "a\x00b"}, "subject"),
    ],
)
async def test_a_token_that_says_something_else_is_refused(
    ours: Provider, provider: Liar, claims: dict[str, Any], reason: str
) -> None:
    provider.claims = claims

    with pytest.raises(ProviderRefusedError, match=reason):
        await signed_in(ours, provider)


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"aud": [CLIENT, "b"], "azp": CLIENT}])
async def test_a_token_for_several_that_was_made_for_us_is_believed(
    ours: Provider, provider: Liar, claims: dict[str, Any]
) -> None:
    provider.claims = claims

    assert await signed_in(ours, provider) == ADA


def _unsigned(provider: Liar) -> None:
    body = provider.sign(ASKED).split(".")[1]
    provider.id_token = f"eyJhbGciOiJub25lIn0.{body}."


def _changed(provider: Liar) -> None:
    head, _, signature = provider.sign(ASKED).split(".")
    _, other, _ = provider.sign(ASKED | {"sub": "eve"}).split(".")
    provider.id_token = f"{head}.{other}.{signature}"


def _signed_with(key: Key) -> Callable[[Liar], None]:
    """By a key that is not the published one."""

    def forge(provider: Liar) -> None:
        provider.keys = [provider.key.published()]
        provider.key = key

    return forge


def _published(**otherwise: Any) -> Callable[[Liar], None]:
    """By the published key, of which something else is said."""

    def forge(provider: Liar) -> None:
        provider.key = Key.of("RS256")
        provider.keys = [provider.key.published(**otherwise)]

    return forge


def _short(provider: Liar) -> None:
    provider.key = Key("RS256", rsa.generate_private_key(65_537, 1_024))  # noqa: S505 - that is it


def _critical(provider: Liar) -> None:
    provider.header = {"crit": ["exp"]}


def _ambiguous(provider: Liar) -> None:
    provider.key = Key.of("ES256", kid=None)
    provider.keys = [provider.key.published(), Key.of("ES256").published()]


def _answered(token: str) -> Callable[[Liar], None]:
    return lambda provider: setattr(provider, "id_token", token)


ASKED = {"sub": "ada", "nonce": "n"}
FORGERIES = {
    "unsigned": (_unsigned, "signed by none"),
    "changed": (_changed, "Signature"),
    "another's": (_signed_with(Key.of("ES256")), "Signature"),
    "symmetric": (_signed_with(Key("HS256", SECRET.encode() * 4)), "signed by HS256"),
    "of the wrong kind": (_signed_with(Key.of("RS256")), "no key first for RS256"),
    "for encryption": (_published(use="enc"), "no key first"),
    "of another algorithm": (_published(alg="PS256"), "no key first for RS256"),
    "of another name": (_published(kid="second"), "no key first"),
    "short": (_short, "key"),
    "critical": (_critical, "critical"),
    "ambiguous": (_ambiguous, "which of the provider's keys"),
    "no token": (_answered("no token"), "not valid"),
    "three parts": (_answered("a.b.c"), "not valid"),
}


@pytest.mark.parametrize("kind", FORGERIES)
async def test_a_token_that_the_providers_key_has_not_signed_is_refused(
    ours: Provider, provider: Liar, kind: str
) -> None:
    forge, reason = FORGERIES[kind]
    forge(provider)

    with pytest.raises(ProviderRefusedError, match=reason):
        await signed_in(ours, provider)


async def test_a_new_key_is_fetched_and_no_more_than_once_a_minute(
    ours: Provider, provider: Liar, clock: Clock
) -> None:
    assert await signed_in(ours, provider) == ADA
    clock.ahead = timedelta(minutes=2)
    provider.claims = {"exp": int(time.time()) + 3_600}
    provider.key = Key.of("ES256", "second")
    assert await signed_in(ours, provider) == ADA
    rotated = provider.asked.count("/keys")
    published = provider.key.published()
    provider.key = Key.of("ES256", "third")
    provider.keys = [published]

    for number in range(3):
        back = provider.grant(f"{await begin(ours)}&number={number}")
        with pytest.raises(ProviderRefusedError, match="no key third"):
            await redeem(ours, back)

    assert (rotated, provider.asked.count("/keys")) == (2, 2)


async def test_what_a_provider_says_of_itself_is_kept_for_an_hour(
    ours: Provider, provider: Liar, clock: Clock
) -> None:
    well_known = "/.well-known/openid-configuration"
    for _ in range(3):
        await begin(ours)
    first = provider.asked.count(well_known)
    clock.ahead = timedelta(minutes=61)
    await begin(ours)
    second = provider.asked.count(well_known)
    provider.down = {well_known}
    clock.ahead = timedelta(hours=20)
    await begin(ours)
    clock.ahead = timedelta(hours=26)

    assert (first, second) == (1, 2)
    with pytest.raises(ProviderUnavailableError):
        await begin(ours)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"token_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 1},
    ],
)
async def test_a_provider_that_says_nonsense_of_itself_is_away(
    ours: Provider, provider: Liar, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery

    with pytest.raises(ProviderUnavailableError):
        await begin(ours)


@pytest.mark.parametrize("path", ["/token", "/keys"])
async def test_a_provider_that_is_down_is_away(ours: Provider, provider: Liar, path: str) -> None:
    back = provider.grant(await begin(ours))
    provider.down = {path}

    with pytest.raises(ProviderUnavailableError):
        await redeem(ours, back)


async def test_a_provider_that_nobody_listens_for_is_away(clock: Clock) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    async with Providers([registration(issuer)], clock=clock) as providers:
        with pytest.raises(ProviderUnavailableError):
            await begin(get(providers))


async def test_what_answers_nothing_in_time_is_away(clock: Clock) -> None:
    silent = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    issuer = f"http://127.0.0.1:{port}"
    async with Providers([registration(issuer)], clock=clock, seconds=0.2) as providers:
        with pytest.raises(ProviderUnavailableError):
            await begin(get(providers))
    silent.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_a_wrong_secret_is_a_refusal(provider: Liar, clock: Clock) -> None:
    for secret in ("wrong", None):
        async with Providers([registration(provider.issuer, secret)], clock=clock) as providers:
            ours = get(providers)
            back = provider.grant(f"{await begin(ours)}&secret={secret}")
            with pytest.raises(ProviderRefusedError, match="invalid_client"):
                await redeem(ours, back)


@pytest.mark.parametrize(
    ("supported", "issuer", "refused"),
    [
        (True, None, "does not say whose"),
        (True, "https://evil.example", "another provider's"),
        (False, "https://evil.example", "another provider's"),
    ],
)
async def test_an_answer_of_another_provider_is_refused(
    ours: Provider, provider: Liar, supported: bool, issuer: str | None, refused: str
) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": supported}

    with pytest.raises(ProviderRefusedError, match=refused):
        await signed_in(ours, provider, issuer=issuer)
    assert await signed_in(ours, provider, issuer=provider.issuer) == ADA


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email_verified": "true"}, ADA),
        ({"email_verified": "false"}, Claims("ada", "ada@example.com", False, "Ada")),
        ({"email_verified": None}, Claims("ada", "ada@example.com", False, "Ada")),
        ({"email": "a\x00da@example.com", "name": "A\x00da"}, Claims("ada", None, True, "Ada")),
        ({"email": ["ada@example.com"], "name": 1}, Claims("ada", None, True, None)),
    ],
)
async def test_claims_are_read_as_they_are_written(
    ours: Provider, provider: Liar, claims: dict[str, Any], expected: Claims
) -> None:
    provider.claims = claims

    assert await signed_in(ours, provider) == expected


async def test_an_address_that_the_token_lacks_is_asked_for(ours: Provider, provider: Liar) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.user_info = {"sub": "ada", "email": "ada@example.com", "email_verified": True}

    assert await signed_in(ours, provider) == ADA


async def test_an_address_of_somebody_else_is_refused(ours: Provider, provider: Liar) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.user_info = {"sub": "eve", "email": "ada@example.com", "email_verified": True}

    with pytest.raises(ProviderRefusedError, match="user info"):
        await signed_in(ours, provider)
