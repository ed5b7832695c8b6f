"""The sentiment model, loaded behind its micro-batcher."""

from app.settings import Settings
from inference.batcher import Scorer
from inference.sentiment import DEFAULT_DIRECTORY, SentimentModel


def load_scorer(settings: Settings, *, threads: int | None = None) -> Scorer:
    """The model, loaded, behind its micro-batcher; on as many threads as the settings say, or these."""
    model = SentimentModel.load(
        settings.sentiment_model or DEFAULT_DIRECTORY,
        threads=threads or settings.inference_threads,
    )
    return Scorer(model)
