"""Teaches MiniLM what the teacher and people think of texts, and stores its weights."""

import argparse
import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from inference.training import examples, pool
from inference.training.descent import apart, descend
from inference.training.encoder import MAX_TOKENS, PUBLISHED, Classifier
from inference.training.examples import Judged

BATCH = 64
# Texts of similar length are looked for among so many at a time, drawn anew in each epoch.
BUCKETED = 50 * BATCH
EPOCHS = 3
LEARNING_RATE = 1e-4
SEED = 20140601

log = logging.getLogger(__name__)


def distil(rows: Sequence[Judged]) -> Classifier:
    """Train the whole published encoder on all rows for EPOCHS."""
    torch.manual_seed(SEED)
    model = Classifier.pretrained(PUBLISHED / "model.safetensors")

    def losses() -> Iterator[Tensor]:
        for epoch in range(EPOCHS):
            for ids, mask, shares in batches(rows, seed=SEED + epoch):
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model(ids, mask)
                yield apart(logits, shares)

    model.train()
    steps = EPOCHS * -(-len(rows) // BATCH)
    descend(list(model.parameters()), losses(), steps=steps, rate=LEARNING_RATE)
    return model.eval()


def batches(rows: Sequence[Judged], *, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield one epoch: ids and mask (n, tokens), and shares (n, labels)."""
    tokens = examples.tokenizer(PUBLISHED / "tokenizer.json", MAX_TOKENS)
    chance = random.Random(seed)  # noqa: S311 -- a fixed seed is the point
    order = chance.sample(rows, len(rows))
    chunks = [order[start : start + BUCKETED] for start in range(0, len(order), BUCKETED)]
    parts = [
        (ids, mask, torch.tensor([chunk[index].shares for index in part]))
        for chunk in chunks
        for part, ids, mask in examples.batches(tokens, [row.text for row in chunk], BATCH)
    ]
    yield from chance.sample(parts, len(parts))


def main() -> None:
    """Train on what `pool` wrote and store the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("judged", type=Path, help="judged.jsonl.gz, written by pool")
    parser.add_argument("weights", type=Path, help="where to write weights.safetensors")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    rows = pool.read(arguments.judged)
    log.info("%d texts", len(rows))
    save_file(distil(rows).state_dict(), arguments.weights)


if __name__ == "__main__":
    main()
