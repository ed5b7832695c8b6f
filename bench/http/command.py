"""`python -m bench http`: set everything up, compare the answers, time, print."""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from app.embedded import EmbeddedError
from bench import data, processes, stores
from bench.answers import DifferentAnswersError
from bench.http import measure, report, servers
from bench.http.client import WrongAnswerError
from bench.http.measure import Sample
from bench.http.servers import PEERS, Server
from bench.http.workloads import WORKLOADS, Known
from bench.node import NodeError
from bench.options import Names, add_common
from bench.report import goal_table, keep, noise
from bench.servers import ServerError, earful_environment, login
from bench.stores import Filled
from domain import ids
from domain.ids import Kind

_DEFAULT = ("W1", "W2", "W3", "W5", "W4")


@dataclass(frozen=True, slots=True)
class Place:
    """The stores, and what is in them."""

    filled: Filled
    known: Known
    inbox: UUID
    viewer: UUID


def main(arguments: Sequence[str]) -> None:
    """Run it; what goes wrong ends the process with a message."""
    try:
        _main(_options(arguments))
    except (
        DifferentAnswersError,
        EmbeddedError,
        NodeError,
        ServerError,
        WrongAnswerError,
    ) as error:
        sys.exit(str(error))


def _main(options: argparse.Namespace) -> None:
    peers = [PEERS[name] for name in options.peers]
    if any(peer.needs_node for peer in peers):
        servers.install_node()
    with ExitStack() as stack:
        place = asyncio.run(_place(stack.enter_context(stores.filled(keep=options.keep))))
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-bench-")))
        running = []
        for peer in peers:
            server = servers.start(peer, _environment(peer.name, place), logs, place.filled.guard)
            stack.callback(server.child.end)
            running.append(server)
            if peer.name == "earful":
                server.token = login(server.port, data.EMAIL, data.PASSWORD)
        if options.keep:
            stack.callback(lambda: asyncio.run(data.empty_inbox(place.filled.database_url)))
        before = asyncio.run(data.in_inbox(place.filled.database_url))
        samples = _run(options, place, running)
        written = asyncio.run(data.in_inbox(place.filled.database_url)) - before
        if written != measure.numbers.last:
            raise ServerError(
                f"{measure.numbers.last} messages were submitted, {written} are stored"
            )
        memory = {each.peer.name: processes.memory(each.child.pid) for each in running}
    _print(options, samples, memory)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench http", description=__doc__)
    parser.add_argument("--peers", type=Names(PEERS), default=list(PEERS), help=", ".join(PEERS))
    parser.add_argument(
        "--only", type=Names(WORKLOADS), default=list(_DEFAULT), help=", ".join(WORKLOADS)
    )
    parser.add_argument("--rounds", type=int, default=7, help="default 7")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of one server's turn, default 2"
    )
    parser.add_argument("--connections", type=int, default=8, help="default 8")
    add_common(parser)
    return parser.parse_args(arguments)


async def _place(filled: Filled) -> Place:
    connection = await asyncpg.connect(filled.database_url)
    try:
        feedback = await connection.fetch(
            "SELECT id FROM feedback WHERE workspace_id = (SELECT id FROM workspace WHERE slug = 'large')"
            " ORDER BY md5(id::text) LIMIT 200"
        )
        ((inbox, source),) = await connection.fetch(
            "SELECT workspace.id, source.id FROM workspace JOIN source ON workspace_id = workspace.id"
            " WHERE slug = 'inbox' AND kind = 'API'"
        )
        viewer = await connection.fetchval('SELECT id FROM "user"')
        small = await connection.fetchval("SELECT id FROM workspace WHERE slug = 'small'")
    finally:
        await connection.close()
    known = Known(
        [ids.write(Kind.FEEDBACK, row["id"]) for row in feedback],
        ids.write(Kind.USER, viewer),
        ids.write(Kind.WORKSPACE, small),
        ids.write(Kind.WORKSPACE, inbox),
        ids.write(Kind.SOURCE, source),
    )
    return Place(filled, known, inbox, viewer)


def _environment(peer: str, place: Place) -> Mapping[str, str]:
    if peer == "earful":
        return earful_environment(place.filled.endpoints)
    return {
        "DATABASE_URL": data.as_peer(place.filled.database_url, str(place.inbox)),
        "VIEWER": place.viewer.hex,
    }


def _run(
    options: argparse.Namespace, place: Place, running: Sequence[Server]
) -> dict[str, dict[str, list[Sample]]]:
    messages = {}
    for name in options.only:
        messages[name] = measure.compare(WORKLOADS[name], place.known, running)
        ignored = ", ".join(sorted(WORKLOADS[name].ignored)) or "nothing"
        print(
            f"{name}: {len(running)} servers give the same answers; ignored: {ignored}", flush=True
        )
    behind = place.filled.stores
    serving = [*(server.child.pid for server in running), behind.postgres, behind.valkey]
    if not processes.apart(serving, [os.getpid()], first=options.first):
        print("One core only: servers, stores and client share it")
    gc.collect()
    gc.freeze()
    samples: dict[str, dict[str, list[Sample]]] = {}
    for name in options.only:
        workload = WORKLOADS[name]
        for server in running:
            measure.warm(
                workload,
                server,
                messages[name][server.peer.name],
                place.filled.stores,
                options.connections,
            )
        samples[name] = measure.rounds(
            workload,
            running,
            messages[name],
            place.filled.stores,
            count=options.rounds,
            seconds=options.seconds,
            connections=options.connections,
        )
        print(f"{name}: {options.rounds} rounds done", flush=True)
    return samples


def _print(
    options: argparse.Namespace,
    samples: Mapping[str, Mapping[str, Sequence[Sample]]],
    memory: Mapping[str, int],
) -> None:
    medians = {
        name: {peer: measure.median(of_peer) for peer, of_peer in of_peers.items()}
        for name, of_peers in samples.items()
    }
    others = [
        each.others
        for of_peers in samples.values()
        for of_peer in of_peers.values()
        for each in of_peer
    ]
    parts = [
        report.tables(medians, memory),
        goal_table(report.goals(medians)),
        noise(others, first=options.first),
    ]
    raw = {
        "options": vars(options),
        "memory": memory,
        "samples": {
            name: {peer: [asdict(each) for each in of_peer] for peer, of_peer in of_peers.items()}
            for name, of_peers in samples.items()
        },
    }
    keep("http", "\n\n".join(parts), raw)
