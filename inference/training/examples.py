"""Reads texts and what they are labelled with, and turns them into batches of token ids."""

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


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the index of its label in LABELS."""

    text: str
    label: int
    source: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A text with the probability of each of LABELS."""

    text: str
    shares: tuple[float, float, float]


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
    """Load an encoder's tokenizer, without the fixed padding it is published with, and teach it emoji."""
    loaded = Tokenizer.from_file(str(path))
    emoji.teach(loaded)
    loaded.no_padding()
    loaded.enable_truncation(max_tokens)
    return loaded


def batches(
    tokens: Tokenizer, texts: Sequence[str], size: int, *, padding: int = 0
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Yield texts of similar length together: which they are, their ids and their mask, both (size, tokens)."""
    encoded = [each.ids for each in tokens.encode_batch(list(texts))]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        longest = len(encoded[part[-1]])
        short = [longest - len(encoded[index]) for index in part]
        ids = [encoded[i] + [padding] * lacking for i, lacking in zip(part, short, strict=True)]
        mask = [[1.0] * (longest - lacking) + [0.0] * lacking for lacking in short]
        yield part, torch.tensor(ids), torch.tensor(mask)
