"""The tables and the goals, in Markdown."""

from collections.abc import Iterator, Mapping

from bench.http.measure import Sample
from bench.http.servers import PEERS
from bench.http.workloads import WORKLOADS
from bench.report import goal, ratios

ANCHOR, FLOOR, TAUGHT = "mercurius_jit", "asgi", "strawberry"
Medians = Mapping[str, Mapping[str, Sample]]

_HEAD = """\
| server | server CPU | Postgres CPU | all CPU | requests/s | p50, p99 | busy |
|---|---:|---:|---:|---:|---:|---:|"""

# How much of Mercurius' server CPU a request may take here, by workload.
_SHARES = {"W1": 1.0, "W2": 1 / 3, "W3": 1 / 2, "W4": 2 / 3, "W5": 1 / 2}
_TAUGHT_TIMES = 40
# How much of the bare application's requests a second are wanted.
_OF_FLOOR = {"W1": 0.7, "W2": 1.0, "W3": 0.7, "W4": 0.7}


def tables(medians: Medians, memory: Mapping[str, int]) -> str:
    """One table a workload, and one of memory."""
    parts = [_table(name, of_peers) for name, of_peers in medians.items()]
    rows = [f"| {PEERS[name].title} | {size / 2**20:.0f} |" for name, size in memory.items()]
    parts.append("\n".join(["| server | memory after the run, MiB (PSS) |", "|---|---:|", *rows]))
    return "\n\n".join(parts)


def _table(workload: str, of_peers: Mapping[str, Sample]) -> str:
    others = [of_peers.get(name) for name in (ANCHOR, FLOOR)]
    lines = [
        f"**{workload}: {WORKLOADS[workload].title}.** Ratio to Mercurius+JIT / to bare ASGI [us; ms].",
        "",
        _HEAD,
    ]
    for name, it in of_peers.items():
        cells = (
            PEERS[name].title,
            f"{ratios(it, others, lambda each: each.server)} [{it.server * 1e6:,.0f}]",
            f"[{it.postgres * 1e6:,.0f}]",
            f"{ratios(it, others, total)} [{total(it) * 1e6:,.0f}]",
            f"{ratios(it, others, lambda each: each.rate)} [{it.rate:,.0f}]",
            f"[{it.p50 * 1e3:.1f}, {it.p99 * 1e3:.1f}]",
            f"{it.busy:.0%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def total(sample: Sample) -> float:
    """CPU seconds a request, of the server and the stores."""
    return sample.server + sample.postgres + sample.valkey


def goals(medians: Medians) -> list[str]:
    """Each goal that the measured servers let one judge: met or missed, and the figure."""
    return [goal(text, met, figure) for text, met, figure in _goals(medians)]


def _goals(medians: Medians) -> Iterator[tuple[str, bool, str]]:
    for workload, of_peers in medians.items():
        ours = of_peers.get("earful")
        if ours is None:
            continue
        if workload in _SHARES and ANCHOR in of_peers:
            ratio = ours.server / of_peers[ANCHOR].server
            share = _SHARES[workload]
            met = ratio < share if share == 1 else ratio <= share
            yield (
                f"{workload}: server CPU at most {share:.2f} of Mercurius+JIT's",
                met,
                f"{ratio:.2f}",
            )
        rivals = {name: it for name, it in of_peers.items() if name not in {"earful", FLOOR}}
        if rivals and workload in _SHARES:
            cheapest = min(rivals, key=lambda name: total(rivals[name]))
            ratio = total(ours) / total(rivals[cheapest])
            text = f"{workload}: CPU with the stores' below every other GraphQL server's"
            yield text, ratio < 1, f"{ratio:.2f} of {PEERS[cheapest].title}"
            fastest = max(rivals, key=lambda name: rivals[name].rate)
            ratio = ours.rate / rivals[fastest].rate
            text = f"{workload}: more requests/s than every other GraphQL server"
            yield text, ratio > 1, f"{ratio:.2f} of {PEERS[fastest].title}"
        if workload in _OF_FLOOR and FLOOR in of_peers:
            ratio = ours.rate / of_peers[FLOOR].rate
            wanted = _OF_FLOOR[workload]
            text = f"{workload}: at least {wanted:.1f} of bare ASGI's requests/s"
            yield text, ratio >= wanted, f"{ratio:.2f}"
        if workload == "W2" and TAUGHT in of_peers:
            ratio = of_peers[TAUGHT].server / ours.server
            text = f"W2: Strawberry as taught takes {_TAUGHT_TIMES} times our server CPU"
            yield text, ratio >= _TAUGHT_TIMES, f"{ratio:.1f} times"
