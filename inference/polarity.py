"""What the labels of a model mean: negative, neutral or positive."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Label: TypeAlias = Literal["NEGATIVE", "NEUTRAL", "POSITIVE"]

LABELS: tuple[Label, ...] = get_args(Label)
_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)

_NAMES = {
    **dict.fromkeys(("negative", "neg", "very negative", "extremely negative"), _NEGATIVE),
    **dict.fromkeys(("somewhat negative", "slightly negative", "bad"), _NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "mixed"), _NEUTRAL),
    **dict.fromkeys(("positive", "pos", "very positive", "extremely positive"), _POSITIVE),
    **dict.fromkeys(("somewhat positive", "slightly positive", "good"), _POSITIVE),
}
_STARS = re.compile(r"([1-9]|10) ?(?:stars?)?")


class LabelsError(ValueError):
    """Labels that do not say what they mean."""


class Polarity:
    """Turns the probabilities of a model's labels into those of ours."""

    def __init__(self, names: Sequence[str]) -> None:
        """Read the labels' names in the order of the model's outputs; raises LabelsError."""
        self.labels = len(names)
        read = _read([re.sub(r"[\s_-]+", " ", name).strip().lower() for name in names])
        if read is None or not {_NEGATIVE, _POSITIVE} <= set(read):
            raise LabelsError(
                f"The model's labels {', '.join(names)} do not say what is negative and what is "
                "positive. Say it with SENTIMENT_LABELS: negative, neutral or positive for each of "
                f"its {len(names)} outputs in their order, as in "
                "SENTIMENT_LABELS=negative,neutral,positive."
            )
        self._has_neutral = _NEUTRAL in read
        self._sums = np.zeros((len(read), len(LABELS)))
        self._sums[range(len(read)), read] = 1

    def of(self, chances: NDArray[np.float64]) -> NDArray[np.float64]:
        """(texts, labels) to (texts, 3): negative, neutral, positive.

        A model without a neutral label is taken to mean it as far as it contradicts itself: with
        70 % positive and 30 % negative, 60 % are neutral and 40 % positive. So a text is neutral
        where neither side has three quarters, and p(positive) - p(negative) stays what it was.
        """
        ours = chances @ self._sums
        if not self._has_neutral:
            both = np.minimum(ours[:, _NEGATIVE], ours[:, _POSITIVE])
            ours -= both[:, None]
            ours[:, _NEUTRAL] = 2 * both
        return ours


def _read(names: Sequence[str]) -> list[int] | None:
    stars = [_STARS.fullmatch(name) for name in names]
    if all(stars) and len(names) > 1:
        numbers = [int(match[1]) for match in stars if match]
        if sorted(numbers) != list(range(1, len(names) + 1)):
            return None
        middle = (len(names) + 1) / 2
        return [int(np.sign(number - middle)) + _NEUTRAL for number in numbers]
    if any(name not in _NAMES for name in names):
        return None
    return [_NAMES[name] for name in names]
