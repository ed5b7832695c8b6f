"""Compares the answers, warms every server up, and times them in interleaved rounds."""

import itertools
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from bench import answers, processes
from bench.answers import DifferentAnswersError
from bench.http import client, workloads
from bench.http.servers import Server
from bench.http.workloads import Known, Workload
from bench.stores import Stores

PAGES = 20
_WARM_REQUESTS = 5_000
_WARM_SLICES = 12
_ENOUGH_SLICES = 6
_FLAT = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server: CPU seconds and wall seconds a request, and requests a second."""

    server: float
    postgres: float
    valkey: float
    rate: float
    p50: float
    p99: float
    requests: int
    busy: float  # how much of their core the server and the stores used
    others: float  # how many cores the rest of the machine used


Messages = Mapping[str, Sequence[bytes]]


def compare(workload: Workload, known: Known, servers: Sequence[Server]) -> Messages:
    """The messages to time, by server, once every server's answers to them equal the first one's.

    DifferentAnswersError shows where they do not.
    """
    messages: dict[str, list[bytes]] = {}
    reference: list[Any] = []
    for server in servers:
        given = []
        messages[server.peer.name] = []
        for message, answer in _asked(workload, known, server):
            messages[server.peer.name].append(message)
            given.append(answer)
        if not reference:
            reference = given
        found = list(answers.differences(reference, given))
        if found:
            lines = "\n  ".join(found[:10])
            raise DifferentAnswersError(
                f"{workload.name}: {server.peer.title} differs from {servers[0].peer.title}"
                f" in {len(found)} places:\n  {lines}"
            )
    return messages


def _asked(workload: Workload, known: Known, server: Server) -> Iterator[tuple[bytes, Any]]:
    peer = server.peer
    query = peer.documents.get(workload.name, workload.query)
    after: str | None = None
    for variables in itertools.islice(workload.variables(known), workload.samples):
        asked = {**variables, "after": after} if workload.paged else variables
        if peer.variables is not None:
            asked = peer.variables(workload.name, asked, known)
        message = server.message(query, asked)
        body = client.ask(server.port, _numbered(message))
        try:
            decoded = answers.decoded(body)
        except ValueError as error:
            raise DifferentAnswersError(f"{workload.name}: {peer.title} answers {error}") from None
        data = decoded if peer.adapt is None else peer.adapt(workload.name, decoded)
        if workload.paged:
            after = data["workspace"]["feedback"]["pageInfo"]["endCursor"]
        yield message, answers.comparable(data, workload.ignored)


def _numbered(message: bytes) -> bytes:
    """The message with a number that no other request bears."""
    return next(_endless([message]))


class Numbers:
    """Counts up from 1; `last` is how many were taken."""

    def __init__(self) -> None:
        self.last = 0

    def __iter__(self) -> "Numbers":
        return self

    def __next__(self) -> int:
        self.last += 1
        return self.last


numbers = Numbers()


def _endless(messages: Sequence[bytes]) -> Iterator[bytes]:
    """The messages over and over, with unique numbers where they have a place for one."""
    mark = workloads.UNIQUE.encode()
    if mark not in messages[0]:
        return itertools.cycle(messages)
    parts = [message.split(mark) for message in messages]
    return (
        (b"%08d" % number).join(part)
        for part, number in zip(itertools.cycle(parts), numbers, strict=False)
    )


def sample(
    workload: Workload,
    server: Server,
    messages: Sequence[bytes],
    stores: Stores,
    *,
    seconds: float,
    connections: int,
) -> Sample:
    """One slice of load on one server."""
    roots = (server.child.pid, stores.postgres, stores.valkey, os.getpid())
    machine, began = processes.busy(), time.perf_counter()
    before = [processes.cpu(root) for root in roots]
    answered = client.load(
        server.port,
        _endless(messages),
        seconds=seconds,
        connections=connections,
        least_bytes=workload.least_bytes,
    )
    after = [processes.cpu(root) for root in roots]
    machine = (processes.busy() - machine) / (time.perf_counter() - began)
    spent = [processes.spent(*pair) for pair in zip(before, after, strict=True)]
    count = answered.requests
    return Sample(
        server=spent[0] / count,
        postgres=spent[1] / count,
        valkey=spent[2] / count,
        rate=count / answered.seconds,
        p50=answered.quantile(0.5),
        p99=answered.quantile(0.99),
        requests=count,
        busy=sum(spent[:3]) / answered.seconds,
        others=max(0.0, machine - sum(spent) / answered.seconds),
    )


def warm(
    workload: Workload, server: Server, messages: Sequence[bytes], stores: Stores, connections: int
) -> int:
    """Load the server until its CPU a request is flat; answers after how many requests."""
    requests, before = 0, 0.0
    for turn in range(1, _WARM_SLICES + 1):
        got = sample(workload, server, messages, stores, seconds=1, connections=connections)
        requests += got.requests
        flat = abs(got.server - before) <= _FLAT * before
        before = got.server
        if flat and (requests >= _WARM_REQUESTS or turn >= _ENOUGH_SLICES):
            break
    return requests


def rounds(
    workload: Workload,
    servers: Sequence[Server],
    messages: Messages,
    stores: Stores,
    *,
    count: int,
    seconds: float,
    connections: int,
) -> dict[str, list[Sample]]:
    """So many rounds, each of every server once, each round beginning with the next one."""
    samples: dict[str, list[Sample]] = {server.peer.name: [] for server in servers}
    for turn in range(count):
        start = turn % len(servers)
        for server in [*servers[start:], *servers[:start]]:
            name = server.peer.name
            samples[name].append(
                sample(
                    workload,
                    server,
                    messages[name],
                    stores,
                    seconds=seconds,
                    connections=connections,
                )
            )
    return samples


def median(samples: Sequence[Sample]) -> Sample:
    """The median of each figure by itself."""
    names = [field.name for field in fields(Sample)]
    return Sample(
        **{name: statistics.median(getattr(each, name) for each in samples) for name in names}
    )
