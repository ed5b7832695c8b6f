"""Trains a fine-tuned model on: a mixture balanced by domain, with texts written for what it got wrong.

Each seed draws its own mixture. The weights of several seeds, which start from the same model, are
then averaged (`average.py`): as good as their ensemble, at the price of one.
"""

import argparse
import logging
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from inference.training import evaluate, examples, templates, train
from inference.training.encoder import Classifier
from inference.training.examples import Example

LEARNING_RATE = 5e-5
DISTURBED = 0.15
SOURCE = "Earful"
SHARES = {
    "product reviews": 2200,
    "tweets": 2600,
    "newspaper opinion": 800,
    "film reviews": 1400,
    "DynaSent": 2800,
}

log = logging.getLogger(__name__)


def mixture(texts: Path, sdist: Path, *, seed: int) -> list[Example]:
    """Draw texts by domain, fill the templates, and write some of all that as people in a hurry do."""
    chance = random.Random(seed)  # noqa: S311 -- a fixed seed is the point
    domains = by_domain(examples.read(texts, train.SOURCES), sdist)
    drawn = [
        row for domain, count in SHARES.items() for row in chance.sample(domains[domain], count)
    ]
    written = own(templates.written())
    plain = [*drawn, *own(templates.filled(seed=seed))]
    return [
        *written,
        *(disturb(row, chance) for row in written),
        *(disturb(row, chance) if chance.random() < DISTURBED else row for row in plain),
    ]


def own(rows: Iterable[templates.Labelled]) -> list[Example]:
    """Name this repository as the source."""
    return [Example(text, label, SOURCE) for text, label in rows]


def by_domain(rows: Sequence[Example], sdist: Path) -> dict[str, list[Example]]:
    """Tell VADER's four genres apart, by text."""
    genres = {
        evaluate.key(text): genre
        for file, genre in evaluate.VADER_GENRES.items()
        for _, text in evaluate.rated(sdist, file)
    }
    found: dict[str, list[Example]] = {}
    for row in rows:
        found.setdefault(genres.get(evaluate.key(row.text), row.source), []).append(row)
    return found


def disturb(row: Example, chance: random.Random) -> Example:
    """Keep the label, change how it is written."""
    return Example(templates.disturbed(row.text, chance), row.label, row.source)


def main() -> None:
    """Train weights on, for one epoch, from one seed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("start", type=Path, help="weights.safetensors, written by train")
    parser.add_argument("weights", type=Path, help="where to write the weights of this seed")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    rows = mixture(arguments.texts, arguments.sdist, seed=arguments.seed)
    log.info("%d texts", len(rows))
    model = Classifier()
    model.load_state_dict(load_file(arguments.start))
    model.embeddings.word_embeddings.weight.requires_grad_(requires_grad=False)
    train.run(model, rows, seed=arguments.seed, epochs=1, rate=LEARNING_RATE)
    save_file(model.state_dict(), arguments.weights)


if __name__ == "__main__":
    main()
