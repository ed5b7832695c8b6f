"""What a resolver of 10 ms costs under thousands of subscribers: 10 ms an event, and not for each of them."""

import argparse
from dataclasses import asdict, replace

from bench import processes
from bench.live import measure, servers
from bench.live.measure import Sample
from bench.live.servers import PEERS, Place
from bench.live.slow import WAIT
from bench.report import goal, goal_table, keep, noise

_QUICK = PEERS["earful"]
_SLOW = replace(
    _QUICK,
    title="Earful, a resolver of 10 ms",
    command=(*_QUICK.command[:2], "bench.live.slow", "api"),
)
# An event may take as much longer as this, for the timer and for what else runs meanwhile.
_TIMES = 2
_HEAD = """\
| subscribers | p50 and p99 of a receipt [ms] | with the resolver of 10 ms | more CPU an event [ms] |
|---:|---:|---:|---:|"""


def run(options: argparse.Namespace, place: Place) -> None:
    """Time one after the other, for both hear the same events; print and keep the table."""
    samples: dict[int, dict[str, list[Sample]]] = {}
    for count in options.k:
        samples[count] = {
            peer.title: _turns(peer, count, options, place) for peer in (_QUICK, _SLOW)
        }
    medians = {
        count: [measure.median(found) for found in of_peers.values()]
        for count, of_peers in samples.items()
    }
    lines = [_line(count, quick, slow) for count, (quick, slow) in medians.items()]
    goals = [_goal(count, quick, slow) for count, (quick, slow) in medians.items()]
    others = [
        sample.others
        for of_peers in samples.values()
        for found in of_peers.values()
        for sample in found
    ]
    text = "\n".join((_HEAD, *lines))
    raw = {
        "options": vars(options),
        "samples": {
            count: {name: [asdict(each) for each in found] for name, found in of_peers.items()}
            for count, of_peers in samples.items()
        },
    }
    parts = (text, goal_table(goals), noise(others, first=options.first))
    keep("live-resolver", "\n\n".join(parts), raw)


def _turns(
    peer: servers.Peer, count: int, options: argparse.Namespace, place: Place
) -> list[Sample]:
    server = servers.start(peer, place)
    try:
        stores = place.filled.stores
        serving = [server.child.pid, stores.postgres, stores.valkey]
        processes.apart(serving, [server.crowd.pid], first=options.first)
        measure.fill(server, count, place)
        measure.warm(server, place, options.events)
        return [measure.turn(server, place, 1, options.events) for _ in range(options.rounds)]
    finally:
        server.end()


def _line(count: int, quick: Sample, slow: Sample) -> str:
    more = (slow.server - quick.server) * count * 1e3
    return (
        f"| {count:,} | {quick.p50 * 1e3:,.1f}, {quick.p99 * 1e3:,.1f} "
        f"| {slow.p50 * 1e3:,.1f}, {slow.p99 * 1e3:,.1f} | {more:,.1f} |"
    )


def _goal(count: int, quick: Sample, slow: Sample) -> str:
    longer = slow.p50 - quick.p50
    text = f"{count:,}: a resolver of 10 ms costs an event 10 ms"
    return goal(text, longer <= WAIT * _TIMES, f"{longer * 1e3:.1f} ms")
