"""Sentiment: what a score is, and what may be asked of a model. The model itself lives in inference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import orjson

from domain.checks import Checks
from domain.errors import InvalidInputError

MOST_TEXTS = 100
LONGEST_TEXT = 50_000
_LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


class Score(Protocol):
    """label NEGATIVE, NEUTRAL or POSITIVE; score from -1 to 1; confidence from 0 to 1."""

    @property
    def label(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def confidence(self) -> float: ...


class Span(Score, Protocol):
    """A sentence, [start, end) in code points of its text, and what it says by itself."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sentence:
    """A span as it was stored: rounded to four digits."""

    start: int
    end: int
    label: str
    score: float
    confidence: float


class Judgement(Score, Protocol):
    """What a model makes of a text, and of each of its sentences; the language in ISO 639-1, where known."""

    @property
    def spans(self) -> Sequence[Span]: ...
    @property
    def language(self) -> str | None: ...
    @property
    def model(self) -> str: ...


@runtime_checkable
class Unscored(Protocol):
    """Why a model says nothing of a text: BLANK, UNKNOWN_LANGUAGE or NO_KNOWN_WORDS."""

    @property
    def reason(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def model(self) -> str: ...


class Scorer(Protocol):
    """Scores texts off the event loop; all texts of a call by the same model, even while it is swapped."""

    @property
    def model_name(self) -> str: ...
    async def score(self, texts: Sequence[str]) -> Sequence[Judgement | Unscored]: ...


def write_spans(spans: Sequence[Span]) -> str | None:
    """As they are stored: a JSON text of arrays, a fifth of the size of objects; None for none."""
    if not spans:
        return None
    return orjson.dumps(
        [
            (
                each.start,
                each.end,
                _LABELS.index(each.label),
                *_rounded(each.score, each.confidence),
            )
            for each in spans
        ]
    ).decode()


def read_spans(text: str | None) -> list[Sentence]:
    """What `write_spans` has written."""
    if text is None:
        return []
    return [
        Sentence(start, end, _LABELS[label], score, confidence)
        for start, end, label, score, confidence in orjson.loads(text)
    ]


def _rounded(*numbers: float) -> Sequence[float]:
    return [round(number, 4) for number in numbers]


def scores(answers: Sequence[Judgement | Unscored]) -> list[Judgement | None]:
    """The answers, with None for what has no score."""
    return [None if isinstance(answer, Unscored) else answer for answer in answers]


def check(texts: Sequence[str]) -> None:
    """Raise InvalidInputError unless the texts may be analysed."""
    if len(texts) > MOST_TEXTS:
        raise InvalidInputError(f"At most {MOST_TEXTS} texts at once; there are {len(texts)}.")
    checks = Checks()
    for index, text in enumerate(texts):
        checks.text(text, "texts", str(index), longest=LONGEST_TEXT)
    checks.done()
