"""The response cache: shared by those with the same rights, and true whatever is changed meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
import redis.asyncio

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import events
from domain.scopes import Scope
from graph.caching import LONGEST, Cache, longest
from graph.documents import Documents
from graph.engine import Engine
from graph.schema import schema
from persistence.answers import LARGEST, Answers
from persistence.bus import Bus
from persistence.database import Database
from tests.applications import client
from tests.callers import Caller
from tests.factories import Factory, Tenant

TOTAL = """query($slug: String!) { workspace(slug: $slug) { viewerRole
    stats(from: "2000-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z", interval: MONTH) { totals { total } } } }"""
SUBMIT = """mutation($input: SubmitFeedbackInput!) {
    submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } } }"""
REMOVE = "mutation($id: ID!) { removeMember(input: {memberId: $id}) { __typename } }"
INSTANCE = events.topic(events.INSTANCE, events.INSTANCE_TOPIC)


@dataclass(frozen=True)
class Cached:
    """An application with a cache, and another that has the same."""

    cache: Cache
    bus: Bus
    http: httpx.AsyncClient

    async def total(self, caller: Caller, tenant: Tenant) -> int:
        answer = await caller.ask(TOTAL, slug=tenant.slug)
        count: int = answer["workspace"]["stats"]["totals"]["total"]
        return count

    @property
    def counted(self) -> tuple[int, int]:
        return self.cache.hits, self.cache.misses


@pytest.fixture
async def cached(settings: Settings, api: Api, database: Database) -> AsyncIterator[Cached]:
    async with open_redis(settings) as opened:
        cache = Cache(Answers(opened), api.bus, api.services.memberships)
        services = replace(api.services, cache=cache)
        async with client(settings, replace(api, services=services)) as http:
            yield Cached(cache, api.bus, http)


async def moved(bus: Bus, topic: str, offset: int) -> None:
    """Until what has happened is in the topic."""
    async with asyncio.timeout(20):
        while (await bus.head(topic)).offset == offset:
            await asyncio.sleep(0.02)


async def test_who_has_the_same_rights_is_given_the_same_answer(
    cached: Cached, factory: Factory
) -> None:
    tenant = await factory.tenant()
    await factory.feedback(tenant)
    first, second = [(await factory.member(tenant, "VIEWER")).on(cached.http) for _ in range(2)]

    answers = [await caller.post(TOTAL, slug=tenant.slug) for caller in (first, first, second)]
    # Where somebody is what they are is looked up before what is kept is found.
    again = await second.post(TOTAL, slug=tenant.slug)

    assert cached.counted == (2, 2)
    assert answers[0].json()["data"]["workspace"]["stats"]["totals"]["total"] == 1
    assert [each.content for each in (*answers[1:], again)] == [answers[0].content] * 3


async def test_other_rights_and_other_variables_have_answers_of_their_own(
    cached: Cached, factory: Factory
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    viewer = (await factory.member(tenant, "VIEWER")).on(cached.http)
    owner = tenant.owner.on(cached.http)

    roles = [
        (await caller.ask(TOTAL, slug=tenant.slug))["workspace"]["viewerRole"]
        for caller in (viewer, owner, viewer, owner)
    ]
    strange = await owner.ask(TOTAL, slug=other.slug)

    assert roles == ["VIEWER", "OWNER", "VIEWER", "OWNER"]
    assert strange == {"workspace": None}
    assert cached.counted == (2, 3)


async def test_the_next_event_ends_an_answer(
    cached: Cached, factory: Factory, relay: object
) -> None:
    tenant = await factory.tenant()
    viewer = (await factory.member(tenant, "VIEWER")).on(cached.http)
    topic = events.topic(tenant.id, events.FEEDBACK_TOPIC)
    before = [await cached.total(viewer, tenant) for _ in range(2)]
    stood = (await cached.bus.head(topic)).offset

    await tenant.owner.on(cached.http).ask(
        SUBMIT, input={"workspaceId": tenant.gid, "body": "More."}
    )
    await moved(cached.bus, topic, stood)

    assert before == [0, 0]
    assert await cached.total(viewer, tenant) == 1


async def test_who_has_changed_something_sees_it_at_once(
    cached: Cached, factory: Factory, kept_outbox: None
) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(cached.http)
    before = [await cached.total(owner, tenant) for _ in range(2)]

    await owner.ask(SUBMIT, input={"workspaceId": tenant.gid, "body": "More."})

    assert before == [0, 0]
    assert [await cached.total(owner, tenant) for _ in range(2)] == [1, 1]
    assert cached.counted == (1, 1)


async def test_who_is_no_member_any_more_is_told_nothing(
    cached: Cached, factory: Factory, relay: object
) -> None:
    tenant = await factory.tenant()
    person = await factory.member(tenant, "VIEWER")
    member = await factory.membership(tenant, person)
    before = [await cached.total(person.on(cached.http), tenant) for _ in range(2)]
    stood = (await cached.bus.head(INSTANCE)).offset

    await tenant.owner.on(cached.http).ask(REMOVE, id=member)
    await moved(cached.bus, INSTANCE, stood)

    assert before == [0, 0]
    assert await person.on(cached.http).ask(TOTAL, slug=tenant.slug) == {"workspace": None}


async def test_keys_share_with_keys_of_the_same_scopes_alone(
    cached: Cached, factory: Factory
) -> None:
    tenant = await factory.tenant()
    able = [await factory.api_key(tenant, Scope.STATS_READ) for _ in range(2)]
    unable = await factory.api_key(tenant, Scope.FEEDBACK_READ)

    totals = [await cached.total(key.on(cached.http), tenant) for key in (*able, *able)]
    (refused,) = await unable.on(cached.http).errors(TOTAL, slug=tenant.slug)

    assert totals == [0, 0, 0, 0]
    assert refused["extensions"]["code"] == "FORBIDDEN"
    assert cached.counted == (2, 3)


async def test_while_redis_is_away_the_store_answers(
    settings: Settings, api: Api, factory: Factory
) -> None:
    tenant = await factory.tenant()
    away = redis.asyncio.Redis(port=1)
    cache = Cache(Answers(away), Bus(away, retained=1), api.services.memberships)
    services = replace(api.services, cache=cache)
    async with client(settings, replace(api, services=services)) as http:
        answer = await tenant.owner.on(http).ask(TOTAL, slug=tenant.slug)

    assert answer["workspace"]["stats"]["totals"]["total"] == 0
    assert (cache.hits, cache.misses) == (0, 0)


async def test_what_is_too_large_is_not_kept(settings: Settings) -> None:
    async with open_redis(settings) as opened:
        answers = Answers(opened)
        await answers.keep("large", b"x" * (LARGEST + 1), seconds=LONGEST)
        await answers.keep("small", b"x", seconds=LONGEST)

        assert await answers.find("large", "small") == [None, b"x"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ('workspace(slug: "a") { __typename id slug name viewerRole }', LONGEST),
        ('workspace(slug: "a") { tags { name } }', 0),
        ('workspace(slug: "a") { name ...F } } fragment F on Workspace { feedbackCursor', 0),
        ("viewer { user { id } }", 0),
        ("__schema { queryType { name } }", 0),
        ('workspace(slug: "a") { name } viewer { user { id } }', 0),
    ],
)
def test_only_what_is_declared_throughout_is_kept(selection: str, expected: int) -> None:
    core = schema._schema
    document = Documents(Engine(core)).by_text(f"{{ {selection} }}")

    assert longest(core, document.node) == document.longest == expected
