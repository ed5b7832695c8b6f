"""The sentiment model, loaded behind its micro-batcher."""

import os
import sys
from pathlib import Path

from app.settings import Settings
from inference.batcher import Scorer
from inference.sentiment import DEFAULT_DIRECTORY, SentimentModel

# A batch takes one thread. More of them than that are faster by little, and other work wants cores too.
_MOST_THREADS = 4
# A thread that reads texts keeps an event loop waiting for the interpreter so long, in seconds; by default it is 0.005.
SWITCH_INTERVAL = 0.001


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
