"""Subscriptions: every event once and in order, resumed by cursor, and only for those who may see it."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from app.main import Application
from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import events, feedback, ids
from domain.events import JobUpdated
from domain.ids import Kind
from graph.live.cursor import Cursor
from jobs.relay import Relay
from persistence import job as job_store
from persistence.database import Database
from tests.callers import Caller
from tests.factories import NEGATIVE, POSITIVE, Factory, Person, Tenant

SECONDS = 5
SUBMIT = """
    mutation($input: SubmitFeedbackInput!) {
      submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } }
    }
"""
SET_TAGS = """
    mutation($feedback: ID!, $tags: [ID!]!) {
      setFeedbackTags(input: {feedbackId: $feedback, tagIds: $tags}) {
        ... on SetFeedbackTagsSuccess { feedback { id } }
      }
    }
"""
EVENTS = """
    subscription($workspace: ID!, $filter: FeedbackFilter, $after: String) {
      feedbackEvents(workspaceId: $workspace, filter: $filter, after: $after) {
        __typename
        ... on FeedbackEvent {
          cursor type
          feedback { id body sentiment { label } tags { name } }
        }
        ... on StreamGap { cursor }
      }
    }
"""
STATS = """
    subscription($workspace: ID!, $from: DateTime!, $filter: FeedbackFilter) {
      statsChanged(workspaceId: $workspace, from: $from, filter: $filter) {
        total negative neutral positive unscored averageScore averageRating
      }
    }
"""
JOB = "subscription($job: ID!) { jobUpdated(jobId: $job) { id status progress attempts } }"


@dataclass(slots=True)
class Socket:
    """A graphql-transport-ws client that speaks ASGI to the application, without a network."""

    application: Application
    sent: "asyncio.Queue[MutableMapping[str, Any]]" = field(default_factory=asyncio.Queue)
    heard: "asyncio.Queue[MutableMapping[str, Any]]" = field(default_factory=asyncio.Queue)
    ids: "count[int]" = field(default_factory=count)

    async def serve(self) -> None:
        scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [],
            "subprotocols": ["graphql-transport-ws"],
            "client": ("127.0.0.1", 1),
        }
        await self.application(scope, self.sent.get, self.heard.put)

    async def say(self, **message: Any) -> None:
        await self.sent.put({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def hear(self) -> Any:
        event = await asyncio.wait_for(self.heard.get(), SECONDS)
        return orjson.loads(event["text"])

    async def subscribe(self, query: str, **variables: Any) -> None:
        await self.say(
            id=str(next(self.ids)),
            type="subscribe",
            payload={"query": query, "variables": variables},
        )

    async def data(self) -> Any:
        """The only field of the next answer."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        return value

    async def error(self) -> tuple[str, str]:
        """Code and message of the refusal that comes."""
        message = await self.hear()
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return error["extensions"]["code"], error["message"]

    async def silent(self) -> bool:
        """Whether nothing comes for a while."""
        await asyncio.wait({waiting := asyncio.ensure_future(self.heard.get())}, timeout=0.4)
        return waiting.cancel()


@asynccontextmanager
async def connected(application: Application, person: Person | None) -> AsyncIterator[Socket]:
    socket = Socket(application)
    task = asyncio.ensure_future(socket.serve())
    await socket.sent.put({"type": "websocket.connect"})
    assert (await socket.heard.get())["type"] == "websocket.accept"
    payload = {} if person is None else {"authorization": f"Bearer {person.token}"}
    await socket.say(type="connection_init", payload=payload)
    assert await socket.hear() == {"type": "connection_ack"}
    yield socket
    await socket.sent.put({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(task, SECONDS)


@dataclass(frozen=True, slots=True)
class World:
    """A workspace, its owner's HTTP and socket, and a live stream's earliest cursor."""

    tenant: Tenant
    owner: Caller
    socket: Socket
    database: Database
    start: str

    async def submit(self, body: str = "It works.", **given: Any) -> str:
        answer = await self.owner.ask(
            SUBMIT, input={"workspaceId": self.tenant.gid, "body": body} | given
        )
        return str(answer["submitFeedback"]["feedback"]["id"])

    async def score(self, feedback_id: str, score: Any) -> None:
        id_ = ids.read(Kind.FEEDBACK, feedback_id)
        assert id_ is not None
        async with self.database.transaction() as uow:
            await feedback.record_scores(uow, self.tenant.id, [(id_, score)], "test-model-1")

    async def tag(self, feedback_id: str, *tags: str) -> None:
        await self.owner.ask(SET_TAGS, feedback=feedback_id, tags=list(tags))

    async def subscribe(self, *, after: str | None = None, filter: Any = None) -> None:
        """From the beginning, unless another cursor is given: so that nothing depends on haste."""
        await self.socket.subscribe(
            EVENTS, workspace=self.tenant.gid, after=after or self.start, filter=filter
        )

    async def next(self) -> tuple[str, str]:
        """Type and body of the next event."""
        item = await self.socket.data()
        assert item["__typename"] == "FeedbackEvent"
        return item["type"], item["feedback"]["body"]


@pytest.fixture
async def world(
    factory: Factory,
    application: Application,
    http: httpx.AsyncClient,
    database: Database,
    api: Api,
    relay: Relay,
) -> AsyncIterator[World]:
    tenant = await factory.tenant()
    head = await api.bus.head(events.topic(tenant.id, events.FEEDBACK_TOPIC))
    async with connected(application, tenant.owner) as socket:
        yield World(
            tenant, tenant.owner.on(http), socket, database, str(Cursor(head.epoch, head.offset))
        )


async def test_added_updated_and_scored_come_once_and_in_order(
    world: World, factory: Factory
) -> None:
    await world.subscribe()
    tag = await factory.tag(world.tenant, "billing")

    id_ = await world.submit("Too dear.")
    await world.tag(id_, tag)
    await world.score(id_, NEGATIVE)
    items = [await world.socket.data() for _ in range(3)]

    assert [item["type"] for item in items] == ["ADDED", "UPDATED", "SCORED"]
    assert {item["feedback"]["id"] for item in items} == {id_}
    assert items[2]["feedback"] == {
        "id": id_,
        "body": "Too dear.",
        "sentiment": {"label": "NEGATIVE"},
        "tags": [{"name": "billing"}],
    }
    assert len({item["cursor"] for item in items}) == 3
    assert await world.socket.silent()


async def test_what_changes_nothing_is_no_event(world: World, factory: Factory) -> None:
    tag = await factory.tag(world.tenant, "billing")
    await world.subscribe()

    id_ = await world.submit("Once.", externalId="t-1")
    await world.submit("Twice.", externalId="t-1")
    await world.tag(id_)
    await world.tag(id_, tag)
    await world.tag(id_, tag)
    await world.score(id_, POSITIVE)
    await world.score(id_, NEGATIVE)

    kinds = [(await world.socket.data())["type"] for _ in range(3)]
    assert kinds == ["ADDED", "UPDATED", "SCORED"]
    assert await world.socket.silent()


async def test_many_events_come_once_and_in_order(world: World) -> None:
    await world.subscribe()

    for number in range(60):
        await world.submit(str(number))

    assert [await world.next() for _ in range(60)] == [("ADDED", str(n)) for n in range(60)]


async def test_after_a_cursor_there_is_no_gap_and_no_repeat(world: World) -> None:
    await world.subscribe()
    for number in range(5):
        await world.submit(str(number))
    cursors = [(await world.socket.data())["cursor"] for _ in range(5)]

    await world.subscribe(after=cursors[1])
    replayed = [await world.next() for _ in range(3)]
    await world.submit("live")
    both = [await world.next() for _ in range(2)]

    assert replayed == [("ADDED", "2"), ("ADDED", "3"), ("ADDED", "4")]
    assert both == [("ADDED", "live")] * 2
    assert await world.socket.silent()


async def test_after_the_newest_cursor_comes_only_what_is_new(world: World) -> None:
    await world.subscribe()
    await world.submit("old")
    cursor = (await world.socket.data())["cursor"]
    await world.socket.say(id="0", type="complete")

    await world.subscribe(after=cursor)
    await world.submit("new")

    assert await world.next() == ("ADDED", "new")


@pytest.mark.parametrize("after", ["", "x", "not a cursor", "ä", "YWJj", "\x00"])
async def test_a_bad_cursor_is_refused(world: World, after: str) -> None:
    await world.socket.subscribe(EVENTS, workspace=world.tenant.gid, after=after)

    assert await world.socket.error() == (
        "INVALID_INPUT",
        "`after` must be a cursor of an earlier event.",
    )


async def test_a_cursor_of_another_life_meets_a_gap_and_goes_on(world: World) -> None:
    await world.subscribe()
    await world.submit("missed")
    cursor = (await world.socket.data())["cursor"]
    await world.socket.say(id="0", type="complete")

    await world.subscribe(after=str(Cursor("0badcafe", 1)))
    gap = await world.socket.data()
    await world.submit("live")

    assert gap == {"__typename": "StreamGap", "cursor": cursor}
    assert await world.next() == ("ADDED", "live")


async def test_what_is_no_longer_kept_is_said(world: World, settings: Settings) -> None:
    await world.subscribe()
    for number in range(4):
        await world.submit(str(number))
    cursors = [(await world.socket.data())["cursor"] for _ in range(4)]
    await world.socket.say(id="0", type="complete")
    topic = events.topic(world.tenant.id, events.FEEDBACK_TOPIC)
    async with open_redis(settings) as redis:
        await redis.xtrim(f"earful:{{{topic}}}:stream", maxlen=1, approximate=False)

    await world.subscribe(after=cursors[0])
    gap = await world.socket.data()
    await world.submit("live")

    assert gap == {"__typename": "StreamGap", "cursor": cursors[3]}
    assert await world.next() == ("ADDED", "live")


async def test_a_source_filter(world: World) -> None:
    await world.subscribe(filter={"sourceIds": [world.tenant.source_gid]})

    await world.submit("api")
    await world.submit("hook", sourceId=world.tenant.source_gid)

    assert await world.next() == ("ADDED", "hook")
    assert await world.socket.silent()


async def test_a_sentiment_filter(world: World) -> None:
    await world.subscribe(filter={"sentiments": ["NEGATIVE"]})

    good, bad = await world.submit("good"), await world.submit("bad")
    await world.score(good, POSITIVE)
    await world.score(bad, NEGATIVE)

    assert await world.next() == ("SCORED", "bad")
    assert await world.socket.silent()


async def test_a_rating_filter(world: World) -> None:
    await world.subscribe(filter={"ratingGte": 2, "ratingLte": 3})

    for rating in (1, 2, 3, 4, None):
        await world.submit(str(rating), rating=rating)

    assert [await world.next() for _ in range(2)] == [("ADDED", "2"), ("ADDED", "3")]
    assert await world.socket.silent()


async def test_a_time_filter_is_half_open(world: World) -> None:
    await world.subscribe(
        filter={"occurredAfter": "2026-02-01T00:00:00Z", "occurredBefore": "2026-03-01T00:00:00Z"}
    )

    for moment in ("01-31T23:59:59", "02-01T00:00:00", "02-28T23:59:59", "03-01T00:00:00"):
        await world.submit(moment, occurredAt=f"2026-{moment}Z")

    assert [await world.next() for _ in range(2)] == [
        ("ADDED", "02-01T00:00:00"),
        ("ADDED", "02-28T23:59:59"),
    ]
    assert await world.socket.silent()


async def test_a_tag_filter(world: World, factory: Factory) -> None:
    tag, other = await factory.tag(world.tenant, "a"), await factory.tag(world.tenant, "b")
    await world.subscribe(filter={"tagIds": [tag]})

    one, two = await world.submit("one"), await world.submit("two")
    await world.tag(one, other)
    await world.tag(two, tag, other)
    await world.score(two, POSITIVE)

    assert [await world.next() for _ in range(2)] == [("UPDATED", "two"), ("SCORED", "two")]
    assert await world.socket.silent()


async def test_a_search_filter(world: World) -> None:
    await world.subscribe(filter={"search": '"battery life" OR refund -angry'})

    for body in ("Great battery life!", "life of a battery", "Refund?", "angry refund"):
        await world.submit(body)

    assert [await world.next() for _ in range(2)] == [
        ("ADDED", "Great battery life!"),
        ("ADDED", "Refund?"),
    ]
    assert await world.socket.silent()


NOWHERE = ids.write(Kind.WORKSPACE, UUID(int=7))
FROM = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(("query", "variables"), [(EVENTS, {}), (STATS, {"from": FROM})])
async def test_a_stranger_finds_no_workspace(
    world: World,
    factory: Factory,
    application: Application,
    query: str,
    variables: dict[str, str],
) -> None:
    stranger = await factory.person()

    async with connected(application, stranger) as socket:
        await socket.subscribe(query, workspace=world.tenant.gid, **variables)
        refused = await socket.error()
        await socket.subscribe(query, workspace=NOWHERE, **variables)

        assert await socket.error() == refused == ("NOT_FOUND", "There is no such workspace.")


@pytest.mark.parametrize(
    ("query", "variables"), [(EVENTS, {}), (STATS, {"from": FROM}), (JOB, {"job": "job_1"})]
)
async def test_nobody_is_told_to_sign_in(
    world: World, application: Application, query: str, variables: dict[str, str]
) -> None:
    given = {"workspace": world.tenant.gid} | variables

    async with connected(application, None) as socket:
        await socket.subscribe(query, **given)

        assert await socket.error() == ("UNAUTHENTICATED", "Sign in first.")


async def test_a_viewer_may_follow(
    world: World, factory: Factory, application: Application
) -> None:
    viewer = await factory.member(world.tenant, "VIEWER")

    async with connected(application, viewer) as socket:
        await socket.subscribe(EVENTS, workspace=world.tenant.gid, after=world.start)
        await world.submit("seen")

        assert (await socket.data())["feedback"]["body"] == "seen"


async def test_events_of_another_workspace_do_not_come(
    world: World, factory: Factory, http: httpx.AsyncClient
) -> None:
    other = await factory.tenant()
    await world.subscribe()

    await other.owner.on(http).ask(SUBMIT, input={"workspaceId": other.gid, "body": "theirs"})
    await world.submit("ours")

    assert await world.next() == ("ADDED", "ours")
    assert await world.socket.silent()


async def test_stats_come_at_once_and_when_they_change(world: World) -> None:
    await world.socket.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
    empty = await world.socket.data()

    id_ = await world.submit("good", rating=8)
    added = await world.socket.data()
    await world.score(id_, POSITIVE)
    scored = await world.socket.data()

    assert empty == {
        "total": 0,
        "negative": 0,
        "neutral": 0,
        "positive": 0,
        "unscored": 0,
        "averageScore": None,
        "averageRating": None,
    }
    assert added == empty | {"total": 1, "unscored": 1, "averageRating": 8.0}
    assert scored == added | {"unscored": 0, "positive": 1, "averageScore": 0.8}
    assert await world.socket.silent()


async def test_stats_that_change_fast_come_together(world: World) -> None:
    await world.socket.subscribe(STATS, workspace=world.tenant.gid, **{"from": FROM})
    await world.socket.data()

    await asyncio.gather(*(world.submit(str(number)) for number in range(30)))
    totals = [0]
    while totals[-1] < 30:
        totals.append((await world.socket.data())["total"])

    assert totals == sorted(set(totals))
    assert len(totals) < 15


async def test_stats_of_a_filter_change_with_it_alone(world: World) -> None:
    await world.socket.subscribe(
        STATS, workspace=world.tenant.gid, filter={"ratingGte": 5}, **{"from": FROM}
    )
    assert (await world.socket.data())["total"] == 0

    await world.submit("bad", rating=1)
    await world.submit("good", rating=9)

    assert (await world.socket.data())["total"] == 1
    assert await world.socket.silent()


async def job(database: Database, tenant: Tenant) -> UUID:
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        row = await job_store.add(
            uow, workspace=tenant.id, kind="export", arguments="{}", created_by=tenant.owner.id
        )
    return row.id


async def test_a_job_is_followed_to_its_end(world: World) -> None:
    tenant, database = world.tenant, world.database
    other, id_ = await job(database, tenant), await job(database, tenant)
    gid = ids.write(Kind.JOB, id_)
    await world.socket.subscribe(JOB, job=gid)
    queued = await world.socket.data()

    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await job_store.start(uow, tenant.id, other)
        uow.emit(tenant.id, JobUpdated.kind, JobUpdated(other).to_json())
        await job_store.start(uow, tenant.id, id_)
        uow.emit(tenant.id, JobUpdated.kind, JobUpdated(id_).to_json())
    running = await world.socket.data()
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await job_store.finish(uow, tenant.id, id_, status="SUCCEEDED", progress=1.0)
        uow.emit(tenant.id, JobUpdated.kind, JobUpdated(id_).to_json())
    succeeded = await world.socket.data()

    assert queued == {"id": gid, "status": "QUEUED", "progress": None, "attempts": 0}
    assert running == queued | {"status": "RUNNING", "attempts": 1}
    assert succeeded == running | {"status": "SUCCEEDED", "progress": 1.0}
    assert await world.socket.hear() == {"id": "0", "type": "complete"}


async def test_a_job_that_has_ended_comes_once(world: World) -> None:
    id_ = await job(world.database, world.tenant)
    async with world.database.transaction() as uow:
        await uow.enter(world.tenant.id)
        await job_store.start(uow, world.tenant.id, id_)
        await job_store.finish(uow, world.tenant.id, id_, status="FAILED", error="No.")

    await world.socket.subscribe(JOB, job=ids.write(Kind.JOB, id_))

    assert (await world.socket.data())["status"] == "FAILED"
    assert await world.socket.hear() == {"id": "0", "type": "complete"}


async def test_an_unknown_job_is_not_found(
    world: World, factory: Factory, application: Application
) -> None:
    theirs = ids.write(Kind.JOB, await job(world.database, world.tenant))
    stranger = await factory.person()

    async with connected(application, stranger) as socket:
        await socket.subscribe(JOB, job=theirs)
        refused = await socket.error()
        await socket.subscribe(JOB, job=ids.write(Kind.JOB, UUID(int=7)))

        assert await socket.error() == refused == ("NOT_FOUND", "There is no such job.")
