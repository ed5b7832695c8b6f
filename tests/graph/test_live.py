"""Feedback events: each once and in order, resumed by cursor, filtered."""

import asyncio

import pytest

from app.metrics.api import of_live
from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import events
from graph.live.cursor import Cursor
from graph.seats import Seats
from tests.app.test_metrics import values
from tests.factories import NEGATIVE, POSITIVE, Factory
from tests.graph.watching import EVENTS, World


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


async def test_what_is_deleted_is_told_by_what_is_left_of_it(
    world: World, factory: Factory
) -> None:
    everything = """
        subscription($workspace: ID!, $filter: FeedbackFilter, $after: String) {
          feedbackEvents(workspaceId: $workspace, filter: $filter, after: $after) {
            ... on FeedbackEvent {
              type
              feedback {
                id externalId body rating language metadata occurredAt receivedAt
                author { name } sentiment { label } source { name lastReceivedAt } tags { name } attachments { id }
              }
            }
          }
        }
    """
    tag = await factory.tag(world.tenant, "billing")
    id_ = await world.submit("Too dear.", rating=2)
    await world.tag(id_, tag)
    for wanted in ({"search": "dear"}, {"tagIds": [tag]}):
        await world.socket.subscribe(
            everything, workspace=world.tenant.gid, filter=wanted, after=world.start
        )
    before = [(await world.socket.data())["type"] for _ in range(3)]

    await world.delete(id_)
    told = [await world.socket.data() for _ in range(2)]

    feedback = told[0]["feedback"]
    assert sorted(before) == ["ADDED", "UPDATED", "UPDATED"]
    assert told[0] == told[1]
    assert told[0]["type"] == "DELETED"
    assert (feedback["id"], feedback["body"], feedback["rating"]) == (id_, "", 2)
    assert feedback["source"]["name"] == "API"
    assert [feedback[name] for name in ("author", "sentiment", "metadata")] == [None] * 3
    assert feedback["tags"] == feedback["attachments"] == []
    assert feedback["occurredAt"][:16] == feedback["receivedAt"][:16]
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


SNAPSHOT = """
    query($slug: String!) {
      workspace(slug: $slug) { feedback { nodes { body } } feedbackCursor }
    }
"""


async def test_a_stream_goes_on_where_a_snapshot_ends(world: World) -> None:
    await world.submit("before")
    await world.subscribe()
    await world.next()
    snapshot = (await world.owner.ask(SNAPSHOT, slug=world.tenant.slug))["workspace"]
    await world.submit("after")
    await world.subscribe(after=snapshot["feedbackCursor"])
    # To both subscriptions.
    heard = [await world.next() for _ in range(2)]

    assert [node["body"] for node in snapshot["feedback"]["nodes"]] == ["before"]
    assert heard == [("ADDED", "after")] * 2


async def test_nothing_falls_between_a_snapshot_and_its_stream(world: World) -> None:
    bodies = [f"number {number}" for number in range(60)]

    async def write() -> None:
        for body in bodies:
            await world.submit(body)

    writing = asyncio.ensure_future(write())
    known: set[str] = set()
    snapshots = []
    while len(known) < len(bodies):
        snapshot = (await world.owner.ask(PAGE, slug=world.tenant.slug))["workspace"]
        known = {node["body"] for node in snapshot["feedback"]["nodes"]}
        snapshots.append((known, snapshot["feedbackCursor"]))
    await writing
    await world.subscribe()
    events = [await world.socket.data() for _ in bodies]

    for seen, cursor in snapshots:
        offset = Cursor.parse(cursor).offset
        missed = {
            event["feedback"]["body"]
            for event in events
            if Cursor.parse(event["cursor"]).offset > offset
        }
        assert seen | missed == set(bodies)


PAGE = SNAPSHOT.replace("feedback {", "feedback(first: 100) {")


async def test_live_subscribers_and_what_they_get_are_counted(world: World, api: Api) -> None:
    collect = of_live(api.services.hub, Seats(most=1, most_per_caller=1))
    before = values(collect)

    await world.subscribe()
    await world.subscribe()
    await world.submit()
    for _ in range(2):
        await world.next()
    after = values(collect)

    assert {name: after[name] - before[name] for name in after} == {
        "earful_live_executed_total": 1,
        "earful_live_delivered_total": 2,
        "earful_live_gaps_total": 0,
        "earful_live_groups": 1,
        "earful_live_subscribers": 2,
        "earful_live_dropped_total": 0,
        "earful_live_behind": 0,
        "earful_live_lag_events": 0,
        "earful_live_connections": 0,
    }
