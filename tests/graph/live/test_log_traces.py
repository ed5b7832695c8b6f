"""Events that belong to traces: executed and delivered as parts of these, and of no other."""

from graph.live.bus import Entry
from graph.live.cursor import Cursor
from graph.live.index import EVERYTHING, Reading
from graph.live.log import LogGroup
from persistence.bus import Entry as BusEntry
from telemetry import trace
from tests.graph.live.members import Taker, World, settled
from tests.telemetry.recording import parent_of, recording

SENT = f"00-{'a' * 32}-{'b' * 16}-01"
ANYTHING = Reading(bytes.decode, lambda _: ())


def group_of(world: World) -> LogGroup:
    """Its items are what the entries are."""

    async def execute(_: Entry, __: Cursor) -> bytes:
        return b"[1]"

    async def execute_gap(_: Cursor) -> bytes:
        return b"[0]"

    group = LogGroup(
        world.topic,
        EVERYTHING,
        execute,
        execute_gap,
        counters=world.counters,
        on_empty=lambda: None,
        describe=lambda error: repr(error).encode(),
    )
    world.topic.index.add(group, ANYTHING)
    return group


async def test_an_event_is_executed_and_pushed_within_its_own_trace() -> None:
    world = World()
    group = group_of(world)
    takers = [Taker() for _ in range(3)]
    with recording() as kept:
        # Whoever joins is in a trace too, which is over by then.
        with trace.span("subscribe"):
            for taker in takers:
                group.join(taker, None)
        payload = '{"number":1}'
        world.topic.append([BusEntry(1, payload.encode())])
        await settled()
        world.topic.append([BusEntry(2, trace.within(payload, SENT).encode())])
        await settled()

        joined, executed, pushed = kept.get_finished_spans()
    assert (joined.name, executed.name, pushed.name) == (
        "subscribe",
        "subscription event",
        "push to sockets",
    )
    assert parent_of(executed) == "b" * 16
    assert parent_of(pushed) == f"{executed.context.span_id:016x}"
    assert pushed.attributes == {"earful.members": 3}
    assert [taker.items for taker in takers] == [[[1], [1]]] * 3
