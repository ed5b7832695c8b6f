"""Stands for the model, and can be held up."""

import threading
from collections.abc import Sequence

from inference.graph import Tokens
from inference.sentiment import Chances, Reading, Score, Unscored


class Echo:
    """A text is numbers, a number is a part, and its last one is the text's score."""

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.read_texts: list[str] = []
        self.runs: list[list[int]] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def read(self, texts: Sequence[str]) -> list[Reading | Unscored]:
        self.read_texts += texts
        return [self._reading([int(word) for word in text.split()]) for text in texts]

    def _reading(self, numbers: list[int]) -> Reading | Unscored:
        # As many tokens as the number has digits.
        parts = [[number] * len(str(number)) for number in numbers]
        if not parts:
            return Unscored("BLANK", None, self.name)
        return Reading("en", [(0, 1)] * len(parts), parts, range(len(parts)))

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        self.runs.append([part[0] for part in parts])
        self.started.set()
        self.gate.wait(timeout=10)
        return [[float(part[0])] for part in parts]

    def judge(self, reading: Reading, rows: Sequence[Chances]) -> Score:
        return answer(*(int(chances[0]) for chances in rows), by=self.name)


def answer(*numbers: int, by: str = "echo") -> Score:
    return Score("NEUTRAL", float(numbers[-1]), float(len(numbers)), (), "en", by)
