"""API keys in use over HTTP: what a request by key costs, from where and until when it is let in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from app.stores import open_database, open_redis
from domain.scopes import Scope
from graph.context import Services
from graph.execution import Operations
from graph.keys import FAILED_KEYS, Keys
from persistence.limits import Limiter
from tests.applications import client, without_postgres
from tests.callers import Caller
from tests.factories import Factory, Partner
from tests.graph.feedback_queries import SUBMIT
from tests.graph.partner_queries import REVOKE, ROTATE, UPDATE, WHO, change
from tests.statements import watched

INVALID = "The API key is not valid."
NAME = "query($slug: String!) { workspace(slug: $slug) { name } }"
EVERYTHING = """
    query($slug: String!, $ids: [ID!]!) {
      workspace(slug: $slug) { id feedback { totalCount } stats(from: "2026-01-01T00:00:00Z",
        to: "2026-02-01T00:00:00Z") { totals { total } } sources { id } tags { id } jobs { nodes { id } } }
      nodes(ids: $ids) { id }
    }
"""


async def refusal(caller: Caller) -> tuple[str, str]:
    """Code and message of what somebody is told who is not let in."""
    (error,) = await caller.errors(NAME, slug="any")
    return error["extensions"]["code"], error["message"]


@asynccontextmanager
async def elsewhere(
    settings: Settings, api: Api, ip: str, **services: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client at this address, of an application that has other services."""
    application = create_app(settings)
    application.open(replace(api, services=replace(api.services, **services)))
    transport = httpx.ASGITransport(application, client=(ip, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        yield http


def keys(services: Services, clock: Callable[[], datetime] | None = None) -> Keys:
    """Keys that nobody has asked for yet."""
    return Keys(services.database, services.limiter, clock or services.clock)


# Feedback by key


async def test_a_key_submits_feedback(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:write")
    given = {"workspaceId": tenant.gid, "body": "Late again.", "externalId": "1"}

    first = await partner.on(http).ask(SUBMIT, input=given)
    second = await partner.on(http).ask(SUBMIT, input=given | {"sourceId": tenant.source_gid})
    third = await partner.on(http).ask(SUBMIT, input=given)

    assert [answer["submitFeedback"]["duplicate"] for answer in (first, second, third)] == [
        False,
        False,
        True,
    ]
    assert await factory.rows("SELECT body FROM feedback") == [("Late again.",)] * 2


async def test_a_key_submits_to_no_other_workspace(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:write")
    inputs = [
        {"workspaceId": other.gid, "body": "Mine."},
        {"workspaceId": tenant.gid, "sourceId": other.source_gid, "body": "Mine."},
    ]

    answers = [
        (await partner.on(http).ask(SUBMIT, input=given))["submitFeedback"] for given in inputs
    ]

    assert [answer["__typename"] for answer in answers] == ["NotFound", "NotFound"]
    assert await factory.rows("SELECT 1 FROM feedback") == []


async def test_the_store_refuses_to_submit_without_the_scope(
    factory: Factory, http: httpx.AsyncClient, api: Api
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:write")
    await partner.on(http).ask(WHO)
    # Nobody was told.
    await factory.change(
        "UPDATE member SET role = 'KEY stats:read' WHERE api_key_id = :key",
        within=tenant,
        key=partner.id,
    )

    answer = await partner.on(http).ask(SUBMIT, input={"workspaceId": tenant.gid, "body": "x"})

    assert answer["submitFeedback"] == {
        "__typename": "Forbidden",
        "message": "This API key has no scope to submit feedback.",
    }


async def test_submitting_is_limited_by_key(factory: Factory, settings: Settings, api: Api) -> None:
    tenant = await factory.tenant()
    one, other = [await factory.api_key(tenant, "feedback:write") for _ in range(2)]
    given = {"workspaceId": tenant.gid, "body": "x"}
    async with open_redis(settings) as redis:
        # One point a minute.
        limiter = Limiter(redis, scale=1 / 6_000)
        async with elsewhere(
            settings, api, "192.0.2.1", limiter=limiter, keys=keys(api.services)
        ) as http:
            kinds = [
                (await caller.on(http).ask(SUBMIT, input=given))["submitFeedback"]["__typename"]
                for caller in (one, one, other)
            ]
        await limiter.close()

    assert kinds == ["SubmitFeedbackSuccess", "RateLimited", "SubmitFeedbackSuccess"]


# What is another's


async def test_what_is_anothers_looks_like_what_does_not_exist(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    partner = await factory.api_key(tenant, *Scope)
    feedback = await factory.feedback(other)
    there = [
        other.gid,
        other.source_gid,
        feedback,
        await factory.tag(other, "red", feedback),
        await factory.job(other),
    ]
    nowhere = [f"{id_.rpartition('_')[0]}_{'0' * 32}" for id_ in there]

    answers = [
        await partner.on(http).ask(EVERYTHING, slug=slug, ids=ids)
        for slug, ids in ((other.slug, there), ("nowhere", nowhere))
    ]

    assert answers == [{"workspace": None, "nodes": [None] * 5}] * 2


# From where and until when


async def test_a_key_is_good_from_its_networks_alone(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, allowed_ips=["192.0.2.0/24", "2001:db8::/32"])

    told = {}
    for ip in ("192.0.2.7", "2001:db8::9", "192.0.3.7", "::1"):
        async with elsewhere(settings, api, ip) as http:
            response = await partner.on(http).post(NAME, slug=tenant.slug)
            told[ip] = [error["message"] for error in response.json().get("errors", ())]

    refused = ["The API key may not be used from this address."]
    assert told == {"192.0.2.7": [], "2001:db8::9": [], "192.0.3.7": refused, "::1": refused}


@dataclass(slots=True)
class Clock:
    """A clock that is set."""

    time: datetime

    def __call__(self) -> datetime:
        return self.time


async def test_a_key_expires_while_it_is_known(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant, clock = await factory.tenant(), Clock(datetime.now(UTC))
    end = clock.time + timedelta(seconds=10)
    partner = await factory.api_key(tenant, expires_at=end)

    async with elsewhere(settings, api, "::1", keys=keys(api.services, clock)) as http:
        caller = partner.on(http)
        assert await caller.ask(NAME, slug=tenant.slug) == {
            "workspace": {"name": tenant.slug.title()}
        }
        clock.time = end
        told = await refusal(caller)

    assert told == ("UNAUTHENTICATED", "The API key has expired.")


async def test_a_replaced_secret_is_good_until_the_overlap_ends(
    factory: Factory, settings: Settings, api: Api, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    rotated = await change(tenant.owner, http, ROTATE, apiKeyId=partner.gid, overlapHours=2)
    new = Caller(http, rotated["secret"])
    end = datetime.fromisoformat(rotated["apiKey"]["overlapEndsAt"])
    clock = Clock(end - timedelta(seconds=1))

    async with elsewhere(settings, api, "::1", keys=keys(api.services, clock)) as later:
        before = await partner.on(later).ask(WHO)
        clock.time = end
        told = await refusal(partner.on(later))
        after = await Caller(later, new.token).ask(WHO)

    assert before["viewer"]["apiKey"]["id"] == after["viewer"]["apiKey"]["id"] == partner.gid
    assert told == ("UNAUTHENTICATED", "The API key has expired.")


# What it costs


@dataclass(frozen=True, slots=True)
class Watched:
    """A process whose statements are seen on their way to Postgres."""

    http: httpx.AsyncClient
    keys: Keys
    executed: list[str]

    async def taken(self, caller: Caller, query: str, **variables: Any) -> int:
        """How many statements an operation takes, those that have Postgres explain a type left out."""
        self.executed.clear()
        await caller.post(query, **variables)
        return sum(
            not text.startswith("SET ") and "typeinfo_tree" not in text and "'jit'" not in text
            for text in self.executed
        )


@pytest.fixture
async def watch(settings: Settings, api: Api, factory: Factory) -> AsyncIterator[Watched]:
    assert settings.database_url is not None
    async with (
        watched(settings.database_url) as (url, executed),
        open_database(settings.model_copy(update={"database_url": url}), "watched") as database,
    ):
        known = Keys(database, api.services.limiter, api.services.clock)
        services = replace(api.services, database=database, keys=known)
        async with client(settings, replace(api, services=services), Operations) as http:
            yield Watched(http, known, executed)


async def test_a_busy_key_is_looked_up_once(factory: Factory, watch: Watched) -> None:
    tenant = await factory.tenant()
    caller = (await factory.api_key(tenant, "feedback:write")).on(watch.http)
    given = {"workspaceId": tenant.gid, "body": "Late again."}

    first = await watch.taken(caller, NAME, slug=tenant.slug)
    again = await watch.taken(caller, NAME, slug=tenant.slug)
    submitted = await watch.taken(caller, SUBMIT, input=given)

    assert (first, again, submitted) == (2, 1, 3)


async def test_those_who_come_at_once_share_a_look(factory: Factory, watch: Watched) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    other = await factory.api_key(tenant)

    await watch.keys.any_changed()
    watch.executed.clear()
    await _at_once(watch, [partner] * 20 + [other] * 20)

    assert sum("api_key_secret" in text for text in watch.executed) == 2


async def _at_once(watch: Watched, partners: list[Partner]) -> None:
    await asyncio.gather(*(partner.on(watch.http).ask(WHO) for partner in partners))


async def test_unknown_and_revoked_keys_look_the_same_and_cost_the_same(
    factory: Factory, watch: Watched, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    await partner.on(watch.http).ask(WHO)
    await change(tenant.owner, http, REVOKE, apiKeyId=partner.gid)
    watch.keys.changed(partner.id)
    revoked, unknown = [
        Caller(watch.http, token) for token in (partner.token, f"earful_{'0' * 8}_{'0' * 32}")
    ]

    seen = [
        [await watch.taken(caller, WHO), await watch.taken(caller, WHO), await refusal(caller)]
        for caller in (revoked, unknown)
    ]

    assert seen == [[1, 0, ("UNAUTHENTICATED", INVALID)]] * 2


@pytest.mark.parametrize(
    "token",
    [
        "earful_",
        "earful_12345678_",
        f"earful_{'0' * 8}_{'0' * 33}",
        f"EARFUL_{'0' * 8}_{'0' * 32}",
    ],
)
async def test_what_is_no_secret_is_not_looked_up(watch: Watched, token: str) -> None:
    caller = Caller(watch.http, token)

    assert await watch.taken(caller, WHO) == 0
    assert await refusal(caller) == ("UNAUTHENTICATED", "The access token is not valid.")


# Guessing


async def test_an_address_that_guesses_has_to_wait(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    known, fresh = [await factory.api_key(tenant) for _ in range(2)]
    guesses = [f"earful_{'0' * 8}_{number:032}" for number in range(FAILED_KEYS.points + 1)]
    async with open_redis(settings) as redis:
        limiter = Limiter(redis, scale=1)
        mine = Keys(api.services.database, limiter, api.services.clock)
        async with (
            elsewhere(settings, api, "192.0.2.66", keys=mine) as http,
            elsewhere(settings, api, "192.0.2.67", keys=mine) as other,
        ):
            await known.on(http).ask(WHO)
            told = [await refusal(Caller(http, token)) for token in guesses]
            repeated = await refusal(Caller(http, guesses[0]))
            limited = await refusal(fresh.on(http))
            still = await known.on(http).ask(WHO)
            there = await fresh.on(other).ask(WHO)
        await limiter.close()

    invalid = ("UNAUTHENTICATED", INVALID)
    wait = ("RATE_LIMITED", "Too many requests. Try again later.")
    assert told == [invalid] * FAILED_KEYS.points + [wait]
    assert (repeated, limited) == (invalid, wait)
    assert still["viewer"]["apiKey"]["id"] == known.gid
    assert there["viewer"]["apiKey"]["id"] == fresh.gid


# While the store is away


async def test_without_postgres_a_key_is_not_said_to_be_wrong(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    async with open_database(settings, "keys away") as away:
        pass
    mine = Keys(away, api.services.limiter, api.services.clock)

    async with elsewhere(settings, api, "::1", keys=mine) as http:
        response = await partner.on(http).post(WHO)

    (error,) = response.json()["errors"]
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert error["message"] == "A part of the server is away for the moment. Try again."
    assert error["extensions"]["code"] == "INTERNAL"


async def test_without_postgres_a_known_key_gets_as_far_as_anybody(
    factory: Factory, settings: Settings, api: Api, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    await partner.on(http).ask(WHO)

    async with without_postgres(settings, api) as away:
        (error,) = await partner.on(away).errors(NAME, slug=tenant.slug)

    assert error["extensions"]["code"] == "INTERNAL"


# When it was last used


async def last_used(factory: Factory, partner: Partner) -> datetime | None:
    ((at,),) = await factory.rows("SELECT last_used_at FROM api_key WHERE id = :id", id=partner.id)
    assert at is None or isinstance(at, datetime)
    return at


async def test_a_use_is_recorded_once_a_minute_and_not_by_the_request(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    partner, second, unused = [await factory.api_key(where) for where in (tenant, other, tenant)]
    begin = datetime.now(UTC)
    clock = Clock(begin)
    mine = keys(api.services, clock)
    seen: list[datetime | None] = []

    async with elsewhere(settings, api, "::1", keys=mine) as http:
        await partner.on(http).ask(WHO)
        await second.on(http).ask(WHO)
        seen.append(await last_used(factory, partner))
        for seconds in (5, 30, 90):
            clock.time = begin + timedelta(seconds=seconds)
            await partner.on(http).ask(WHO)
            await mine.record()
            seen.append(await last_used(factory, partner))

    first, latest = begin + timedelta(seconds=5), begin + timedelta(seconds=90)
    assert seen == [None, first, first, latest]
    assert await last_used(factory, second) == first
    assert await last_used(factory, unused) is None


async def test_processes_record_a_use_once_a_minute_together(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    begin = datetime.now(UTC)

    for seconds in (0, 59):
        mine = keys(api.services, Clock(begin + timedelta(seconds=seconds)))
        async with elsewhere(settings, api, "::1", keys=mine) as http:
            await partner.on(http).ask(WHO)
        await mine.record()

    assert await last_used(factory, partner) == begin


async def test_a_use_that_cannot_be_recorded_is_recorded_later(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)
    mine = keys(api.services)
    async with elsewhere(settings, api, "::1", keys=mine) as http:
        await partner.on(http).ask(WHO)
    async with open_database(settings, "record away") as away:
        pass

    here, mine._database = mine._database, away
    await mine.record()
    mine._database = here
    before = await last_used(factory, partner)
    await mine.record()

    assert before is None
    assert await last_used(factory, partner) is not None


# What is told of it


async def test_no_log_has_a_secret(
    factory: Factory, settings: Settings, api: Api, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "stats:read")
    async with open_database(settings, "logs away") as away:
        pass
    mine = Keys(away, api.services.limiter, api.services.clock)

    with capture_logs() as logs:
        await partner.on(http).ask(WHO)
        await partner.on(http).errors("{ deadJobs { nodes { id } } }")
        await change(tenant.owner, http, UPDATE, apiKeyId=partner.gid, name="Other")
        async with elsewhere(settings, api, "::1", keys=mine) as without:
            await partner.on(without).post(WHO)

    assert [entry["event"] for entry in logs] == ["store unavailable"]
    assert partner.token[16:] not in str(logs)
