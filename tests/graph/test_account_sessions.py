"""Accounts over GraphQL: access tokens, refreshing, signing out, and sessions."""

import asyncio
import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from app.resources import Api
from app.settings import Settings
from domain.account.session import MOST_SESSIONS
from domain.errors import UnauthenticatedError
from domain.tokens import AccessTokens, SigningKey
from persistence.database import new_id
from tests.callers import Caller
from tests.factories import PASSWORD, Factory, Person
from tests.graph.account_queries import LOGIN, ME, PROBLEM, REFRESH, login, refresh, who

LOGOUT = f"mutation {{ logout {{ {PROBLEM} ... on LogoutSuccess {{ ok }} }} }}"
SESSIONS = "{ viewer { sessions { id current userAgent ip createdAt lastSeenAt } } }"
SPENT = {
    "__typename": "InvalidCredentials",
    "message": "The refresh token is not valid. Sign in again.",
}
NOBODY = f"user_{'0' * 32}"
UNVERIFIED: Any = {"verify_signature": False}


async def signed_in(nobody: Caller, person: Person) -> tuple[str, str]:
    """An access token and a refresh token."""
    tokens = (await login(nobody, person.email))["tokens"]
    return tokens["accessToken"], tokens["refreshToken"]


# Access tokens


def claims_of(api: Api, person: Person) -> dict[str, Any]:
    issued = api.services.policy.access.issue(person.id, person.session_id, datetime.now(UTC))
    return jwt.decode(issued.text, options=UNVERIFIED)


def unsigned(header: dict[str, str], claims: dict[str, Any]) -> str:
    """A JWT's first two parts."""
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (header, claims)
    )
    return ".".join(parts)


async def refused(http: httpx.AsyncClient, token: str) -> str:
    """Checks that the token speaks for nobody; answers what its bearer is told."""
    caller = Caller(http, token)
    assert await who(caller) is None
    (error,) = await caller.errors("query($id: ID!) { node(id: $id) { id } }", id=NOBODY)
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    return str(error["message"])


async def test_an_expired_token_speaks_for_nobody(
    factory: Factory, api: Api, http: httpx.AsyncClient
) -> None:
    person = await factory.person()
    access, now = api.services.policy.access, datetime.now(UTC)
    expired = access.issue(person.id, person.session_id, now - timedelta(seconds=601)).text
    fresh = access.issue(person.id, person.session_id, now - timedelta(seconds=570)).text

    assert await refused(http, expired) == "The access token has expired."
    assert await who(Caller(http, fresh)) == person.gid


async def test_a_token_that_was_changed_or_is_none_speaks_for_nobody(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    person, other = await factory.person(), await factory.person()
    header, claims, signature = person.token.split(".")
    tokens = [
        "",
        "nonsense",
        "a.b.c",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{other.token.split('.')[1]}.{signature}",
        f"{header}.{claims}.{other.token.split('.')[2]}",
        person.token + "x",
        person.token[:-8],
        "x" * 20_000,
    ]

    told = [await refused(http, token) for token in tokens]

    assert told == ["The access token is not valid."] * 10


async def test_a_token_of_another_algorithm_speaks_for_nobody(
    factory: Factory, api: Api, http: httpx.AsyncClient
) -> None:
    person = await factory.person()
    claims, kid = claims_of(api, person), jwt.get_unverified_header(person.token)["kid"]
    (jwk,) = [key for key in api.services.policy.access.jwks()["keys"] if key["kid"] == kid]
    hashed = unsigned({"alg": "HS256", "typ": "JWT", "kid": kid}, claims)
    public = base64.urlsafe_b64decode(jwk["x"] + "=")
    mac = hmac.new(public, hashed.encode(), "sha256").digest()
    tokens = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
        unsigned({"alg": "none", "kid": kid}, claims) + "." + person.token.split(".")[2],
        hashed + "." + base64.urlsafe_b64encode(mac).decode().rstrip("="),
    ]

    told = [await refused(http, token) for token in tokens]

    assert told == ["The access token is not valid."] * 3


async def test_a_token_of_another_key_speaks_for_nobody(
    factory: Factory, api: Api, settings: Settings, http: httpx.AsyncClient
) -> None:
    person, now = await factory.person(), datetime.now(UTC)
    ours = jwt.get_unverified_header(person.token)["kid"]
    theirs = SigningKey.new()
    lifetime = timedelta(minutes=10)
    tokens = [
        AccessTokens([key], issuer=settings.base_url, lifetime=lifetime)
        .issue(person.id, person.session_id, now)
        .text
        for key in (theirs, SigningKey(ours, theirs.private))
    ]

    told = [await refused(http, token) for token in tokens]

    assert told == ["The access token is not valid."] * 2


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp")),
        {"iss": "http://evil.test"},
        {"aud": "http://evil.test"},
        {"sub": "nonsense"},
        {"sub": f"feedback_{'0' * 32}"},
        {"sid": f"user_{'0' * 32}"},
        {"nbf": 2**33},
    ],
)
def test_a_token_of_our_key_with_other_claims_speaks_for_nobody(change: dict[str, Any]) -> None:
    key, now = SigningKey.new(), datetime.now(UTC)
    ours = AccessTokens([key], issuer="http://earful.test", lifetime=timedelta(minutes=10))
    good = jwt.decode(ours.issue(new_id(), new_id(), now).text, options=UNVERIFIED)
    claims = {name: value for name, value in (good | change).items() if value is not None}
    token = jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.kid})

    with pytest.raises(UnauthenticatedError, match=r"^The access token is not valid\.$"):
        ours.read(token, now)


async def test_another_scheme_signs_nobody_in(factory: Factory, http: httpx.AsyncClient) -> None:
    person = await factory.person()

    answers = [
        await http.post("/graphql", json={"query": ME}, headers={"authorization": value})
        for value in (f"Basic {person.token}", person.token, "", f"bearer   {person.token}")
    ]

    assert [answer.json()["data"]["viewer"] for answer in answers] == [
        None,
        None,
        None,
        {"user": {"id": person.gid}},
    ]


# Refreshing


async def test_a_refresh_token_is_traded_for_a_new_pair(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()
    _, old = await signed_in(nobody, person)

    answer = await refresh(nobody, old)

    tokens = answer["tokens"]
    assert tokens["refreshToken"] != old
    assert await who(nobody.signed_in(tokens["accessToken"])) == person.gid
    assert (await refresh(nobody, tokens["refreshToken"]))["__typename"] == "RefreshSessionSuccess"


@pytest.mark.parametrize(
    "token", [None, "", "nonsense", "earful_rt_" + "A" * 43, "\x00", "x" * 9_999]
)
async def test_what_is_no_refresh_token_is_refused(
    nobody: Caller, factory: Factory, token: str | None
) -> None:
    assert await refresh(nobody, token) == SPENT


async def test_an_access_token_is_no_refresh_token(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()

    assert await refresh(nobody, person.token) == SPENT


async def test_a_used_refresh_token_works_again_within_the_grace(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    _, old = await signed_in(nobody, person)
    await refresh(nobody, old)
    await factory.change("UPDATE refresh_token SET used_at = used_at - interval '5 seconds'")

    again = await refresh(nobody, old)

    assert await who(nobody.signed_in(again["tokens"]["accessToken"])) == person.gid


async def test_a_used_refresh_token_after_the_grace_ends_the_session(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    _, other = await signed_in(nobody, person)
    _, old = await signed_in(nobody, person)
    new = (await refresh(nobody, old))["tokens"]["refreshToken"]
    await factory.change("UPDATE refresh_token SET used_at = used_at - interval '11 seconds'")

    stolen = await refresh(nobody, old)

    assert stolen == SPENT
    assert await refresh(nobody, new) == SPENT
    assert (await refresh(nobody, other))["__typename"] == "RefreshSessionSuccess"
    assert await factory.rows("SELECT count(*) FROM session WHERE revoked_at IS NOT NULL") == [(1,)]


@pytest.mark.parametrize("table", ["refresh_token", "session"])
async def test_an_expired_refresh_token_is_refused(
    nobody: Caller, factory: Factory, table: str
) -> None:
    person = await factory.person()
    _, token = await signed_in(nobody, person)
    await factory.change(f"UPDATE {table} SET expires_at = now() - interval '1 second'")

    assert await refresh(nobody, token) == SPENT


async def test_callers_at_once_with_one_refresh_token_are_all_served(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    _, old = await signed_in(nobody, person)

    answers = await asyncio.gather(*(refresh(nobody, old) for _ in range(2)))

    pairs = [answer["tokens"] for answer in answers]
    assert len({pair["refreshToken"] for pair in pairs}) == 2
    seen = [await who(nobody.signed_in(pair["accessToken"])) for pair in pairs]
    again = [await refresh(nobody, pair["refreshToken"]) for pair in pairs]
    assert seen == [person.gid] * 2
    assert [answer["__typename"] for answer in again] == ["RefreshSessionSuccess"] * 2


async def test_the_cookie_is_refreshed_where_no_token_is_given(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True})
    old = nobody.http.cookies["earful_refresh"]

    response = await nobody.post(REFRESH, input={"cookies": True})

    tokens = response.json()["data"]["refreshSession"]["tokens"]
    assert tokens["refreshToken"] != old
    assert nobody.http.cookies["earful_refresh"] == tokens["refreshToken"]
    assert nobody.http.cookies["earful_access"] == tokens["accessToken"]


# Signing out


async def test_signing_out_ends_the_access_token_at_once_and_the_refresh_token(
    nobody: Caller, factory: Factory
) -> None:
    person = await factory.person()
    access, refresh_token = await signed_in(nobody, person)
    caller = nobody.signed_in(access)

    answer = await caller.ask(LOGOUT)

    assert answer == {"logout": {"__typename": "LogoutSuccess", "ok": True}}
    assert await refused(nobody.http, access) == "The session has ended. Sign in again."
    assert await refresh(nobody, refresh_token) == SPENT
    assert await who(nobody.signed_in(person.token)) == person.gid


async def test_signing_out_takes_the_cookies_away(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()
    await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True})

    response = await nobody.post(LOGOUT)

    assert response.headers.get_list("set-cookie") == [
        "earful_access=; Path=/; HttpOnly; Max-Age=0; SameSite=Lax",
        "earful_refresh=; Path=/; HttpOnly; Max-Age=0; SameSite=Lax",
    ]
    assert dict(nobody.http.cookies) == {}


async def test_who_signs_out_late_is_signed_out_by_the_other_cookie(
    nobody: Caller, factory: Factory
) -> None:
    """The access token's cookie is gone when the token has run out; the other would have signed in for a month."""
    person = await factory.person()
    await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True})
    refresh_token = nobody.http.cookies["earful_refresh"]
    nobody.http.cookies.delete("earful_access")

    response = await nobody.post(LOGOUT)
    nobody.http.cookies.set("earful_refresh", refresh_token)
    again = await nobody.ask(LOGOUT)

    assert response.json()["data"] == {"logout": {"__typename": "LogoutSuccess", "ok": True}}
    assert len(response.headers.get_list("set-cookie")) == 2
    assert again["logout"]["__typename"] == "InvalidCredentials"
    assert await refresh(nobody, refresh_token) == SPENT
    assert await who(nobody.signed_in(person.token)) == person.gid
    last = await factory.rows("SELECT action FROM security_event ORDER BY id DESC LIMIT 1")
    assert last == [("session.closed",)]


async def test_nobody_and_who_is_gone_cannot_sign_out(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()
    caller = nobody.signed_in(person.token)
    await caller.ask(LOGOUT)

    answers = [await nobody.ask(LOGOUT), await caller.ask(LOGOUT)]

    gone = {"__typename": "InvalidCredentials", "message": "Nobody is signed in."}
    assert answers == [{"logout": gone}] * 2


# Sessions


async def test_sessions_list_the_live_ones_of_the_caller_and_which_is_current(
    nobody: Caller, factory: Factory
) -> None:
    person, other = await factory.person(), await factory.person()
    await signed_in(nobody, other)
    nobody.http.headers["user-agent"] = "Browser/1.0"
    access, _ = await signed_in(nobody, person)
    ended, _ = await signed_in(nobody, person)
    await nobody.signed_in(ended).ask(LOGOUT)
    await signed_in(nobody, person)
    await factory.change(
        "UPDATE session SET expires_at = now() WHERE id = (SELECT max(id::text)::uuid FROM session)"
    )

    answer = await nobody.signed_in(access).ask(SESSIONS)

    sessions = answer["viewer"]["sessions"]
    assert [(session["current"], session["userAgent"], session["ip"]) for session in sessions] == [
        (True, "Browser/1.0", "127.0.0.1"),
        (False, "tests", "127.0.0.1"),
    ]
    assert sessions[1]["id"] == f"session_{person.session_id.hex}"


async def test_refreshing_makes_a_session_the_latest_used(nobody: Caller, factory: Factory) -> None:
    person = await factory.person()
    first, token = await signed_in(nobody, person)
    second, _ = await signed_in(nobody, person)
    before = (await nobody.signed_in(first).ask(SESSIONS))["viewer"]["sessions"]

    await refresh(nobody, token)

    after = (await nobody.signed_in(first).ask(SESSIONS))["viewer"]["sessions"]
    assert [session["current"] for session in before] == [False, True, False]
    assert [session["current"] for session in after] == [True, False, False]
    assert after[0]["lastSeenAt"] > before[1]["lastSeenAt"]
    assert await who(nobody.signed_in(second)) == person.gid


@pytest.mark.usefixtures("kept_outbox")
async def test_there_are_a_thousand_sessions_at_most_and_the_one_not_used_for_longest_ends(
    nobody: Caller, http: httpx.AsyncClient, factory: Factory
) -> None:
    person, other = await factory.person(), await factory.person()
    await factory.change(
        "INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at)"
        " SELECT gen_random_uuid(), :user, now(), now() - n * interval '1 hour', now() + interval '1 day'"
        " FROM generate_series(1, :others) n",
        user=person.id,
        others=MOST_SESSIONS - 1,
    )
    last = "SELECT id FROM session WHERE user_id = :user AND revoked_at IS NULL ORDER BY last_seen_at LIMIT 1"
    ((oldest,),) = await factory.rows(last, user=person.id)

    access, _ = await signed_in(nobody, person)

    ended = await factory.rows("SELECT id FROM session WHERE revoked_at IS NOT NULL")
    events = await factory.rows("SELECT kind FROM outbox WHERE kind = 'session.revoked'")
    seen = await Caller(http, access).ask(SESSIONS)
    assert ended == [(oldest,)]
    assert len(events) == 1
    assert len(seen["viewer"]["sessions"]) == MOST_SESSIONS
    assert await who(other.on(http)) == other.gid
