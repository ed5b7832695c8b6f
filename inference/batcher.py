"""Lets any number of coroutines share one model without blocking the event loop."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from inference.sentiment import Score

MAX_PENDING = 4096
# One run is at most this much, under 100 ms even of a slow, shared core. More would not be faster.
RUN_TEXTS = 32
RUN_CHARACTERS = 1024
# Characters beyond these are cut by the model and cost nothing.
COSTLY_CHARACTERS = 512


class Overloaded(Exception):  # noqa: N818 -- a refusal, not a fault.
    """Too many texts are waiting already; the caller should try again later."""


class Closed(Exception):  # noqa: N818 -- a refusal, not a fault.
    """The scorer is shutting down."""


class Model(Protocol):
    """What is run on the scorer's thread."""

    name: str

    def score(self, texts: Sequence[str]) -> list[Score | None]:
        """Answer for each text, in order."""


@dataclass(slots=True)
class Counters:
    """What was done so far: runs of the model, texts in them, and how long they took; and who was refused."""

    runs: int = 0
    texts: int = 0
    seconds: float = 0.0
    refused: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """One caller's texts, and how far they have come."""

    texts: Sequence[str]
    answer: asyncio.Future[list[Score | None]]
    scores: list[Score | None] = field(default_factory=list)
    taken: int = 0


class Scorer:
    """Joins the texts of concurrent callers into runs of the model, in turns.

    It waits for nobody: a lone caller's texts run at once, and what arrives meanwhile makes up
    the next run. Callers take turns, so a large request cannot keep small ones waiting.
    """

    def __init__(self, model: Model, *, max_pending: int = MAX_PENDING) -> None:
        self._model = model
        self._max_pending = max_pending
        self._pending = 0
        self._waiting: deque[Request] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sentiment")
        self._runs: asyncio.Task[None] | None = None
        self._closed = False
        self.counters = Counters()

    @property
    def pending(self) -> int:
        """How many texts are waiting, or being scored."""
        return self._pending

    @property
    def model_name(self) -> str:
        """The model and version that scores."""
        return self._model.name

    async def score(self, texts: Sequence[str]) -> list[Score | None]:
        """Score each text, in order; see SentimentModel.score.

        Raises Overloaded when more than `max_pending` texts would be waiting, Closed after close.
        """
        if self._closed:
            raise Closed("The scorer is closed.")
        if self._pending + len(texts) > self._max_pending:
            self.counters.refused += 1
            raise Overloaded(f"{self._pending} texts are waiting to be scored.")
        if not texts:
            return []
        request = Request(tuple(texts), asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._pending += len(texts)
        if self._runs is None or self._runs.done():
            self._runs = asyncio.create_task(self._run())
        try:
            return await request.answer
        finally:
            self._pending -= len(texts)

    async def close(self) -> None:
        """Refuse who is waiting, let the current run end, and stop the thread."""
        self._closed = True
        for request in self._waiting:
            refuse(request, Closed("The scorer is closed."))
        if self._runs is not None:
            await self._runs
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while turns := self._next():
            texts = [text for _, text in turns]
            began = perf_counter()
            try:
                scores = await loop.run_in_executor(self._thread, self._model.score, texts)
            except Exception as error:  # noqa: BLE001 -- it goes to the callers it belongs to.
                for request, _ in turns:
                    refuse(request, error)
                continue
            finally:
                self.counters.runs += 1
                self.counters.texts += len(texts)
                self.counters.seconds += perf_counter() - began
            for (request, _), score in zip(turns, scores, strict=True):
                request.scores.append(score)
                if len(request.scores) == len(request.texts) and not request.answer.done():
                    request.answer.set_result(request.scores)

    def _next(self) -> list[tuple[Request, str]]:
        """Take the next run's texts, one from each caller in turn."""
        turns: list[tuple[Request, str]] = []
        characters = 0
        while self._waiting and len(turns) < RUN_TEXTS and characters < RUN_CHARACTERS:
            request = self._waiting.popleft()
            if request.answer.done():
                continue
            text = request.texts[request.taken]
            request.taken += 1
            turns.append((request, text))
            characters += min(len(text), COSTLY_CHARACTERS)
            if request.taken < len(request.texts):
                self._waiting.append(request)
        return turns


def refuse(request: Request, error: Exception) -> None:
    """Answer with an error, unless the caller has gone or has an answer."""
    if not request.answer.done():
        request.answer.set_exception(error)
