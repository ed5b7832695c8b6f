"""Fine-tunes a larger encoder, whose judgement the small one then learns (`distil.py`).

all-mpnet-base-v2 (Apache-2.0; 12 layers of 768) lies in five packages of PyPI, as the parts of one zip file. Only its
upper layers are trained: what the lower ones make of each batch is computed once.
"""

import argparse
import hashlib
import logging
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import MPNetConfig, MPNetModel

from inference.training import examples, gold
from inference.training.descent import apart, descend
from inference.training.examples import Judged

WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
UNUSED = {"embeddings.position_ids", "pooler.dense.bias", "pooler.dense.weight"}
HIDDEN = 768
FROZEN = 6
MAX_TOKENS = 96
PADDING = 1
BATCH = 32
EPOCHS = 2
LEARNING_RATE = 4e-5
SEED = 20140601

log = logging.getLogger(__name__)


class Teacher(nn.Module):
    """The encoder, and a head on the mean of its last layer's states."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.encoder = MPNetModel(MPNetConfig.from_pretrained(directory), add_pooling_layer=False)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(HIDDEN, 3)

    @classmethod
    def pretrained(cls, directory: Path) -> "Teacher":
        """Read the published weights; only the head starts at random."""
        weights = directory / "model.safetensors"
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != WEIGHTS_SHA256:
            message = f"{weights} has the sha256 {found}, not {WEIGHTS_SHA256}."
            raise ValueError(message)
        model = cls(directory)
        missing, unexpected = model.encoder.load_state_dict(load_file(weights), strict=False)
        if missing or set(unexpected) - UNUSED:
            message = f"The encoder's weights do not fit: {missing=}, {unexpected=}."
            raise ValueError(message)
        return model

    @classmethod
    def trained(cls, directory: Path, weights: Path) -> "Teacher":
        """Read what `main` wrote, ready to judge."""
        model = cls(directory)
        model.load_state_dict(load_file(weights))
        return model.eval()

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        """States after the frozen layers: (batch, tokens, hidden)."""
        states = self.encoder.embeddings(input_ids=ids)
        return self._through(self.encoder.encoder.layer[:FROZEN], states, mask)

    def upper(self, states: Tensor, mask: Tensor) -> Tensor:
        """Three logits of each text: (batch, 3)."""
        states = self._through(self.encoder.encoder.layer[FROZEN:], states, mask)
        share = mask / mask.sum(dim=1, keepdim=True)
        return self.head(self.dropout((states * share[:, :, None]).sum(dim=1)))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.upper(self.lower(ids, mask), mask)

    def _through(self, layers: Sequence[nn.Module], states: Tensor, mask: Tensor) -> Tensor:
        bias = self.encoder.encoder.compute_position_bias(states)
        hidden = (1.0 - mask)[:, None, None, :] * -10000.0
        for layer in layers:
            states = layer(states, hidden, bias)[0]
        return states


def batches(directory: Path, texts: Sequence[str]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Yield texts of similar length, as the encoder in the directory reads them."""
    tokens: Tokenizer = examples.tokenizer(directory / "tokenizer.json", MAX_TOKENS)
    return examples.batches(tokens, texts, BATCH, padding=PADDING)


def fine_tune(model: Teacher, directory: Path, rows: Sequence[Judged]) -> None:
    """Train the upper layers for EPOCHS; the batches stay the same, their order does not."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)  # noqa: S311 -- a fixed seed is the point
    started = time.monotonic()
    model.eval()
    kept = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for part, ids, mask in batches(directory, [row.text for row in rows]):
            shares = torch.tensor([rows[index].shares for index in part])
            kept.append((model.lower(ids, mask).bfloat16(), mask, shares))
    log.info("lower layers: %.0f s", time.monotonic() - started)

    def losses() -> Iterator[Tensor]:
        for _ in range(EPOCHS):
            for states, mask, shares in chance.sample(kept, len(kept)):
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model.upper(states.float(), mask)
                yield apart(logits, shares)

    model.train()
    trained = [*model.encoder.encoder.layer[FROZEN:].parameters(), *model.head.parameters()]
    descend(trained, losses(), steps=EPOCHS * len(kept), rate=LEARNING_RATE)
    model.eval()


def logits_of(model: Teacher, directory: Path, texts: Sequence[str]) -> Tensor:
    """The teacher's judgement: (texts, 3)."""
    found = torch.empty(len(texts), 3)
    started, done = time.monotonic(), 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for number, (part, ids, mask) in enumerate(batches(directory, texts), 1):
            found[part] = model(ids, mask).float()
            done += len(part)
            if number % 100 == 0:
                log.info("%d of %d texts, %.0f s", done, len(texts), time.monotonic() - started)
    return found


def main() -> None:
    """Train the teacher and store its weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("encoder", type=Path, help="all-mpnet-base-v2, unpacked")
    parser.add_argument("weights", type=Path, help="where to write teacher.safetensors")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    rows = gold.read(arguments.texts, arguments.sdist)
    log.info("%d texts", len(rows))
    model = Teacher.pretrained(arguments.encoder)
    fine_tune(model, arguments.encoder, rows)
    save_file(model.state_dict(), arguments.weights)


if __name__ == "__main__":
    main()
