"""The tables and the goals, in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.live.measure import MODES, Memory, Sample
from bench.live.servers import PEERS
from bench.report import goal, ratios

ANCHOR, FLOOR, TAUGHT = "mercurius", "floor", "strawberry"

_TITLES = {
    "paced": "one event a write",
    "burst": "8 events pending",
}
_HEAD = """\
| server | server CPU | with the stores' | messages/s | p50, p99 | bytes a frame | busy |
|---|---:|---:|---:|---:|---:|---:|"""
# How many times less CPU a message; how many times the floor's it may be.
_LESS = {TAUGHT: 20, ANCHOR: 4}
_OF_FLOOR = 1.5
_KIB = 8


@dataclass(slots=True)
class Result:
    """What was measured with so many subscribers a server: medians, memory, and who could not hold them, and why."""

    medians: dict[str, Mapping[str, Sample]] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)


def tables(results: Mapping[int, Result]) -> str:
    """A table for each number of subscribers and mode, and one of memory."""
    parts = []
    for count, result in results.items():
        parts += [
            _table(count, mode, result.medians[mode]) for mode in MODES if mode in result.medians
        ]
        parts += [
            f"{PEERS[name].title} cannot hold {count:,} subscribers: {why}."
            for name, why in result.unfit.items()
        ]
    return "\n\n".join([*parts, _memory(results)])


def _table(count: int, mode: str, of_peers: Mapping[str, Sample]) -> str:
    others = [of_peers.get(name) for name in (ANCHOR, FLOOR)]
    lines = [
        f"**{count:,} subscribers, {_TITLES[mode]}.** Ratio to Mercurius / to the send loop [us a message; ms].",
        "",
        _HEAD,
    ]
    for name, it in of_peers.items():
        cells = (
            PEERS[name].title,
            f"{ratios(it, others, lambda each: each.server)} [{it.server * 1e6:,.1f}]",
            f"{ratios(it, others, total)} [{total(it) * 1e6:,.1f}]",
            f"{ratios(it, others, lambda each: each.rate)} [{it.rate:,.0f}]",
            f"[{it.p50 * 1e3:,.1f}, {it.p99 * 1e3:,.1f}]",
            f"{it.size:.0f}",
            f"{it.busy:.0%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _memory(results: Mapping[int, Result]) -> str:
    lines = [
        "**Memory a connection, KiB (PSS): idle, and after the deliveries** [seconds until all were served].",
        "",
        f"| server | {' | '.join(f'{count:,} subscribers' for count in results)} |",
        f"|---|{'---:|' * len(results)}",
    ]
    for name in dict.fromkeys(name for result in results.values() for name in result.memory):
        cells = [_cell(result.memory.get(name)) for result in results.values()]
        lines.append(f"| {PEERS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(memory: Memory | None) -> str:
    if memory is None:
        return "-"
    return f"{memory.idle / 1_024:.1f}, {memory.after / 1_024:.1f} [{memory.seconds:.1f}]"


def total(sample: Sample) -> float:
    """CPU seconds a message, of the server and the stores."""
    return sample.server + sample.postgres + sample.valkey


def goals(results: Mapping[int, Result]) -> Sequence[str]:
    """Each goal that the measured servers let one judge: met or missed, and the figure."""
    return [
        goal(text, met, figure)
        for count, result in results.items()
        for text, met, figure in _goals(count, result)
    ]


def _goals(count: int, result: Result) -> Iterator[tuple[str, bool, str]]:
    if "earful" in result.unfit or "earful" in result.memory:
        why = result.unfit.get("earful")
        yield f"{count:,}: each gets every event once", why is None, why or "each did"
    of_peers = result.medians.get("paced", {})
    ours = of_peers.get("earful")
    memory = result.memory.get("earful")
    if memory is not None:
        kib = memory.idle / 1_024
        text = f"{count:,}: an idle connection takes at most {_KIB} KiB"
        yield text, kib <= _KIB, f"{kib:.1f} KiB"
    if ours is None:
        return
    for name, times in _LESS.items():
        if name in of_peers:
            ratio = of_peers[name].server / ours.server
            text = f"{count:,}: at least {times} times less CPU a message than {PEERS[name].title}"
            yield text, ratio >= times, f"{ratio:.1f} times"
    if FLOOR in of_peers:
        ratio = ours.server / of_peers[FLOOR].server
        text = f"{count:,}: CPU a message within {_OF_FLOOR} times of the send loop's"
        yield text, ratio <= _OF_FLOOR, f"{ratio:.2f} times"
