"""What people have said of texts: public labels, with how sure they were, and the texts of this repository."""

import math
import random
from pathlib import Path

from inference.training import evaluate, examples, templates
from inference.training.examples import Judged

SOURCES = ("VADER", "DynaSent")
LABEL_SMOOTHING = 0.05
# People's ratings go from -4 to 4, and their mean from one sample of people to another by about so much.
RATING_ERROR = 0.35
# Texts that this repository wrote are few, and are what public texts hardly hold: so often once more, disturbed.
WRITTEN_TIMES = 2


def read(texts: Path, sdist: Path) -> list[Judged]:
    """Read the public labelled texts, and write those of this repository; ratings become three probabilities."""
    ratings = {
        evaluate.key(text): rating
        for file in evaluate.VADER_GENRES
        for rating, text in evaluate.rated(sdist, file)
    }
    chance = random.Random(templates.SEED)  # noqa: S311 -- a fixed seed is the point
    written = templates.written()
    own = [*written, *templates.filled(seed=templates.SEED)]
    own += [
        (templates.disturbed(text, chance), label)
        for _ in range(WRITTEN_TIMES)
        for text, label in written
    ]
    public = [(row.text, row.label) for row in examples.read(texts, SOURCES)]
    return [
        *(Judged(text, _shares(label, ratings.get(evaluate.key(text)))) for text, label in public),
        *(Judged(text, _shares(label, None)) for text, label in own),
    ]


def _shares(label: int, rating: float | None) -> tuple[float, float, float]:
    if rating is not None:
        negative = _below(-evaluate.NEUTRAL_BELOW, rating)
        not_positive = _below(evaluate.NEUTRAL_BELOW, rating)
        return negative, not_positive - negative, 1 - not_positive
    shares = [LABEL_SMOOTHING / 3] * 3
    shares[label] += 1 - LABEL_SMOOTHING
    return shares[0], shares[1], shares[2]


def _below(bound: float, mean: float) -> float:
    """How likely other people's mean is below the bound."""
    return 0.5 * (1 + math.erf((bound - mean) / (RATING_ERROR * math.sqrt(2))))
