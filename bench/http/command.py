"""`python -m bench http`: set everything up, compare the answers, time, print."""

import argparse
import asyncio
import gc
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import redis

from app.embedded import EmbeddedError, EmbeddedParts, Endpoints
from app.embedded.process import Guard
from bench.http import data, measure, processes, report, servers
from bench.http.client import WrongAnswerError
from bench.http.measure import DifferentAnswersError, Sample, Stores
from bench.http.servers import PEERS, ROOT, Server, ServerError
from bench.http.workloads import WORKLOADS, Known
from bench.stores import throw_away
from domain import ids
from domain.ids import Kind
from persistence import migrate

_KEPT = ROOT / ".bench"
_SECRET = "not a secret: a throw-away server's"  # noqa: S105
_DEFAULT = ("W1", "W2", "W3", "W5", "W4")


@dataclass(frozen=True, slots=True)
class Place:
    """The stores, filled: where they are, which processes they are, and what is in them."""

    endpoints: Endpoints
    guard: Guard
    stores: Stores
    known: Known
    inbox: UUID
    viewer: UUID


def main(arguments: Sequence[str]) -> None:
    """Run it; what goes wrong ends the process with a message."""
    try:
        _main(_options(arguments))
    except (DifferentAnswersError, EmbeddedError, ServerError, WrongAnswerError) as error:
        sys.exit(str(error))


def _main(options: argparse.Namespace) -> None:
    peers = [PEERS[name] for name in options.peers]
    if any(peer.needs_node for peer in peers):
        servers.install_node()
    with ExitStack() as stack:
        place = stack.enter_context(_stores(keep=options.keep))
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-bench-")))
        running = []
        for peer in peers:
            server = servers.start(peer, _environment(peer.name, place), logs, place.guard)
            stack.callback(server.child.end)
            running.append(server)
            if peer.name == "earful":
                server.token = measure.login(server, data.EMAIL, data.PASSWORD)
        if options.keep:
            stack.callback(lambda: asyncio.run(data.empty_inbox(_url(place))))
        before = asyncio.run(data.in_inbox(_url(place)))
        samples = _run(options, place, running)
        written = asyncio.run(data.in_inbox(_url(place))) - before
        if written != measure.numbers.last:
            raise ServerError(
                f"{measure.numbers.last} messages were submitted, {written} are stored"
            )
        memory = {each.peer.name: processes.memory(each.child.pid) for each in running}
    _print(options, samples, memory)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    def names(known: Mapping[str, object]) -> "_Names":
        return _Names(known)

    parser = argparse.ArgumentParser(prog="python -m bench http", description=__doc__)
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), help=", ".join(PEERS))
    parser.add_argument(
        "--only", type=names(WORKLOADS), default=list(_DEFAULT), help=", ".join(WORKLOADS)
    )
    parser.add_argument("--rounds", type=int, default=7, help="default 7")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of one server's turn, default 2"
    )
    parser.add_argument("--connections", type=int, default=8, help="default 8")
    parser.add_argument(
        "--first",
        action="store_true",
        help="run before all else the machine does (needs root): for figures to quote where others work too",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the filled database in .bench/ for the next run"
    )
    return parser.parse_args(arguments)


class _Names:
    """Reads names separated by commas."""

    def __init__(self, known: Mapping[str, object]) -> None:
        self._known = known

    def __call__(self, text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := sorted(set(chosen) - set(self._known)):
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: not one of {', '.join(self._known)}"
            )
        return chosen


@contextmanager
def _stores(*, keep: bool) -> Iterator[Place]:
    digest = hashlib.sha256(data.SQL.encode()).hexdigest()[:8]
    with ExitStack() as stack:
        directory = _KEPT / f"state-{digest}" if keep else stack.enter_context(throw_away())
        parts = EmbeddedParts(
            directory,
            parts=frozenset({"postgres", "valkey", "s3"}),
            durable=True,
            report=lambda _: None,
        )
        stack.callback(parts.stop)
        endpoints = parts.start()
        assert endpoints.database_url is not None
        assert endpoints.redis_url is not None
        migrate.upgrade(endpoints.database_url)
        began = time.monotonic()
        if asyncio.run(data.fill(endpoints.database_url)):
            print(f"Filled the database in {time.monotonic() - began:.0f} s", flush=True)
        yield asyncio.run(_found(endpoints, parts.guard))


async def _found(endpoints: Endpoints, guard: Guard) -> Place:
    connection = await asyncpg.connect(endpoints.database_url)
    try:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
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
        postgres = processes.parent(backend)
    finally:
        await connection.close()
    assert endpoints.redis_url is not None
    with redis.Redis.from_url(endpoints.redis_url) as valkey:
        valkey_pid = int(valkey.info("server")["process_id"])
    return Place(
        endpoints,
        guard,
        Stores(postgres, valkey_pid),
        Known(
            [ids.write(Kind.FEEDBACK, row["id"]) for row in feedback],
            ids.write(Kind.USER, viewer),
            ids.write(Kind.WORKSPACE, small),
            ids.write(Kind.WORKSPACE, inbox),
            ids.write(Kind.SOURCE, source),
        ),
        inbox,
        viewer,
    )


def _url(place: Place) -> str:
    assert place.endpoints.database_url is not None
    return place.endpoints.database_url


def _environment(peer: str, place: Place) -> Mapping[str, str]:
    if peer != "earful":
        return {
            "DATABASE_URL": data.as_peer(_url(place), str(place.inbox)),
            "VIEWER": place.viewer.hex,
        }
    endpoints = place.endpoints
    given = {
        "DATABASE_URL": endpoints.database_url,
        "REDIS_URL": endpoints.redis_url,
        "S3_ENDPOINT_URL": endpoints.s3_endpoint_url,
        "S3_ACCESS_KEY_ID": endpoints.s3_access_key_id,
        "S3_SECRET_ACCESS_KEY": endpoints.s3_secret_access_key,
    }
    return {
        "HOST": "127.0.0.1",
        "SECRET_KEY": _SECRET,
        "RATE_LIMIT_SCALE": "1000000",
        "ACCESS_TOKEN_SECONDS": "86400",
        **{name: value for name, value in given.items() if value is not None},
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
    if not measure.separate(running, place.stores, first=options.first):
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
                place.stores,
                options.connections,
            )
        samples[name] = measure.rounds(
            workload,
            running,
            messages[name],
            place.stores,
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
    lines = report.goals(medians)
    every = [
        each for of_peers in samples.values() for of_peer in of_peers.values() for each in of_peer
    ]
    parts = [
        report.tables(medians, memory),
        report.goal_table(lines),
        report.noise(every, first=options.first),
    ]
    text = "\n\n".join(parts)
    print(f"\n{text}\n")
    results = _KEPT / "results"
    results.mkdir(parents=True, exist_ok=True)
    raw = {
        "options": vars(options),
        "memory": memory,
        "samples": {
            name: {peer: [asdict(each) for each in of_peer] for peer, of_peer in of_peers.items()}
            for name, of_peers in samples.items()
        },
    }
    path = results / time.strftime("http-%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(raw, indent=1))
    path.with_suffix(".md").write_text(text + "\n")
    print(f"Raw figures: {path.relative_to(ROOT)}")
