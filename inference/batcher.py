"""Lets any number of coroutines share one model without blocking the event loop."""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from inference.counters import Counters
from inference.graph import Tokens
from inference.queue import DEADLINE_SECONDS, Part, Queue
from inference.sentiment import Chances, Reading, Score, Unscored
from telemetry import trace
from telemetry.trace import Place

MAX_PENDING = 4096
# Texts are read into parts so many at a time, and no more than a few runs ahead: later callers' come in between.
READ_TEXTS = 32
READ_CHARACTERS = 8192
PARTS_AHEAD = 128
# What takes longer than this, reading or a run, is taken for stuck.
STUCK_SECONDS = 30.0
# Runs are nicer than the rest of the process by so much.
NICER = 5


class Overloaded(Exception):  # noqa: N818 -- a refusal, not a fault.
    """Too many texts are waiting already; the caller should try again later."""


class Closed(Exception):  # noqa: N818 -- a refusal, not a fault.
    """The scorer is shutting down."""


class StuckError(Exception):
    """The model does not come back."""


class Model(Protocol):
    """What is run on the scorer's threads."""

    name: str

    def read(self, texts: Sequence[str]) -> list[Reading | Unscored]:
        """Turn each text into parts for the graph, or say why it has none."""

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        """Answer for each part, in order."""

    def judge(self, reading: Reading, rows: Sequence[Chances]) -> Score:
        """Make a score of what was answered for a text's parts."""


@dataclass(slots=True, eq=False)
class Request:
    """One caller's texts, the model that scores all of them, and how far they have come."""

    model: Model
    texts: Sequence[str]
    answer: asyncio.Future[list[Score | Unscored]]
    scores: list[Score | Unscored | None]
    left: int
    taken: int = 0
    place: Place | None = field(default_factory=trace.here)

    @property
    def done(self) -> bool:
        """Whether the caller has an answer, or has gone."""
        return self.answer.done()

    def put(self, index: int, score: Score | Unscored) -> None:
        """Add the score of one text; the last one answers the caller."""
        self.scores[index] = score
        self.left -= 1
        if not self.left and not self.done:
            self.answer.set_result([each for each in self.scores if each is not None])

    def refuse(self, error: Exception) -> None:
        """Answer with an error, unless the caller has gone or has an answer."""
        if not self.done:
            self.answer.set_exception(error)


@dataclass(slots=True, eq=False)
class Text:
    """One text of a request, read, and what the graph said of its parts so far."""

    request: Request
    index: int
    reading: Reading
    rows: list[Chances]
    left: int

    @property
    def done(self) -> bool:
        """Whether nobody waits for it."""
        return self.request.done

    def put(self, part: int, chances: Chances) -> None:
        """Add what the graph says of one part; the last one makes the score."""
        self.rows[part] = chances
        self.left -= 1
        if not self.left and not self.done:
            self.request.put(self.index, self.request.model.judge(self.reading, self.rows))


class Scorer:
    """Joins the texts of concurrent callers into runs of the model.

    A thread reads texts (language, sentences, tokens), taking one of each caller in turn, so that a large request
    cannot keep small ones waiting; others run the graph on batches of parts of similar length. They wait for nobody:
    a lone caller's texts run at once, and what arrives meanwhile makes up the next runs.
    """

    def __init__(
        self,
        model: Model,
        *,
        threads: int = 1,
        max_pending: int = MAX_PENDING,
        deadline: float = DEADLINE_SECONDS,
        stuck: float = STUCK_SECONDS,
    ) -> None:
        self._model = model
        self._threads = threads
        self._max_pending = max_pending
        self._stuck = stuck
        self._pending = 0
        self._waiting: deque[Request] = deque()
        self._parts: Queue[Text] = Queue(deadline)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sentiment-read")
        self._runners = ThreadPoolExecutor(
            threads, thread_name_prefix="sentiment", initializer=_give_way
        )
        self._reading: asyncio.Task[None] | None = None
        self._reading_since = 0.0
        self._running: dict[asyncio.Task[None], float] = {}
        self._closed = False
        self.counters = Counters()

    @property
    def pending(self) -> int:
        """How many texts are waiting, or being scored."""
        return self._pending

    @property
    def model_name(self) -> str:
        """The model and version that scores what is asked for now."""
        return self._model.name

    def swap(self, model: Model) -> None:
        """Score what is asked for from now on by another model; who waits gets answers of the one before."""
        self._model = model
        self.counters.swaps += 1

    async def score(self, texts: Sequence[str]) -> list[Score | Unscored]:
        """Score each text, in order, all by the same model; see SentimentModel.score.

        Raises Overloaded when more than `max_pending` texts would be waiting, Closed after close.
        """
        if self._closed:
            raise Closed("The scorer is closed.")
        if self._pending + len(texts) > self._max_pending:
            self.counters.refused += 1
            raise Overloaded(f"{self._pending} texts are waiting to be scored.")
        if not texts:
            return []
        began = perf_counter()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Score | Unscored]] = loop.create_future()
        request = Request(
            self._model, tuple(texts), answer, scores=[None] * len(texts), left=len(texts)
        )
        self._waiting.append(request)
        self._pending += len(texts)
        # A moment later, so that callers of the same moment are read together.
        loop.call_soon(self._advance)
        try:
            return await answer
        finally:
            self._pending -= len(texts)
            self.counters.request_seconds.add(perf_counter() - began)

    def warm(self) -> None:
        """Load what is loaded when it is first needed, on the thread that reads."""
        self._reader.submit(self._model.read, ["ok"])

    async def ping(self) -> None:
        """Raise StuckError if a run or the reading does not come back, or the scorer is closed."""
        if self._closed:
            raise StuckError("closed")
        before = perf_counter() - self._stuck
        if self._reading is not None and self._reading_since < before:
            raise StuckError(f"reading texts has taken more than {self._stuck:.0f} s")
        if any(since < before for since in self._running.values()):
            raise StuckError(f"a run has taken more than {self._stuck:.0f} s")

    async def close(self) -> None:
        """Refuse who is waiting, let the current runs end, and stop the threads."""
        self._closed = True
        for request in self._waiting:
            request.refuse(Closed("The scorer is closed."))
        for text in self._parts.clear():
            text.request.refuse(Closed("The scorer is closed."))
        under_way = [*self._running, *([] if self._reading is None else [self._reading])]
        await asyncio.gather(*under_way)
        self._reader.shutdown()
        self._runners.shutdown()

    def _advance(self) -> None:
        """Start what can be started: reading, if runs want it, and as many runs as there are threads."""
        if self._closed:
            return
        if self._reading is None and len(self._parts) < PARTS_AHEAD * self._threads:
            turns = self._take_turns()
            if turns:
                self._reading = asyncio.create_task(self._read(turns))
                self._reading_since = perf_counter()
        # One more than there are threads: none waits for the event loop between two runs.
        while len(self._running) <= self._threads:
            batch = self._parts.take(perf_counter())
            if not batch:
                break
            task = asyncio.create_task(self._run(batch))
            self._running[task] = perf_counter()

    def _take_turns(self) -> list[tuple[Request, int]]:
        """The next texts to be read, one of each caller in turn, all for the same model."""
        turns: list[tuple[Request, int]] = []
        characters = 0
        while self._waiting and len(turns) < READ_TEXTS and characters < READ_CHARACTERS:
            request = self._waiting[0]
            if turns and request.model is not turns[0][0].model:
                break
            self._waiting.popleft()
            if request.done:
                continue
            turns.append((request, request.taken))
            characters += len(request.texts[request.taken])
            request.taken += 1
            if request.taken < len(request.texts):
                self._waiting.append(request)
        return turns

    async def _read(self, turns: Sequence[tuple[Request, int]]) -> None:
        texts = [request.texts[index] for request, index in turns]
        try:
            with trace.together("read texts", [request.place for request, _ in turns]):
                loop = asyncio.get_running_loop()
                model = turns[0][0].model
                readings = await loop.run_in_executor(self._reader, model.read, texts)
            self.counters.texts += len(texts)
            for turn, reading in zip(turns, readings, strict=True):
                self._add(*turn, reading)
        except Exception as error:  # noqa: BLE001 -- it goes to the callers it belongs to.
            self._fail([request for request, _ in turns], error)
        self._reading = None
        self._advance()

    def _add(self, request: Request, index: int, reading: Reading | Unscored) -> None:
        """Let the parts of a text wait for their run; one without any has its answer."""
        if isinstance(reading, Unscored):
            request.put(index, reading)
        elif self._closed:
            request.refuse(Closed("The scorer is closed."))
        else:
            count = len(reading.parts)
            text = Text(request, index, reading, rows=[()] * count, left=count)
            self._parts.add(text, id(request.model), reading.parts, perf_counter())

    async def _run(self, batch: Sequence[Part[Text]]) -> None:
        requests = list(dict.fromkeys(part.text.request for part in batch))
        tokens = [part.tokens for part in batch]
        began = perf_counter()
        try:
            with trace.together("score texts", [each.place for each in requests], parts=len(batch)):
                loop = asyncio.get_running_loop()
                rows = await loop.run_in_executor(self._runners, requests[0].model.run, tokens)
            for part, chances in zip(batch, rows, strict=True):
                part.text.put(part.index, chances)
        except Exception as error:  # noqa: BLE001 -- it goes to the callers it belongs to.
            self._fail(requests, error)
        self.counters.parts += len(batch)
        self.counters.tokens += sum(map(len, tokens))
        self.counters.batch_parts.add(len(batch))
        self.counters.run_seconds.add(perf_counter() - began)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs as one
        del self._running[task]
        self._advance()

    def _fail(self, requests: Sequence[Request], error: Exception) -> None:
        self.counters.failed += 1
        for request in requests:
            request.refuse(error)


def _give_way() -> None:
    """Let the event loop go first where cores are few: it works for a moment, and everybody waits for it.

    Not the thread that reads: it has the interpreter while it works, and must give it back soon.
    """
    # Elsewhere threads have no niceness of their own.
    if sys.platform == "linux":
        with suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice + NICER)
