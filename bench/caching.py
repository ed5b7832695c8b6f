"""What the response cache buys and costs: the same dashboard's query from it, past it, and where it never has it.

Two servers on the same stores are asked in turns, one with RESPONSE_CACHE=true. On the 200,000 rows of data.sql.
"""

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench import data, processes, report, servers
from bench.http import client
from bench.http.client import Slice
from bench.stores import Stores, filled

_QUERY = """query($from: DateTime!, $to: DateTime!) { workspace(slug: "large") { viewerRole
    stats(from: $from, to: $to, interval: DAY) { totals { total negative neutral positive }
        buckets { start counts { total negative neutral positive } } } } }"""
_END = datetime.fromisoformat(data.END)
_MONTH = timedelta(days=30)
_LEAST_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """A server, and whether each question is another one, so that no answer is found."""

    title: str
    cached: bool
    differs: bool = False


_WAYS = (
    Way("without a cache", cached=False),
    Way("found in the cache", cached=True),
    Way("with a cache, never found in it", cached=True, differs=True),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """What was answered in a stretch of time, and what it cost in seconds of CPU."""

    slice: Slice
    api: float
    postgres: float
    valkey: float

    def each(self, seconds: float) -> float:
        """Microseconds a request."""
        return seconds / self.slice.requests * 1e6


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench caching", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way in a round")
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        stores = stack.enter_context(filled(keep=False))
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earful-caching-")))
        given = servers.earful_environment(stores.endpoints)
        started = {}
        for cached in (True, False):
            name = f"cached-{cached}"
            environment = {**given, "RESPONSE_CACHE": str(cached), "DATA_DIR": str(logs)}
            started[cached] = servers.start(name, servers.EARFUL, environment, logs, stores.guard)
            stack.callback(started[cached][1].end)
        tokens = {
            cached: servers.login(port, data.EMAIL, data.PASSWORD)
            for cached, (port, _) in started.items()
        }
        found: dict[Way, list[Timed]] = {way: [] for way in _WAYS}
        fresh = itertools.count(1)
        for _ in range(options.rounds + 1):
            for way, timed in found.items():
                port, child = started[way.cached]
                numbers = fresh if way.differs else itertools.repeat(1)
                messages = _messages(port, tokens[way.cached], numbers)
                timed.append(_timed(options, port, child.pid, stores.stores, messages))
    _report(options, {way: timed[1:] for way, timed in found.items()})  # the first round warms up


def _messages(port: int, token: str, numbers: Iterator[int]) -> Iterator[bytes]:
    for number in numbers:
        end = _END + timedelta(microseconds=number)
        variables = {"from": (_END - _MONTH).isoformat(), "to": end.isoformat()}
        yield client.request(port, {"query": _QUERY, "variables": variables}, token)


def _timed(
    options: argparse.Namespace, port: int, api: int, stores: Stores, messages: Iterator[bytes]
) -> Timed:
    roots = (api, stores.postgres, stores.valkey)
    before = [processes.cpu(root) for root in roots]
    answered = client.load(
        port,
        messages,
        seconds=options.seconds,
        connections=options.connections,
        least_bytes=_LEAST_BYTES,
    )
    spent = [processes.spent(*each) for each in zip(before, map(processes.cpu, roots), strict=True)]
    return Timed(answered, *spent)


def _report(options: argparse.Namespace, found: dict[Way, list[Timed]]) -> None:
    lines = [
        f"## 30 days of 200,000 feedback by day, {options.connections} at once, medians of {options.rounds} rounds",
        "",
        "| | requests/s | to it without | p50 ms | p99 ms | CPU of API, us | Postgres | Valkey |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    plain = found[_WAYS[0]]
    for way, timed in found.items():
        rate, p50, p99, *cpu = (
            statistics.median(column)
            for column in zip(
                *(
                    (
                        each.slice.requests / each.slice.seconds,
                        each.slice.quantile(0.5) * 1e3,
                        each.slice.quantile(0.99) * 1e3,
                        *map(each.each, (each.api, each.postgres, each.valkey)),
                    )
                    for each in timed
                ),
                strict=True,
            )
        )
        # Of each round by itself: what else the machine did was the same for all.
        ratio = statistics.median(
            it.slice.requests / it.slice.seconds / (other.slice.requests / other.slice.seconds)
            for it, other in zip(timed, plain, strict=True)
        )
        spent = " | ".join(f"{each:,.0f}" for each in cpu)
        lines.append(
            f"| {way.title} | {rate:,.0f} | {ratio:.2f} | {p50:.1f} | {p99:.1f} | {spent} |"
        )
    raw = {
        way.title: [
            (each.slice.requests, each.slice.seconds, each.api, each.postgres, each.valkey)
            for each in timed
        ]
        for way, timed in found.items()
    }
    report.keep("caching", "\n".join(lines), raw)
