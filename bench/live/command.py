"""`python -m bench live`: start everything, compare what is delivered, time, print."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from app.embedded import EmbeddedError
from bench import node, processes, stores
from bench.answers import DifferentAnswersError
from bench.live import events, measure, report, resolver, servers
from bench.live.measure import MODES, Sample
from bench.live.report import Result
from bench.live.servers import PEERS, Peer, Place, Server, UnfitError
from bench.node import NodeError
from bench.options import Names, add_common
from bench.report import goal_table, keep, noise
from bench.servers import ServerError

_COUNTS = (500, 2_000, 5_000)
# Files a server opens besides its sockets.
_SPARE = 1_000

Samples = dict[str, dict[str, list[Sample]]]


def main(arguments: Sequence[str]) -> None:
    """Run it; what goes wrong ends the process with a message."""
    try:
        _main(_options(arguments))
    except (
        DifferentAnswersError,
        EmbeddedError,
        NodeError,
        ServerError,
        UnfitError,
    ) as error:
        sys.exit(str(error))


def _main(options: argparse.Namespace) -> None:
    peers = [PEERS[name] for name in options.peers]
    if not processes.files(max(options.k) + _SPARE):
        raise ServerError(f"May not open {max(options.k) + _SPARE} files; see `ulimit -n`")
    if options.only is None and any(peer.needs_node for peer in peers):
        node.install()
    results: dict[int, Result] = {}
    samples: dict[int, Samples] = {}
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-bench-")))
        filled = stack.enter_context(stores.filled(keep=options.keep))
        workspace, rows = asyncio.run(events.rows(filled.database_url))
        place = Place(filled, workspace, rows, logs, servers.build_floor(logs))
        if options.only == "resolver":
            resolver.run(options, place)
            return
        for count in options.k:
            results[count] = Result()
            samples[count] = _with(count, peers, place, options, results[count])
    floor = "uvloop" if len(place.floor) > 1 else "C"
    _print(options, samples, results, floor)
    if any("earful" in result.unfit for result in results.values()):
        raise ServerError("Earful could not hold its subscribers")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench live", description=__doc__)
    parser.add_argument("--peers", type=Names(PEERS), default=list(PEERS), help=", ".join(PEERS))
    parser.add_argument(
        "--k",
        type=lambda text: [int(part) for part in text.split(",")],
        default=list(_COUNTS),
        help="how many subscribers each server has, default 500,2000,5000",
    )
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument(
        "--events",
        type=int,
        default=40,
        help="of one server's turn, at most (a slow one's ends by the clock), default 40",
    )
    parser.add_argument(
        "--only",
        choices=["resolver"],
        help="resolver: what one of 10 ms costs Earful, and no peers",
    )
    add_common(parser)
    return parser.parse_args(arguments)


def _with(
    count: int, peers: Sequence[Peer], place: Place, options: argparse.Namespace, result: Result
) -> Samples:
    """All that is measured with so many subscribers, on servers started anew."""
    samples: Samples = {}
    with ExitStack() as stack:
        running: list[Server] = []
        for peer in peers:
            running.append(servers.start(peer, place))
            stack.callback(running[-1].end)
        behind = place.filled.stores
        serving = [*(server.child.pid for server in running), behind.postgres, behind.valkey]
        crowds = [server.crowd.pid for server in running]
        if not processes.apart(serving, crowds, first=options.first):
            print("One core only: servers, stores and clients share it")
        holding = [server for server in running if _holds(server, count, place, options, result)]
        for mode, burst in MODES.items() if holding else ():
            samples[mode] = measure.rounds(
                holding,
                place,
                burst=burst,
                count=options.rounds,
                events_a_turn=options.events,
            )
            result.medians[mode] = {
                name: measure.median(of_peer) for name, of_peer in samples[mode].items()
            }
            print(f"{count:,} subscribers, {mode}: {options.rounds} rounds done", flush=True)
        for server in holding:
            memory = result.memory[server.peer.name]
            held = processes.memory(server.child.pid)
            memory.after = (held - memory.before) / count
    return samples


def _holds(
    server: Server, count: int, place: Place, options: argparse.Namespace, result: Result
) -> bool:
    """Subscribe, and warm up; a server that cannot is ended, and the reason kept."""
    name = server.peer.name
    try:
        memory = measure.fill(server, count, place)
        measure.warm(server, place, options.events)
    except UnfitError as error:
        why = " ".join(str(error).split())
        print(f"{server.peer.title} cannot hold {count:,} subscribers: {why}", flush=True)
        print(f"The end of its log:{server.child.last_lines()}", flush=True)
        result.unfit[name] = why
        server.end()
        return False
    result.memory[name] = memory
    print(f"{server.peer.title} holds {count:,} subscribers ({memory.seconds:.1f} s)", flush=True)
    return True


def _print(
    options: argparse.Namespace,
    samples: Mapping[int, Samples],
    results: Mapping[int, Result],
    floor: str,
) -> None:
    others = [
        each.others
        for of_modes in samples.values()
        for of_peers in of_modes.values()
        for of_peer in of_peers.values()
        for each in of_peer
    ]
    if not others:
        raise ServerError("No server could hold its subscribers")
    parts = [
        report.tables(results),
        goal_table(report.goals(results)),
        f"The send loop is {floor}. {noise(others, first=options.first)}",
    ]
    raw = {
        "options": vars(options),
        "floor": floor,
        "unfit": {count: result.unfit for count, result in results.items()},
        "memory": {
            count: {name: asdict(memory) for name, memory in result.memory.items()}
            for count, result in results.items()
        },
        "samples": {
            count: {
                mode: {name: [asdict(each) for each in of_peer] for name, of_peer in found.items()}
                for mode, found in of_modes.items()
            }
            for count, of_modes in samples.items()
        },
    }
    keep("live", "\n\n".join(parts), raw)
