"""Sentiment: what a score is, and what may be asked of a model. The model itself lives in inference."""

from collections.abc import Sequence
from typing import Protocol

from domain.checks import Checks
from domain.errors import InvalidInputError

MOST_TEXTS = 100
LONGEST_TEXT = 50_000


class Score(Protocol):
    """label NEGATIVE, NEUTRAL or POSITIVE; score from -1 to 1; confidence from 0 to 1."""

    @property
    def label(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def confidence(self) -> float: ...


class Scorer(Protocol):
    """Scores texts off the event loop; None for a text it does not know the language of."""

    @property
    def model_name(self) -> str: ...
    async def score(self, texts: Sequence[str]) -> Sequence[Score | None]: ...


def check(texts: Sequence[str]) -> None:
    """Raise InvalidInputError unless the texts may be analysed."""
    if len(texts) > MOST_TEXTS:
        raise InvalidInputError(f"At most {MOST_TEXTS} texts at once; there are {len(texts)}.")
    checks = Checks()
    for index, text in enumerate(texts):
        checks.text(text, "texts", str(index), longest=LONGEST_TEXT)
    checks.done()
