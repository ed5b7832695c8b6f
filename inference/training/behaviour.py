"""What the model should do, case by case (after CheckList, Ribeiro et al. 2020): `behaviour.tsv` and its pass rates.

A case with a label is passed with that label. Of two texts, `same` asks for the same label, `up` and
`down` for a score that moves that way, or stays within END of that end of the scale.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from inference.sentiment import DEFAULT_DIRECTORY, LABELS, Score, SentimentModel

CASES = Path(__file__).with_suffix(".tsv")
END = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation: of one text a label, of two texts how they compare."""

    capability: str
    expected: str
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.capability}, {self.expected}: {' -> '.join(self.texts)}"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many cases of a capability are passed, and which are not."""

    capability: str
    cases: int
    failed: tuple[Case, ...]

    @property
    def passed(self) -> float:
        """The share that is passed, in percent."""
        return 100 * (1 - len(self.failed) / self.cases)


def read() -> list[Case]:
    """Read the cases."""
    with CASES.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Case(capability, expected, tuple(texts)) for capability, expected, *texts in rows]


def rates(model: SentimentModel, cases: Sequence[Case]) -> list[Rate]:
    """Try every case, in one call of the model; capabilities are in the order of the file."""
    texts = list(dict.fromkeys(text for case in cases for text in case.texts))
    scores = dict(zip(texts, model.score(texts), strict=True))
    known = {text: score for text, score in scores.items() if isinstance(score, Score)}
    return [
        Rate(
            capability=capability,
            cases=sum(case.capability == capability for case in cases),
            failed=tuple(
                case for case in cases if case.capability == capability and not passes(case, known)
            ),
        )
        for capability in dict.fromkeys(case.capability for case in cases)
    ]


def passes(case: Case, known: Mapping[str, Score]) -> bool:
    """Tell whether the scores are as expected; a text without a score passes nothing."""
    scores = [known.get(text) for text in case.texts]
    if None in scores:
        return False
    first, last = cast("Score", scores[0]), cast("Score", scores[-1])
    if case.expected in LABELS:
        return first.label == case.expected
    if case.expected == "same":
        return first.label == last.label
    moved = last.score - first.score
    end = last.score
    if case.expected == "down":
        moved, end = -moved, -end
    return moved > 0 or end > 1 - END


def table(found: Sequence[Rate]) -> str:
    """Write pass rates as the rows of a Markdown table."""
    cases = sum(rate.cases for rate in found)
    failed = sum(len(rate.failed) for rate in found)
    rows = [f"| {rate.capability} | {rate.cases} | {rate.passed:.0f} |" for rate in found]
    return "\n".join([*rows, f"| all | {cases} | {100 * (1 - failed / cases):.0f} |"])


def main() -> None:
    """Print the pass rates of a model, and the cases it fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=DEFAULT_DIRECTORY)
    arguments = parser.parse_args()
    found = rates(SentimentModel.load(arguments.directory), read())
    print("| Capability | Cases | Passed, percent |", "|---|---|---|", table(found), sep="\n")  # noqa: T201
    for case in (case for rate in found for case in rate.failed):
        print(f"failed: {case}")  # noqa: T201


if __name__ == "__main__":
    main()
