"""`python -m bench inference`: the service path beside a bare loop and a pipeline, in rounds."""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import uvloop

from app.scoring import SWITCH_INTERVAL
from bench import report
from bench.inference import peer, service, texts
from bench.inference.service import Bare, Loop, Recording, Timed
from inference.batcher import Scorer
from inference.sentiment import SentimentModel

_GOAL_BARE, _GOAL_PIPELINE, _GOAL_MILLISECONDS = 0.85, 5.0, 5.0
# Callers of one text each come at this share of what can be done.
_LIGHT = 0.25
_LIGHT_TEXTS = 300
_IDLE_SECONDS = 2.0


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench inference", description=__doc__)
    parser.add_argument("--texts", type=int, default=1_024, help="in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args(arguments)
    if options.peers:
        peer.install()
    with ExitStack() as stack:
        given = texts.texts(options.texts)
        pipeline = stack.enter_context(peer.opened(given, 1)) if options.peers else None
        found = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(
            _measure(options, given, pipeline)
        )
    _report(options, found)


async def _measure(
    options: argparse.Namespace, given: Sequence[str], pipeline: peer.Pipeline | None
) -> dict[str, Any]:
    sys.setswitchinterval(SWITCH_INTERVAL)
    model = SentimentModel.load()
    recording = Recording(model, model.name)
    scorer = Scorer(recording)
    await service.full(scorer, given, Loop())
    bare = Bare(recording.batches, len(given))
    scorer.swap(model)
    rounds: dict[str, list[Timed]] = {"service": [], "bare": []}
    if pipeline is not None:
        rounds["pipeline"] = []
    watched = Loop()
    for _ in range(options.rounds):
        rounds["bare"].append(await asyncio.to_thread(bare.run))
        rounds["service"].append(await service.full(scorer, given, watched))
        if pipeline is not None:
            rounds["pipeline"].append(await asyncio.to_thread(pipeline.run))
    rate = statistics.median(each.rate for each in rounds["service"])
    waited = await service.light(scorer, given[:_LIGHT_TEXTS], _LIGHT * rate)
    alone = await service.idle(_IDLE_SECONDS)
    await scorer.close()
    return {
        "rounds": {name: [asdict(each) for each in timed] for name, timed in rounds.items()},
        "late": sorted(watched.late),
        "late_alone": sorted(alone.late),
        "worked": max(watched.worked),
        "waited": waited,
    }


def _report(options: argparse.Namespace, found: dict[str, Any]) -> None:
    rounds = {name: [Timed(**each) for each in timed] for name, timed in found["rounds"].items()}
    titles = {
        "service": "service path: queue, language, sentences, tokens, batches, spans",
        "bare": "bare onnxruntime over the same batches, made beforehand",
        "pipeline": "transformers.pipeline on PyTorch, a model of the same size, whole texts",
    }
    lines = [
        f"## Scoring {options.texts:,} texts a round on one thread, medians of {options.rounds} rounds",
        "",
        "| | texts/s | CPU, ms a text | our texts/s to it |",
        "|---|---|---|---|",
    ]
    ratios = {}
    for name, timed in rounds.items():
        rate = statistics.median(each.rate for each in timed)
        cpu = statistics.median(each.cpu / each.texts * 1e3 for each in timed)
        # Of each round by itself: what else the machine did was the same for all.
        ratios[name] = statistics.median(
            ours.rate / theirs.rate for ours, theirs in zip(rounds["service"], timed, strict=True)
        )
        lines.append(f"| {titles[name]} | {rate:,.0f} | {cpu:.2f} | {ratios[name]:.2f} |")
    waited = found["waited"]
    longest = {name: found[name][-1] * 1e3 for name in ("late", "late_alone")}
    nearly = {name: _at(found[name], 0.999) * 1e3 for name in ("late", "late_alone")}
    patience = (
        f"A caller of one text, at {_LIGHT:.0%} of that: {_at(waited, 0.5) * 1e3:.1f} ms (median), "
        f"{_at(waited, 0.99) * 1e3:.1f} ms (99th percentile)."
    )
    lateness = (
        f"The event loop under full load was {longest['late']:.1f} ms late at most, {nearly['late']:.1f} ms "
        f"in one of a thousand; without any work {longest['late_alone']:.1f} and {nearly['late_alone']:.1f} ms. "
        f"Of its own it worked {found['worked'] * 1e3:.1f} ms at a stretch at most; the rest is the machine's."
    )
    lines += [
        "",
        patience,
        "",
        lateness,
        "",
        report.goal_table(
            [
                report.goal(
                    f"at least {_GOAL_BARE:.0%} of the bare loop's texts/s",
                    ratios["bare"] >= _GOAL_BARE,
                    f"{ratios['bare']:.2f}",
                ),
                *(
                    report.goal(
                        f"at least {_GOAL_PIPELINE:.0f} times the pipeline's",
                        ratios["pipeline"] >= _GOAL_PIPELINE,
                        f"{ratios['pipeline']:.1f}",
                    )
                    for _ in rounds.get("pipeline", [])[:1]
                ),
                report.goal(
                    f"the event loop never late by more than {_GOAL_MILLISECONDS:.0f} ms",
                    longest["late"] <= _GOAL_MILLISECONDS,
                    f"{longest['late']:.1f} ms",
                ),
            ]
        ),
    ]
    report.keep("inference", "\n".join(lines), found)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
