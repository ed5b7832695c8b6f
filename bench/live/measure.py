"""Compares what subscribers get, fills each server with them, and times deliveries in interleaved rounds."""

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from bench import answers, processes
from bench.answers import DifferentAnswersError
from bench.live import events
from bench.live.servers import Place, Server, UnfitError
from bench.servers import ServerError

# How many events are published in one write, and pending at once.
MODES = {"paced": 1, "burst": 8}
_COMPARED = 8
_IGNORED = frozenset({"cursor"})
_FEW = 50
_REST = 1.0
_WARM_TURNS = 6
_SECONDS_TO_WARM = 10.0
_FLAT = 0.05
_SECONDS_TO_OPEN = 600
# Of one turn; a slow server delivers fewer events in it.
_SECONDS = 4.0
_SECONDS_A_TURN = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one server: CPU seconds a delivered message, messages a second, seconds from publish to receipt."""

    server: float
    postgres: float
    valkey: float
    client: float
    rate: float
    p50: float
    p99: float
    messages: int
    size: float  # bytes of a frame, its header included
    busy: float  # how much of their core the server and the stores used
    others: float  # how many cores the rest of the machine used


@dataclass(slots=True)
class Memory:
    """Bytes a connection, with PSS of the server's processes: while nothing happens, and after all turns."""

    before: int
    idle: float
    after: float = 0.0
    seconds: float = 0.0  # until every subscriber got events


def compare(server: Server, place: Place) -> None:
    """Some subscribers get what the rows say, under their ids; DifferentAnswersError shows where they do not."""
    got = server.crowd.do("watch", within=_SECONDS_A_TURN, count=_COMPARED)
    rows = {row.id: row for row in place.rows}
    wanted = [_comparable(rows[id_].delivered("a cursor")) for id_ in got["rows"]]
    for id_, texts in got["texts"].items():
        frames = [json.loads(text) for text in texts]
        if server.peer.graphql and any(frame["id"] != id_ for frame in frames):
            raise DifferentAnswersError(f"{server.peer.title}: another id than the subscriber's")
        found = [_comparable(frame["payload"]["data"][events.FIELD]) for frame in frames]
        if differences := list(answers.differences(wanted, found)):
            lines = "\n  ".join(differences[:10])
            raise DifferentAnswersError(
                f"{server.peer.title} does not deliver the rows:\n  {lines}"
            )


def _comparable(event: Any) -> Any:
    return answers.comparable(event, _IGNORED)


def fill(server: Server, count: int, place: Place) -> Memory:
    """Subscribe so many; UnfitError where the server cannot hold them.

    A few come and go first, so that what the first one costs is not counted.
    """
    server.crowd.do("open", within=_SECONDS_TO_OPEN, count=_FEW)
    compare(server, place)
    server.crowd.do("shut", within=_SECONDS_A_TURN)
    time.sleep(_REST)
    before = processes.memory(server.child.pid)
    took = server.crowd.do("open", within=_SECONDS_TO_OPEN, count=count)
    time.sleep(_REST)
    held = processes.memory(server.child.pid)
    return Memory(before, (held - before) / count, seconds=took["settled"])


def turn(server: Server, place: Place, burst: int, count: int) -> Sample:
    """Deliver so many events to all of a server's subscribers."""
    stores = place.filled.stores
    roots = (server.child.pid, stores.postgres, stores.valkey, server.crowd.pid)
    machine, began = processes.busy(), time.perf_counter()
    before = [processes.cpu(root) for root in roots]
    got = server.crowd.do(
        "turn", within=_SECONDS_A_TURN, count=count, burst=burst, seconds=_SECONDS
    )
    after = [processes.cpu(root) for root in roots]
    lasted = time.perf_counter() - began
    machine = processes.busy() - machine
    spent = [processes.spent(*pair) for pair in zip(before, after, strict=True)]
    messages = got["messages"]
    return Sample(
        server=spent[0] / messages,
        postgres=spent[1] / messages,
        valkey=spent[2] / messages,
        client=spent[3] / messages,
        rate=messages / got["seconds"],
        p50=got["p50"],
        p99=got["p99"],
        messages=messages,
        size=got["bytes"] / messages,
        busy=sum(spent[:3]) / got["seconds"],
        others=max(0.0, (machine - sum(spent)) / lasted),
    )


def warm(server: Server, place: Place, count: int) -> None:
    """Deliver in each mode until the CPU a message is flat; a slow server for some seconds."""
    patience = time.monotonic() + _SECONDS_TO_WARM
    for burst in MODES.values():
        before = 0.0
        for _ in range(_WARM_TURNS):
            if time.monotonic() > patience:
                return
            got = turn(server, place, burst, count)
            if abs(got.server - before) <= _FLAT * before:
                break
            before = got.server


def rounds(
    running: Sequence[Server], place: Place, *, burst: int, count: int, events_a_turn: int
) -> dict[str, list[Sample]]:
    """So many rounds, each of every server once, each round beginning with the next one."""
    samples: dict[str, list[Sample]] = {server.peer.name: [] for server in running}
    for number in range(count):
        start = number % len(running)
        for server in [*running[start:], *running[:start]]:
            try:
                got = turn(server, place, burst, events_a_turn)
            except UnfitError as error:
                raise ServerError(f"{server.peer.title}: {error}") from None
            samples[server.peer.name].append(got)
    return samples


def median(samples: Sequence[Sample]) -> Sample:
    """The median of each figure by itself."""
    return Sample(
        **{
            field.name: statistics.median(getattr(each, field.name) for each in samples)
            for field in fields(Sample)
        }
    )
