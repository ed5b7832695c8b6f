"""Scores the sentiment of texts, and of each of their sentences, with a small ONNX model."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from inference import language, sentences
from inference.config import WINDOW, Config, ModelError
from inference.graph import Graph, Tokens
from inference.polarity import LABELS, Label

__all__ = [
    "LABELS",
    "Label",
    "ModelError",
    "Reading",
    "Score",
    "SentimentModel",
    "Span",
    "Unscored",
]

Reason: TypeAlias = Literal["BLANK", "UNKNOWN_LANGUAGE", "NO_KNOWN_WORDS"]
Chances: TypeAlias = Sequence[float]
"""Of one text, sentence or part: the probabilities of LABELS."""

_Part = TypeVar("_Part")

DEFAULT_DIRECTORY = Path(__file__).parent / "models" / "sentiment"
TOKENIZER, GRAPH = "tokenizer.json", "model.onnx"
# Of a text of more parts than that (sentences, or windows of long ones) the first and the last half are read.
MOST_PARTS = 64
# Windows of a sentence that is too long to be read at once have so many tokens in common.
OVERLAP = 16
# A sentence counts as much as it judges: 1 - p(neutral), and this much if not at all.
LEAST_WEIGHT = 0.1
BATCH = 32
# A batch's longest text may be this much longer than its shortest.
LONGER = 1.25
LONGER_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Span:
    """What the model makes of one sentence: [start, end) in code points of the text as it was given."""

    start: int
    end: int
    label: Label
    score: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Score:
    """What the model makes of one text."""

    label: Label
    score: float
    """p(positive) - p(negative), from -1 to 1."""
    confidence: float
    """The probability of `label`, from 0 to 1."""
    spans: tuple[Span, ...] = ()
    """One for each sentence, in order."""
    language: str | None = None
    """ISO 639-1, where it is known."""
    model: str = ""
    """The name of the model that says so."""


@dataclass(frozen=True, slots=True)
class Unscored:
    """Why the model says nothing of a text, and its language where that is known."""

    reason: Reason
    language: str | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text ready for the graph: its parts, and which sentence each is of."""

    language: str | None
    bounds: Sequence[sentences.Bounds]
    parts: Sequence[Tokens]
    sentence: Sequence[int]


def name_of(directory: Path) -> str:
    """The name and version of the model in a directory, without loading it; raises ModelError."""
    return Config.read(directory).name


class SentimentModel:
    """A tokenizer and a graph, loaded once; threads may share it."""

    def __init__(self, config: Config, tokenizer: Tokenizer, graph: Graph) -> None:
        self.name = config.name
        self._config = config
        self._graph = graph
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._no_words = _without_meaning(tokenizer)
        longest = min(config.max_length, graph.columns or WINDOW)
        overlap = min(OVERLAP, longest // 4)
        tokenizer.enable_truncation(longest, stride=overlap)

    @classmethod
    def load(
        cls,
        directory: Path = DEFAULT_DIRECTORY,
        *,
        threads: int = 1,
        labels: tuple[str, ...] = (),
        languages: tuple[str, ...] = (),
    ) -> "SentimentModel":
        """Read config.json, tokenizer.json and model.onnx (or onnx/model.onnx); try the model once.

        `labels` and `languages` go before those of config.json. Raises ModelError if a file is missing, damaged (it
        differs from the SHA-256 in config.json, where there is one) or none that can be used.
        """
        config = Config.read(directory, labels=labels, languages=languages)
        graph = directory / GRAPH
        files = {
            TOKENIZER: directory / TOKENIZER,
            GRAPH: graph if graph.exists() else directory / "onnx" / GRAPH,
        }
        try:
            for name, path in files.items():
                _check(path, config.sha256.get(name))
            tokenizer = Tokenizer.from_file(str(files[TOKENIZER]))
        except OSError as error:
            raise ModelError(f"The sentiment model cannot be read: {error}") from error
        except Exception as error:  # the tokenizers raise no class of their own.
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"The sentiment model's tokenizer cannot be used: {error}") from error
        opened = Graph(
            files[GRAPH], threads=threads, pad_id=config.pad_id, labels=config.polarity.labels
        )
        return cls(config, tokenizer, opened)

    def score(self, texts: Sequence[str]) -> list[Score | Unscored]:
        """Score each text, in order; blocks for some milliseconds a sentence.

        Sentences are scored by themselves, and make up the text's score: see `judge`. Unscored is a blank text, one in
        a language that the model does not know, or one without a single known word. A score does not
        depend on the other texts of the call.
        """
        readings = self.read(texts)
        parts = [
            part for reading in readings if isinstance(reading, Reading) for part in reading.parts
        ]
        found: list[Chances] = [()] * len(parts)
        for batch in batches(parts):
            for index, chances in zip(batch, self.run([parts[i] for i in batch]), strict=True):
                found[index] = chances
        rows = iter(found)
        return [
            reading
            if isinstance(reading, Unscored)
            else self.judge(reading, [next(rows) for _ in reading.parts])
            for reading in readings
        ]

    def read(self, texts: Sequence[str]) -> list[Reading | Unscored]:
        """Tell the languages, find the sentences and turn them into tokens."""
        readings: list[Reading | Unscored | None] = []
        known: list[tuple[int, str | None, list[sentences.Bounds]]] = []
        inputs: list[str] = []
        for index, given in enumerate(texts):
            # Lone surrogates may come out of JSON; the tokenizer takes only what UTF-8 can hold.
            text = given.encode(errors="replace").decode()
            bounds = _limited(sentences.split(text))
            said = language.identify(text, self._config.languages)
            readings.append(self._refusal(bounds, said))
            if readings[-1] is None:
                known.append((index, said.code, bounds))
                inputs += [text[start:end] for start, end in bounds]
            # Others may have the interpreter between two texts: an event loop is not to wait for all of them.
            time.sleep(0)
        encoded = iter(self._tokenizer.encode_batch_fast(inputs))
        for index, code, bounds in known:
            readings[index] = self._reading(code, bounds, [next(encoded) for _ in bounds])
        return [reading for reading in readings if reading is not None]

    def run(self, parts: Sequence[Tokens]) -> list[Chances]:
        """Run the graph on parts of similar length."""
        scaled = self._graph.logits(parts) / self._config.temperature
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        chances: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        rows: list[Chances] = self._config.polarity.of(chances).tolist()
        return rows

    def judge(self, reading: Reading, rows: Sequence[Chances]) -> Score:
        """Make a score of what the graph says of each part.

        A text's probabilities are the means of its sentences', each weighted by 1 - p(neutral): what judges counts,
        what merely tells hardly does. Likewise a long sentence's and its windows'.
        """
        spans, means = [], []
        for sentence, found in groupby(zip(reading.sentence, rows, strict=True), itemgetter(0)):
            mean = together([chances for _, chances in found])
            means.append(mean)
            start, end = reading.bounds[sentence]
            spans.append(Span(start, end, *_verdict(mean)))
        return Score(*_verdict(together(means)), tuple(spans), reading.language, self.name)

    def _refusal(
        self, bounds: Sequence[sentences.Bounds], said: language.Language
    ) -> Unscored | None:
        if not bounds:
            return Unscored("BLANK", None, self.name)
        return None if said.known else Unscored("UNKNOWN_LANGUAGE", said.code, self.name)

    def _reading(
        self, code: str | None, bounds: Sequence[sentences.Bounds], encoded: Sequence[Encoding]
    ) -> Reading | Unscored:
        parts = [
            (part.ids, sentence)
            for sentence, whole in enumerate(encoded)
            for part in (whole, *whole.overflowing)
            if not self._no_words.issuperset(part.ids)
        ]
        if not parts:
            return Unscored("NO_KNOWN_WORDS", code, self.name)
        tokens, owners = zip(*_limited(parts), strict=True)
        return Reading(code, bounds, tokens, owners)


def together(rows: Sequence[Chances]) -> Chances:
    """The weighted mean of the probabilities of several parts; a single one stays what it is."""
    if len(rows) == 1:
        return rows[0]
    neutral = LABELS.index("NEUTRAL")
    weights = [LEAST_WEIGHT + 1 - chances[neutral] for chances in rows]
    total = sum(weights)
    return [
        sum(weight * chance for weight, chance in zip(weights, column, strict=True)) / total
        for column in zip(*rows, strict=True)
    ]


def batches(parts: Sequence[Tokens]) -> Iterator[list[int]]:
    """Group parts of similar length, shortest first, so that little of a batch is padding."""
    batch: list[int] = []
    for index in sorted(range(len(parts)), key=lambda index: len(parts[index])):
        if len(batch) == BATCH or (
            batch and len(parts[index]) > len(parts[batch[0]]) * LONGER + LONGER_TOKENS
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _verdict(chances: Chances) -> tuple[Label, float, float]:
    negative, _, positive = chances
    confidence = max(chances)
    return LABELS[chances.index(confidence)], positive - negative, confidence


def _limited(parts: list[_Part]) -> list[_Part]:
    """The parts that are read of a text's many."""
    half = MOST_PARTS // 2
    return parts if len(parts) <= MOST_PARTS else parts[:half] + parts[-half:]


def _check(path: Path, expected: str | None) -> None:
    """Raise ModelError if the file differs from what it was; OSError if it is not there."""
    with path.open("rb") as file:
        if expected is not None and hashlib.file_digest(file, "sha256").hexdigest() != expected:
            raise ModelError(f"{path} is damaged: it differs from the SHA-256 in config.json.")


def _without_meaning(tokenizer: Tokenizer) -> frozenset[int]:
    """The tokens that are no words: those around every text, and the one for what is not known."""
    unknown = (tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>"))
    return frozenset((*tokenizer.encode("").ids, *(id_ for id_ in unknown if id_ is not None)))
