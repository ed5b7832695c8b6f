"""The texts that are scored: the demo's product reviews, as sentences and as reviews of several."""

import random
from collections.abc import Iterator, Sequence

from persistence import demo

# How many sentences a text has: as much feedback has one as has more.
_SENTENCES = (1, 1, 1, 1, 2, 2, 3, 6)


def texts(number: int) -> list[str]:
    """So many texts, the same each time."""
    bodies = [sample.body for sample in demo.texts()]
    return list(_joined(bodies, number, random.Random(8)))  # noqa: S311 - the same each time


def _joined(bodies: Sequence[str], number: int, dice: random.Random) -> Iterator[str]:
    for _ in range(number):
        parts = dice.choices(bodies, k=dice.choice(_SENTENCES))
        yield " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)
