"""The two ways in this process: the service path, and the bare loop over batches that it has made."""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime

from bench import processes
from inference.batcher import Scorer
from inference.graph import Tokens
from inference.sentiment import DEFAULT_DIRECTORY, GRAPH, Chances, Reading, SentimentModel, Unscored

# As the worker asks: pages of this size, two at a time.
PAGE = 128
_PAGES = 2
_TICK = 0.001
_SELF = os.getpid()


@dataclass(frozen=True, slots=True)
class Timed:
    """So many texts in so long; CPU is of all threads."""

    texts: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Texts a second."""
        return self.texts / self.seconds


@dataclass
class Loop:
    """How late the event loop was for a timer of a millisecond, and how long it worked meanwhile, in seconds."""

    late: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            before, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK)
            self.late.append(time.perf_counter() - before - _TICK)
            self.worked.append(time.thread_time() - cpu)


@dataclass
class Recording:
    """A model that keeps the batches it was given."""

    model: SentimentModel
    name: str
    batches: list[list[Tokens]] = field(default_factory=list)

    def read(self, texts: Sequence[str]) -> list[Reading | Unscored]:
        return self.model.read(texts)

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        self.batches.append(list(parts))
        return self.model.run(parts)

    def judge(self, reading: Reading, rows: Sequence[Chances]) -> Any:
        return self.model.judge(reading, rows)


async def full(scorer: Scorer, texts: Sequence[str], loop: Loop) -> Timed:
    """Score all as fast as it goes, by pages, while the loop is watched."""
    pages = iter([texts[start : start + PAGE] for start in range(0, len(texts), PAGE)])

    async def caller() -> None:
        for page in pages:
            await scorer.score(page)

    watch = asyncio.create_task(loop.watch())
    began, before = time.perf_counter(), processes.cpu(_SELF)
    await asyncio.gather(*(caller() for _ in range(_PAGES)))
    seconds, used = time.perf_counter() - began, processes.spent(before, processes.cpu(_SELF))
    watch.cancel()
    return Timed(len(texts), seconds, used)


async def light(scorer: Scorer, texts: Sequence[str], rate: float) -> list[float]:
    """Seconds that callers of one text each waited, who come by chance, so many a second."""
    dice = random.Random(3)  # noqa: S311 - the same each time

    async def caller(text: str) -> float:
        began = time.perf_counter()
        await scorer.score([text])
        return time.perf_counter() - began

    callers = []
    for text in texts:
        callers.append(asyncio.create_task(caller(text)))
        await asyncio.sleep(dice.expovariate(rate))
    return sorted(await asyncio.gather(*callers))


async def idle(seconds: float) -> Loop:
    """The loop without anything to do: what is late by itself on this machine."""
    loop = Loop()
    watch = asyncio.create_task(loop.watch())
    await asyncio.sleep(seconds)
    watch.cancel()
    return loop


class Bare:
    """onnxruntime by itself: arrays made beforehand, one run after the other on one thread."""

    def __init__(self, batches: Sequence[Sequence[Tokens]], texts: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(DEFAULT_DIRECTORY / GRAPH), options, providers=["CPUExecutionProvider"]
        )
        self._fed = [_arrays(batch) for batch in batches]
        self._texts = texts

    def run(self) -> Timed:
        """All of it once."""
        began, before = time.perf_counter(), processes.cpu(_SELF)
        for fed in self._fed:
            self._session.run(["logits"], fed)
        seconds, used = time.perf_counter() - began, processes.spent(before, processes.cpu(_SELF))
        return Timed(self._texts, seconds, used)


def _arrays(batch: Sequence[Tokens]) -> dict[str, Any]:
    shape = (len(batch), max(map(len, batch)))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
