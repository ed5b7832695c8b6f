"""What the benchmarks' reports share: ratios, goals, the noise of the machine, and where results go."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bench.servers import ROOT

KEPT = ROOT / ".bench"
# So many cores, used by others, still count as a quiet machine.
_QUIET = 0.1
_S = TypeVar("_S")


def ratios(it: _S, others: Sequence[_S | None], figure: Callable[[_S], float]) -> str:
    """A figure relative to that of each of the others."""
    return " / ".join(
        "-" if other is None else f"{figure(it) / figure(other):.2f}" for other in others
    )


def noise(cores: Sequence[float], *, first: bool) -> str:
    """How much else the machine did while it was timed; `first`: only where and when we did not need it."""
    others = sorted(cores)
    middle, most = others[len(others) // 2], others[-1]
    text = f"While timing, other programs used {middle:.2f} cores (median), {most:.2f} at most."
    if first:
        return f"{text} They came after what is measured here."
    return f"{text} **Too noisy to quote.**" if middle > _QUIET else text


def goal(text: str, met: bool, figure: str) -> str:
    """A line of the goals' table."""
    return f"| {'met' if met else '**missed**'} | {text} | {figure} |"


def goal_table(lines: Sequence[str]) -> str:
    """The goals as a table."""
    return "\n".join(["| | goal | figure |", "|---|---|---|", *lines])


def keep(name: str, text: str, raw: Any) -> None:
    """Print the tables; put them and the raw figures to .bench/results."""
    print(f"\n{text}\n")
    results = KEPT / "results"
    results.mkdir(parents=True, exist_ok=True)
    path = results / time.strftime(f"{name}-%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(raw, indent=1))
    path.with_suffix(".md").write_text(text + "\n")
    print(f"Raw figures: {path.relative_to(ROOT)}")
