"""Sockets that ask for the same share one execution of each event, however they write it; others cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.main import Application
from app.resources import Api
from domain import feedback
from domain.events import Facets, FeedbackEvent
from graph.events import FEEDBACK, passing
from graph.live.hub import Hub
from graph.live.index import Filter, Index
from persistence.bus import Entry
from tests.factories import NEGATIVE, POSITIVE, Factory, Person
from tests.graph.watching import EVENTS, FROM, JOB, SECONDS, STATS, Socket, World, connected

SHARED = 'subscription { feedbackEvents(workspaceId: "%s") { ... on FeedbackEvent { type } } }'
# The same as that, as other clients write it.
WAYS: list[Callable[[str, str], tuple[str, dict[str, Any]]]] = [
    lambda gid, _: (SHARED % gid, {}),
    lambda gid, _: ((SHARED % gid).replace(" {", "\n\t,{ # a remark\n"), {}),
    lambda gid, _: ((SHARED % gid).replace("subscription", "subscription Named"), {}),
    lambda gid, start: ((SHARED % gid).replace('")', f'", after: "{start}")'), {}),
    lambda gid, start: (
        (SHARED % gid)
        .replace("subscription", "subscription Other($from: String)")
        .replace('")', '", after: $from)'),
        {"from": start},
    ),
    lambda gid, _: (
        (SHARED % gid)
        .replace("subscription", "subscription($since: String = null)")
        .replace('")', '", after: $since)'),
        {},
    ),
]


@pytest.fixture
def hub(api: Api) -> Hub:
    return api.services.hub


@asynccontextmanager
async def watching(application: Application, *people: Person) -> AsyncIterator[list[Socket]]:
    """A socket for each of them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected(application, who)) for who in people]


@asynccontextmanager
async def groups(hub: Hub, count: int, members: int) -> AsyncIterator[None]:
    """So many more groups and members begin inside; then they have begun."""
    wanted = hub.groups + count, hub.members + members
    yield
    async with asyncio.timeout(SECONDS):
        while (hub.groups, hub.members) != wanted:
            await asyncio.sleep(0.01)


async def test_however_it_is_written_the_same_is_executed_once(
    world: World, application: Application, hub: Hub
) -> None:
    people = [world.tenant.owner] * (2 * len(WAYS))
    async with watching(application, *people) as sockets:
        async with groups(hub, count=1, members=len(sockets)):
            for number, socket in enumerate(sockets):
                query, variables = WAYS[number % len(WAYS)](world.tenant.gid, world.start)
                payload = {"query": query, "variables": variables}
                await socket.say(id=f"id {number}", type="subscribe", payload=payload)
        executed, delivered = hub.counters.executed, hub.counters.delivered
        for _ in range(5):
            await world.submit()
        heard = [[await socket.hear() for _ in range(5)] for socket in sockets]

    data = {"data": {"feedbackEvents": {"type": "ADDED"}}}
    assert heard == [
        [{"id": f"id {number}", "type": "next", "payload": data}] * 5
        for number in range(len(sockets))
    ]
    assert hub.counters.executed - executed == 5
    assert hub.counters.delivered - delivered == 5 * len(sockets)


async def test_variables_that_differ_only_in_the_cursor_are_the_same(
    world: World, application: Application, hub: Hub
) -> None:
    await world.submit("before")
    async with watching(application, *[world.tenant.owner] * 3) as sockets:
        async with groups(hub, count=1, members=3):
            await sockets[0].subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
            cursor = (await sockets[0].data())["cursor"]
            await sockets[1].subscribe(EVENTS, workspace=world.tenant.gid, after=cursor)
            await sockets[2].subscribe(EVENTS, workspace=world.tenant.gid)
        executed = hub.counters.executed
        await world.submit("live")
        heard = [(await socket.data())["feedback"]["body"] for socket in sockets]

    assert heard == ["live"] * 3
    assert hub.counters.executed - executed == 1


async def test_who_comes_back_costs_no_execution_of_what_was_executed(
    world: World, application: Application, hub: Hub
) -> None:
    await world.subscribe()
    for number in range(10):
        await world.submit(str(number))
    bodies = [(await world.socket.data())["feedback"]["body"] for _ in range(10)]
    executed = hub.counters.executed

    async with watching(application, *[world.tenant.owner] * 5) as sockets:
        for socket in sockets:
            await world.subscribe(on=socket)
        heard = [
            [(await socket.data())["feedback"]["body"] for _ in range(10)] for socket in sockets
        ]

    assert heard == [bodies] * 5
    assert hub.counters.executed == executed


async def test_another_selection_filter_or_role_is_another_group(
    world: World, application: Application, factory: Factory, hub: Hub
) -> None:
    owner, gid = world.tenant.owner, world.tenant.gid
    viewers = [await factory.member(world.tenant, "VIEWER") for _ in range(2)]
    async with watching(application, owner, owner, owner, *viewers) as sockets:
        async with groups(hub, count=4, members=5):
            await sockets[0].subscribe(EVENTS, workspace=gid)
            await sockets[1].subscribe(EVENTS, workspace=gid, filter={"ratingGte": 0})
            await sockets[2].subscribe(EVENTS.replace("cursor type", "type"), workspace=gid)
            for socket in sockets[3:]:
                await socket.subscribe(EVENTS, workspace=gid)
        executed = hub.counters.executed
        await world.submit("rated", rating=0)
        heard = [(await socket.data())["feedback"]["body"] for socket in sockets]

    assert heard == ["rated"] * 5
    assert hub.counters.executed - executed == 4


async def test_the_last_who_leaves_takes_the_group_along(
    world: World, application: Application, hub: Hub
) -> None:
    before = hub.groups, hub.members
    async with watching(application, *[world.tenant.owner] * 2) as sockets:
        async with groups(hub, count=1, members=2):
            for socket in sockets:
                await socket.subscribe(EVENTS, workspace=world.tenant.gid)
        sockets[0].wire.leave()
        one_left = hub.groups - before[0], hub.members - before[1]
        await sockets[1].say(id="0", type="complete")

        assert one_left == (1, 1)
        assert (hub.groups, hub.members) == before


async def test_an_event_costs_nothing_to_groups_whose_filter_it_does_not_pass(
    world: World, application: Application, factory: Factory, hub: Hub
) -> None:
    tag = await factory.tag(world.tenant, "wanted")
    filters: list[dict[str, Any]] = [
        {"tagIds": [tag]},
        {"sourceIds": [world.tenant.source_gid]},
        {"sentiments": ["NEGATIVE"]},
        {"ratingGte": 8},
        {"ratingLte": 1},
        {"occurredAfter": "2030-01-01T00:00:00Z"},
        {"occurredBefore": "2020-01-01T00:00:00Z"},
    ]
    async with watching(application, *[world.tenant.owner] * len(filters)) as sockets:
        async with groups(hub, count=len(filters), members=len(filters)):
            for socket, filter_ in zip(sockets, filters, strict=True):
                await socket.subscribe(EVENTS, workspace=world.tenant.gid, filter=filter_)
        await world.subscribe()
        executed = hub.counters.executed
        id_ = await world.submit("no", rating=5)
        await world.score(id_, POSITIVE)
        assert [await world.next() for _ in range(2)] == [("ADDED", "no"), ("SCORED", "no")]
        of_all = hub.counters.executed - executed

        await world.score(await world.submit("yes", rating=9), NEGATIVE)
        heard = [(await sockets[number].data())["type"] for number in (2, 3, 3)]
        assert [await world.next() for _ in range(2)] == [("ADDED", "yes"), ("SCORED", "yes")]

    assert of_all == 2
    assert heard == ["SCORED", "ADDED", "SCORED"]
    # Two for who wants all, one for NEGATIVE, two for the rating.
    assert hub.counters.executed - executed == 2 + 5


async def test_words_are_looked_for_once_for_all_who_look_for_them(
    world: World, application: Application, hub: Hub
) -> None:
    async with watching(application, *[world.tenant.owner] * 4) as sockets:
        async with groups(hub, count=1, members=4):
            for socket in sockets:
                await socket.subscribe(
                    EVENTS, workspace=world.tenant.gid, filter={"search": "refund"}
                )
        executed = hub.counters.executed
        for body in ("All is well.", "A refund, please!"):
            await world.submit(body)
        heard = [(await socket.data())["feedback"]["body"] for socket in sockets]

    assert heard == ["A refund, please!"] * 4
    assert hub.counters.executed - executed == 2


# The index


class Watcher:
    """Somebody with a filter, who counts how often it is asked."""

    def __init__(self, where: feedback.Filter) -> None:
        given = passing(where)
        self._passes = given.passes
        self.asked = 0
        self.filter = Filter(given.terms, self.passes)

    def passes(self, event: FeedbackEvent) -> bool:
        self.asked += 1
        return self._passes(event)

    def on_entry(self, entry: Any) -> None: ...
    def wake(self) -> None: ...
    def on_lost(self) -> None: ...


def test_only_groups_that_want_one_of_an_events_terms_are_asked() -> None:
    tags = [UUID(int=n) for n in range(100)]
    sources = [UUID(int=1_000 + n) for n in range(100)]
    watchers = {
        **{f"tag {n}": Watcher(feedback.Filter(tag_ids=(tags[n],))) for n in range(100)},
        **{f"source {n}": Watcher(feedback.Filter(source_ids=(sources[n],))) for n in range(100)},
        **{
            label: Watcher(feedback.Filter(sentiments=(label,)))
            for label in ("NEGATIVE", "NEUTRAL", "POSITIVE")
        },
        **{f"rating {n}": Watcher(feedback.Filter(rating_gte=n, rating_lte=n)) for n in range(11)},
        "bad and tagged": Watcher(feedback.Filter(tag_ids=(tags[3],), sentiments=("NEGATIVE",))),
        "bad or worse": Watcher(feedback.Filter(rating_lte=3)),
    }
    index = Index()
    for watcher in watchers.values():
        index.add(watcher, FEEDBACK)
    event = FeedbackEvent(
        "SCORED",
        UUID(int=7),
        Facets(sources[5], 3, "POSITIVE", datetime(2026, 1, 1, tzinfo=UTC), (tags[3], tags[4])),
    )

    found = list(index.watching(Entry(1, event.to_json().encode())))

    names = {id(watcher): name for name, watcher in watchers.items()}
    wanted = {"tag 3", "tag 4", "source 5", "POSITIVE", "rating 3", "bad or worse"}
    assert sorted(names[id(watcher)] for watcher in found) == sorted(wanted)
    asked = {name: watcher.asked for name, watcher in watchers.items() if watcher.asked}
    assert asked == dict.fromkeys(wanted | {"bad and tagged"}, 1)


# States


async def test_a_state_is_computed_once_for_all_and_at_most_four_times_a_second(
    world: World, application: Application, hub: Hub
) -> None:
    given = {"workspace": world.tenant.gid, "from": FROM}
    async with watching(application, *[world.tenant.owner] * 8) as sockets:
        for socket in sockets:
            await socket.subscribe(STATS, **given)
        for socket in sockets:
            assert (await socket.data())["total"] == 0
        executed, loop = hub.counters.executed, asyncio.get_running_loop()
        began = loop.time()
        for number in range(50):
            await world.submit(str(number))
        heard: list[list[int]] = []
        for socket in sockets:
            totals = [0]
            while totals[-1] < 50:
                totals.append((await socket.data())["total"])
            heard.append(totals[1:])
        seconds = loop.time() - began

    # As many as there are quarters of a second, the one that had begun and the one that has.
    most = int(seconds / 0.25) + 2
    assert hub.counters.executed - executed <= most < 50
    assert heard == [heard[0]] * 8
    assert heard[0] == sorted(set(heard[0]))


async def test_all_who_follow_a_job_are_told_how_it_ended(
    world: World, factory: Factory, application: Application, hub: Hub
) -> None:
    job = await factory.job(world.tenant)
    await factory.job_changed(world.tenant, job, "RUNNING")
    async with watching(application, *[world.tenant.owner] * 3) as sockets:
        async with groups(hub, count=1, members=3):
            for socket in sockets:
                await socket.subscribe(JOB, job=job)
        for socket in sockets:
            assert (await socket.data())["status"] == "RUNNING"
        executed = hub.counters.executed
        await factory.job_changed(world.tenant, job, "SUCCEEDED")
        for socket in sockets:
            assert (await socket.data())["status"] == "SUCCEEDED"
            assert await socket.hear() == {"id": "0", "type": "complete"}

    assert hub.counters.executed - executed == 1


async def test_who_takes_nothing_when_a_job_ends_is_told_too(
    world: World, factory: Factory, application: Application
) -> None:
    job = await factory.job(world.tenant)
    await factory.job_changed(world.tenant, job, "RUNNING")
    async with connected(application, world.tenant.owner) as slow:
        slow.wire.fill()
        for socket in (slow, world.socket):
            await socket.subscribe(JOB, job=job)
            assert (await socket.data())["status"] == "RUNNING"
        await factory.job_changed(world.tenant, job, "SUCCEEDED")
        assert (await world.socket.data())["status"] == "SUCCEEDED"
        assert await world.socket.hear() == {"id": "0", "type": "complete"}
        slow.wire.drain()

        assert (await slow.data())["status"] == "SUCCEEDED"
        assert await slow.hear() == {"id": "0", "type": "complete"}
