"""Measures a finished model on texts that it was not trained on."""

import gzip
import html
import io
import re
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from inference.sentiment import LABELS, Score, SentimentModel
from inference.training.examples import Example, Judged

VADER_GENRES = {
    "amazonReviewSnippets": "product reviews",
    "tweets": "tweets",
    "nytEditorialSnippets": "newspaper opinion",
    "movieReviewSnippets": "film reviews",
}
VADER_INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
NEUTRAL_BELOW = 0.5
CALIBRATION_BINS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """How well a model does on one set of texts. Rates are in percent."""

    name: str
    texts: int
    accuracy: float
    macro_recall: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one thread a text, and how far batching moves a score."""

    tokens: float
    alone: float
    batched: float
    deviation: float


def read_dev(path: Path, trained: Sequence[Example | Judged]) -> dict[str, list[Example]]:
    """Read the development texts by source, without those seen in training."""
    seen = {key(example.text) for example in trained}
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in lines]
    found: dict[str, list[Example]] = {}
    for row in rows:
        if key(row["text"]) not in seen:
            label = LABELS.index(row["label"].upper())
            found.setdefault(row["source"], []).append(Example(row["text"], label, row["source"]))
    return found


def read_vader(sdist: Path, trained: Sequence[Example | Judged]) -> dict[str, list[Example]]:
    """Read the rated texts of the vaderSentiment sdist that training left out, by genre."""
    seen = {key(example.text) for example in trained}
    found: dict[str, list[Example]] = {}
    for file, genre in VADER_GENRES.items():
        for rating, text in rated(sdist, file):
            if key(text) not in seen:
                seen.add(key(text))
                label = int(np.digitize(rating, [-NEUTRAL_BELOW + 1e-9, NEUTRAL_BELOW]))
                found.setdefault(genre, []).append(Example(text, label, genre))
    return found


def rated(sdist: Path, file: str) -> Iterator[tuple[float, str]]:
    """Yield the mean human rating (-4 to 4) and the text of each line of one file."""
    with tarfile.open(sdist) as outer:
        inner = io.BytesIO(member(outer, VADER_INNER))
    with tarfile.open(fileobj=inner) as archive:
        content = member(archive, f"hutto_ICWSM_2014/{file}_GroundTruth.txt").decode()
    for line in content.splitlines():
        if line.strip():
            _, rating, text = line.split("\t", 2)
            yield float(rating), html.unescape(re.sub(r"\s+", " ", text).strip())


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """Read one file of an archive."""
    stream = archive.extractfile(name)
    if stream is None:
        raise FileNotFoundError(name)
    return stream.read()


def key(text: str) -> str:
    """Reduce a text to what makes it the same text: letters and digits."""
    return re.sub(r"[^a-z0-9]+", "", html.unescape(text).lower())


def probabilities(model: SentimentModel, examples: Sequence[Example]) -> NDArray[np.float64]:
    """Recover the three probabilities (texts, labels) from scores, in the order of LABELS.

    What the model says nothing of counts as surely neutral.
    """
    rows = []
    for score in model.score([example.text for example in examples]):
        if not isinstance(score, Score):
            rows.append((0.0, 1.0, 0.0))
            continue
        confidence, difference = score.confidence, score.score
        negative = {
            "NEGATIVE": confidence,
            "NEUTRAL": (1 - confidence - difference) / 2,
            "POSITIVE": confidence - difference,
        }[score.label]
        rows.append((negative, 1 - 2 * negative - difference, negative + difference))
    return np.clip(np.array(rows), 1e-9, 1.0)


def measure(name: str, found: NDArray[np.float64], examples: Sequence[Example]) -> Figures:
    """Compare probabilities with labels."""
    truth = np.array([example.label for example in examples])
    guess = found.argmax(axis=1)
    confidence = found.max(axis=1)
    right = guess == truth
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == bin_].sum() - right[bins == bin_].sum())
        for bin_ in range(CALIBRATION_BINS)
    ]
    recalls = [right[truth == label].mean() for label in np.unique(truth)]
    return Figures(
        name=name,
        texts=len(truth),
        accuracy=100 * float(right.mean()),
        macro_recall=100 * float(np.mean(recalls)),
        calibration_error=100 * float(sum(gaps)) / len(truth),
    )


def polar_accuracy(found: NDArray[np.float64], examples: Sequence[Example]) -> float:
    """Tell how often the sign of the score is right, in percent, where no text is neutral."""
    positive = LABELS.index("POSITIVE")
    truth = np.array([example.label == positive for example in examples])
    return 100 * float(((found[:, positive] > found[:, 0]) == truth).mean())


def temperature(sets: Sequence[tuple[NDArray[np.float64], Sequence[Example]]]) -> float:
    """Find the divisor of the logits that makes the right labels likeliest, each set counting the same."""
    measured = [
        (np.log(found), np.array([example.label for example in rows])) for found, rows in sets
    ]
    candidates = np.arange(0.5, 3.0, 0.01)

    def loss(divisor: float) -> float:
        total = 0.0
        for logits, truth in measured:
            scaled = logits / divisor
            largest = scaled.max(axis=1)
            partition = largest + np.log(np.exp(scaled - largest[:, None]).sum(axis=1))
            total += float((partition - scaled[np.arange(len(truth)), truth]).mean())
        return total

    return round(float(min(candidates, key=loss)), 2)


def cost(model: SentimentModel, texts: Sequence[str], tokens: float) -> Cost:
    """Time single texts and batches, and compare their scores."""
    started = time.process_time()
    alone = [model.score([text])[0] for text in texts]
    between = time.process_time()
    together = model.score(texts)
    ended = time.process_time()
    deviations = [
        abs(one.score - other.score)
        for one, other in zip(alone, together, strict=True)
        if isinstance(one, Score) and isinstance(other, Score)
    ]
    return Cost(
        tokens=tokens,
        alone=1000 * (between - started) / len(texts),
        batched=1000 * (ended - between) / len(texts),
        deviation=max(deviations),
    )
