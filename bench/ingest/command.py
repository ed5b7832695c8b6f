"""Signed webhooks that are accepted and committed: Earful, the same endpoint on Node, and pgbench making the same rows.

Every server verifies the signature, reads the body and stores feedback, delivery and event, each delivery once; a
2xx means committed, and commits wait for the disk. The servers and Postgres share one core, the client has another.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench import data, processes, servers
from bench.http import client
from bench.http.servers import install_node
from bench.ingest import deliveries, pgbench
from bench.options import Names
from bench.report import goal, goal_table, keep, noise, ratios
from bench.stores import empty, process_ids
from domain import ids
from persistence import demo

_PEERS = Path(__file__).parent / "peers"
TITLES = {
    "earful": "Earful",
    "fastify_pg": "Fastify, pg, one prepared statement",
    "fastify_prisma": "Fastify, Prisma, one transaction",
    "pgbench": "pgbench, no server",
}
_COMMANDS = {
    "earful": servers.EARFUL,
    "fastify_pg": ("{NODE}", str(_PEERS / "fastify_pg.mjs")),
    "fastify_prisma": ("{NODE}", str(_PEERS / "fastify_prisma.mjs")),
}
_ACCEPTED = {"earful": 202, "fastify_pg": 202, "fastify_prisma": 202}
_PASSWORD = "earful-bench-password"  # noqa: S105 - of a throw-away database
_OF_PGBENCH = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where deliveries go, and who does the work behind."""

    database_url: str
    workspace: UUID
    source: UUID
    secret: str
    postgres: int
    valkey: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server: CPU seconds a delivery, deliveries a second, seconds of latency."""

    server: float
    postgres: float
    rate: float
    p50: float
    p99: float
    stored: int
    others: float


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench ingest", description=__doc__)
    parser.add_argument("--peers", type=Names(TITLES), default=list(TITLES), help=", ".join(TITLES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one turn, default 3")
    parser.add_argument("--connections", type=int, default=32, help="deliveries under way at once")
    parser.add_argument("--first", action="store_true", help="before all else (needs root)")
    options = parser.parse_args(arguments)
    if any(name.startswith("fastify") for name in options.peers):
        install_node()
    with ExitStack() as stack:
        parts, endpoints = stack.enter_context(empty())
        assert endpoints.database_url is not None
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-bench-")))
        port, child = servers.start(
            "earful", servers.EARFUL, servers.earful_environment(endpoints), logs, parts.guard
        )
        stack.callback(child.end)
        place = _prepare(port, endpoints.database_url, *asyncio.run(process_ids(endpoints)))
        running = {"earful": (port, child.pid)}
        for name in options.peers:
            if name.startswith("fastify"):
                port, child = servers.start(
                    name, _COMMANDS[name], _environment(place), logs, parts.guard
                )
                stack.callback(child.end)
                running[name] = (port, child.pid)
        samples = _measure(options, place, running, logs)
    _print(options, samples)


def _prepare(port: int, url: str, postgres: int, valkey: int) -> Place:
    """A workspace with a source of webhooks, made as anybody would."""
    who = {"email": data.EMAIL, "password": _PASSWORD, "name": "Bench"}
    token = _ask(port, None, "register(input: $input) { ... on RegisterSuccess { tokens { accessToken } } }",
                 "RegisterInput", who)["tokens"]["accessToken"]  # fmt: skip
    made = _ask(port, token, "createWorkspace(input: $input) { ... on CreateWorkspaceSuccess { workspace { id } } }",
                "CreateWorkspaceInput", {"name": "Ingest", "slug": "ingest"})["workspace"]["id"]  # fmt: skip
    source = _ask(
        port,
        token,
        "createSource(input: $input) { ... on CreateSourceSuccess { source { id } signingSecret } }",
        "CreateSourceInput",
        {"workspaceId": made, "name": "Webhooks", "kind": "WEBHOOK"},
    )
    workspace = ids.read(ids.Kind.WORKSPACE, made)
    opened = ids.read(ids.Kind.SOURCE, source["source"]["id"])
    assert workspace is not None
    assert opened is not None
    return Place(url, workspace, opened, source["signingSecret"], postgres, valkey)


def _ask(port: int, token: str | None, field: str, kind: str, given: Mapping[str, Any]) -> Any:
    asked = {"query": f"mutation($input: {kind}!) {{ it: {field} }}", "variables": {"input": given}}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", json.dumps(asked).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)["data"]["it"]


def _environment(place: Place) -> Mapping[str, str]:
    return {
        "DATABASE_URL": data.as_peer(place.database_url, str(place.workspace)),
        "WORKSPACE": str(place.workspace),
        "SOURCE": str(place.source),
        "SECRET": place.secret,
    }


def _measure(
    options: argparse.Namespace,
    place: Place,
    running: Mapping[str, tuple[int, int]],
    logs: Path,
) -> dict[str, list[Sample]]:
    serving = [*(pid for _, pid in running.values()), place.postgres, place.valkey]
    if not processes.apart(serving, [os.getpid()], first=options.first):
        print("One core only: servers, stores and client share it")
    (logs / "store.pgbench").write_text(
        pgbench.script(str(place.workspace), str(place.source), next(iter(demo.texts())).body)
    )
    samples: dict[str, list[Sample]] = {name: [] for name in options.peers}
    for turn in range(options.rounds + 1):  # the first warms up
        start = turn % len(options.peers)
        for name in [*options.peers[start:], *options.peers[:start]]:
            taken = _sample(name, options, place, running, logs)
            if turn:
                samples[name].append(taken)
    return samples


def _sample(
    name: str,
    options: argparse.Namespace,
    place: Place,
    running: Mapping[str, tuple[int, int]],
    logs: Path,
) -> Sample:
    port, pid = running.get(name, (0, None))
    stored = asyncio.run(_counted(place))
    machine, began = processes.busy(), time.perf_counter()
    roots = [*([] if pid is None else [pid]), place.postgres, place.valkey, os.getpid()]
    before = {root: processes.cpu(root) for root in roots}
    p50 = p99 = 0.0
    if name == "pgbench":
        count, rate = pgbench.run(
            logs / "store.pgbench",
            data.as_peer(place.database_url, str(place.workspace)),
            connections=options.connections,
            seconds=options.seconds,
        )
    else:
        answered = client.load(
            port,
            deliveries.endless(port, ids.write(ids.Kind.SOURCE, place.source), place.secret),
            seconds=options.seconds,
            connections=options.connections,
            least_bytes=0,
            status=_ACCEPTED[name],
        )
        count, rate = answered.requests, answered.requests / answered.seconds
        p50, p99 = answered.quantile(0.5), answered.quantile(0.99)
    lasted = time.perf_counter() - began
    spent = {root: processes.spent(before[root], processes.cpu(root)) for root in roots}
    machine = (processes.busy() - machine) / lasted
    added = [after - had for had, after in zip(stored, asyncio.run(_counted(place)), strict=True)]
    if added != [count] * 3:
        raise servers.ServerError(
            f"{TITLES[name]} accepted {count} and stored {added} feedback, deliveries, events"
        )
    return Sample(
        server=0.0 if pid is None else spent[pid] / count,
        postgres=spent[place.postgres] / count,
        rate=rate,
        p50=p50,
        p99=p99,
        stored=count,
        others=max(0.0, machine - sum(spent.values()) / lasted),
    )


async def _counted(place: Place) -> tuple[int, int, int]:
    connection = await asyncpg.connect(place.database_url, command_timeout=600)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT set_config('earful.workspace_id', $1, true)", str(place.workspace)
            )
            row = await connection.fetchrow(
                "SELECT (SELECT count(*) FROM feedback WHERE workspace_id = $1),"
                " (SELECT count(*) FROM delivery WHERE workspace_id = $1),"
                " (SELECT count(*) FROM outbox WHERE kind = 'feedback.added')",
                place.workspace,
            )
    finally:
        await connection.close()
    assert row is not None
    feedback, delivered, events = row
    return feedback, delivered, events


def _median(samples: Sequence[Sample]) -> Sample:
    return Sample(
        **{
            field.name: statistics.median(getattr(each, field.name) for each in samples)
            for field in fields(Sample)
        }
    )


def _print(options: argparse.Namespace, samples: Mapping[str, Sequence[Sample]]) -> None:
    found = {name: _median(taken) for name, taken in samples.items()}
    others = [found.get("fastify_pg"), found.get("fastify_prisma"), found.get("pgbench")]
    lines = [
        "| | server CPU [us] | Postgres CPU [us] | committed/s | to pg / Prisma / pgbench | p50, p99 [ms] |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {TITLES[name]} | {it.server * 1e6:,.0f} | {it.postgres * 1e6:,.0f} | {it.rate:,.0f}"
            f" | {ratios(it, others, lambda each: each.rate)} | {it.p50 * 1e3:.1f}, {it.p99 * 1e3:.1f} |"
            for name, it in found.items()
        ),
    ]
    title = f"## Signed webhooks, {options.connections} at once, medians of {options.rounds} rounds"
    foot = noise([each.others for taken in samples.values() for each in taken], first=options.first)
    text = "\n\n".join([title, "\n".join(lines), goal_table(_goals(found)), foot])
    keep(
        "ingest", text, {name: [asdict(each) for each in taken] for name, taken in samples.items()}
    )


def _goals(found: Mapping[str, Sample]) -> list[str]:
    earful, lines = found.get("earful"), []
    if earful is None:
        return []
    for name in ("fastify_pg", "fastify_prisma"):
        if (it := found.get(name)) is not None:
            share = earful.rate / it.rate
            lines.append(
                goal(
                    f"more committed a second and core than {TITLES[name]}",
                    share > 1,
                    f"{share:.2f}",
                )
            )
    if (it := found.get("pgbench")) is not None:
        share = earful.rate / it.rate
        lines.append(
            goal("at least half of what pgbench commits", share >= _OF_PGBENCH, f"{share:.2f}")
        )
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
