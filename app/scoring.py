"""The sentiment model, loaded behind its micro-batcher."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.settings import Settings
from domain.errors import RateLimitedError
from inference import batcher
from inference.batcher import Overloaded
from inference.sentiment import DEFAULT_DIRECTORY, Score, SentimentModel, Unscored

# A batch takes one thread. More of them than that are faster by little, and other work wants cores too.
_MOST_THREADS = 4
# A thread that reads texts keeps an event loop waiting for the interpreter so long, in seconds; by default it is 0.005.
SWITCH_INTERVAL = 0.001
# By then some of those who wait have their answers.
_RETRY_SECONDS = 1.0


class Scorer(batcher.Scorer):
    """Refuses in the domain's words, which a client is told and for which a job waits."""

    async def score(self, texts: Sequence[str]) -> list[Score | Unscored]:
        """Score each text, in order; RateLimitedError while too many wait."""
        try:
            return await super().score(texts)
        except Overloaded as full:
            raise RateLimitedError(_RETRY_SECONDS, f"{full} Try again in a moment.") from full


def load_model(settings: Settings, directory: Path | None = None) -> SentimentModel:
    """The model in a directory, or else the one that the settings name, as they describe it; raises ModelError."""
    if directory is not None:
        return SentimentModel.load(directory)
    return SentimentModel.load(
        settings.sentiment_model or DEFAULT_DIRECTORY,
        labels=settings.sentiment_labels,
        languages=settings.sentiment_languages,
    )


def load_scorer(settings: Settings, *, threads: int | None = None) -> Scorer:
    """The model, loaded, behind its micro-batcher; on as many threads as the settings say, or these."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    chosen = threads or settings.inference_threads or _for_these_cores()
    scorer = Scorer(load_model(settings), threads=chosen)
    scorer.warm()
    return scorer


def _for_these_cores() -> int:
    """Half of the cores that this process may use: the API and the worker each have a model."""
    # macOS does not say which they are.
    there_are = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(max((there_are or 1) // 2, 1), _MOST_THREADS)
