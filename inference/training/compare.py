"""Puts our model beside VADER and a logistic head on the frozen encoder, on texts none of them was trained on."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from inference.sentiment import LABELS, SentimentModel
from inference.training import evaluate, examples, fine_foods, gold, pool
from inference.training.encoder import HIDDEN, MAX_TOKENS, PUBLISHED, Classifier
from inference.training.examples import Example
from inference.training.fine_foods import NAME as FINE_FOODS

Probabilities: TypeAlias = NDArray[np.float64]
Judge: TypeAlias = Callable[[Sequence[Example]], Probabilities]

SEED = 20140601
# Of each set and of the frozen encoder's training texts at most so many, drawn once: it takes minutes, not an hour.
MOST_TESTED = 600
MOST_FITTED = 5000
BATCH = 64
LICENCES = {
    "VADER": "MIT",
    "GoEmotions": "Apache-2.0",
    "UCI Sentiment Labelled Sentences": "CC BY 4.0",
    FINE_FOODS: "CC0",
}
# VADER's authors: neutral is what lies between.
VADER_NEUTRAL = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one set, for each model, in percent."""

    name: str
    texts: int
    figure: str
    values: tuple[float, ...]


def ours(model: SentimentModel) -> Judge:
    """Judge with the model that the server loads."""
    return lambda rows: evaluate.probabilities(model, rows)


def vader() -> Judge:
    """Judge with VADER; its compound score made into odds that give its authors' three classes."""
    analyzer = SentimentIntensityAnalyzer()

    def judge(rows: Sequence[Example]) -> Probabilities:
        compound = np.array([analyzer.polarity_scores(row.text)["compound"] for row in rows])
        odds = np.stack([-compound, np.full(len(rows), VADER_NEUTRAL), compound], axis=1)
        odds = np.clip(odds, 1e-9, None)
        return odds / odds.sum(axis=1, keepdims=True)

    return judge


def frozen(trained: Sequence[Example]) -> Judge:
    """Judge with a logistic regression on what the published encoder makes of a text."""
    torch.manual_seed(SEED)
    encoder = Classifier.pretrained(PUBLISHED / "model.safetensors").eval()
    rows = examples.drawn(trained, MOST_FITTED)
    features, labels = pooled(encoder, rows), torch.tensor([row.label for row in rows])
    head = nn.Linear(HIDDEN, len(LABELS))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        penalty = 1e-4 * head.weight.square().sum()
        found = nn.functional.cross_entropy(head(features), labels) + penalty
        found.backward()
        return found

    optimizer.step(loss)

    def judge(tested: Sequence[Example]) -> Probabilities:
        with torch.inference_mode():
            return head(pooled(encoder, tested)).softmax(dim=1).double().numpy()

    return judge


def pooled(encoder: Classifier, rows: Sequence[Example]) -> Tensor:
    """Embed texts, of similar length together, each to length 1: (texts, hidden)."""
    tokens = examples.tokenizer(PUBLISHED / "tokenizer.json", MAX_TOKENS)
    found = torch.empty(len(rows), HIDDEN)
    with torch.inference_mode():
        for part, ids, mask in examples.batches(tokens, [row.text for row in rows], BATCH):
            found[part] = encoder.pooled(ids, mask)
    return nn.functional.normalize(found)


def compare(sets: Mapping[str, Sequence[Example]], judges: Sequence[Judge]) -> list[Row]:
    """Measure every model on every set."""
    found: list[Row] = []
    for name, rows in sets.items():
        answers = [judge(rows) for judge in judges]
        found += [
            Row(name, len(rows), figure, tuple(measure(answer, rows) for answer in answers))
            for figure, measure in figures(name, rows).items()
        ]
    return found


def figures(
    name: str, rows: Sequence[Example]
) -> Mapping[str, Callable[[Probabilities, Sequence[Example]], float]]:
    """Choose what says most of a set: by its labels."""
    if name == FINE_FOODS:
        return {"area under the curve": area}
    if {row.label for row in rows} == set(range(len(LABELS))):
        return {"macro recall": lambda found, rows: evaluate.measure("", found, rows).macro_recall}
    return {
        "accuracy, neutral is wrong": lambda found, rows: (
            evaluate.measure("", found, rows).accuracy
        ),
        "accuracy of the sign": evaluate.polar_accuracy,
    }


def area(found: Probabilities, rows: Sequence[Example]) -> float:
    """Tell how often a text of the upper class has a higher score than one of the lower, in percent."""
    positive = LABELS.index("POSITIVE")
    scores = found[:, positive] - found[:, 0]
    upper = np.array([row.label == positive for row in rows])
    pairs = scores[upper][:, None] - scores[~upper][None, :]
    return 100 * float((pairs > 0).mean() + (pairs == 0).mean() / 2)


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Write a Markdown table."""
    head = (
        f"| Texts | Licence | Number | Figure | {' | '.join(names)} |\n|{'---|' * (4 + len(names))}"
    )
    return "\n".join(
        [head]
        + [
            f"| {row.name} | {LICENCES[row.name.split(',')[0]]} | {row.texts:,} | {row.figure} "
            f"| {' | '.join(f'{value:.1f}' for value in row.values)} |"
            for row in rows
        ]
    )


def main() -> None:
    """Print the table of docs/sentiment.md."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("judged", type=Path, help="judged.jsonl.gz, written by pool")
    parser.add_argument("dev", type=Path, help="sentiment-dev.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("modeldata", type=Path, help="modeldata/data of r-cran-modeldata")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    labelled = examples.read(arguments.texts, gold.SOURCES)
    trained = [*labelled, *pool.read(arguments.judged)]
    held_out = evaluate.read_vader(arguments.sdist, trained)
    sets = {f"VADER, {genre}": rows[1::2] for genre, rows in held_out.items()}
    sets |= evaluate.read_dev(arguments.dev, trained)
    sets[FINE_FOODS] = fine_foods.read(arguments.modeldata, "testing_data")
    model = SentimentModel.load()
    judges = {model.name: ours(model), "VADER": vader(), "frozen MiniLM": frozen(labelled)}
    sets = {name: examples.drawn(rows, MOST_TESTED) for name, rows in sets.items()}
    print(table(compare(sets, list(judges.values())), list(judges)))  # noqa: T201


if __name__ == "__main__":
    main()
