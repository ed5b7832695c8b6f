"""Reads the labelled texts and turns them into batches of token ids."""

import gzip
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.training import emoji

LABELS = ("negative", "neutral", "positive")
BATCH = 64
BUCKETED = 50 * BATCH


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the index of its label in LABELS."""

    text: str
    label: int
    source: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of similar length, padded to the longest: ids and mask (n, tokens), labels (n)."""

    ids: Tensor
    mask: Tensor
    labels: Tensor


def read(path: Path, sources: Iterable[str]) -> list[Example]:
    """Read the rows of the named sources from gzipped JSON lines, each text once."""
    wanted = frozenset(sources)
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in lines]
    unique = {
        row["text"]: Example(row["text"], LABELS.index(row["label"]), row["source"])
        for row in rows
        if row["source"] in wanted
    }
    return list(unique.values())


def drawn(rows: Sequence[Example], most: int) -> list[Example]:
    """Take at most so many, always the same."""
    chance = random.Random(most)  # noqa: S311 -- a fixed seed is the point
    return chance.sample(list(rows), min(most, len(rows)))


def tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    """Load the encoder's tokenizer, without the fixed padding it is published with, and teach it emoji."""
    loaded = Tokenizer.from_file(str(path))
    emoji.teach(loaded)
    loaded.no_padding()
    loaded.enable_truncation(max_tokens)
    return loaded


def batches(tokens: Tokenizer, examples: list[Example], *, seed: int) -> Iterator[Batch]:
    """Yield one epoch: shuffled, sorted by length inside large chunks, batches shuffled again."""
    chance = random.Random(seed)  # noqa: S311 -- a fixed seed is the point
    order = chance.sample(examples, len(examples))
    encoded = [
        (encoding.ids, example.label)
        for example, encoding in zip(
            order, tokens.encode_batch([example.text for example in order]), strict=True
        )
    ]
    chunks = [
        sorted(encoded[start : start + BUCKETED], key=lambda pair: len(pair[0]))
        for start in range(0, len(encoded), BUCKETED)
    ]
    parts = [
        chunk[start : start + BATCH] for chunk in chunks for start in range(0, len(chunk), BATCH)
    ]
    for part in chance.sample(parts, len(parts)):
        yield padded(part)


def padded(rows: list[tuple[list[int], int]]) -> Batch:
    """Pad with zeros, the id of [PAD]."""
    longest = max(len(ids) for ids, _ in rows)
    return Batch(
        ids=torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows]),
        mask=torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in rows]),
        labels=torch.tensor([label for _, label in rows]),
    )
