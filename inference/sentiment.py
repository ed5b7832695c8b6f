"""Scores the sentiment of English texts with a small ONNX model on one CPU thread."""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import onnxruntime
import orjson
from numpy.typing import NDArray
from tokenizers import Tokenizer

Label: TypeAlias = Literal["NEGATIVE", "NEUTRAL", "POSITIVE"]
Tokens: TypeAlias = list[int]

LABELS: tuple[Label, ...] = get_args(Label)
DEFAULT_DIRECTORY = Path(__file__).parent / "models" / "sentiment"
FILES = ("tokenizer.json", "model.onnx")
BATCH = 32
# A batch's longest text may be this much longer than its shortest.
LONGER = 1.25
LONGER_TOKENS = 4
# No token the model reads lies further out, unless words are longer than 30 letters on average.
CHARACTERS = 4096


class ModelError(Exception):
    """The model's files are missing, damaged or not what their configuration says."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the model makes of one text."""

    label: Label
    score: float
    """p(positive) - p(negative), from -1 to 1."""
    confidence: float
    """The probability of `label`, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Config:
    """What config.json says about the two files beside it."""

    name: str
    labels: tuple[Label, ...]
    max_length: int
    temperature: float
    sha256: Mapping[str, str]

    @classmethod
    def read(cls, content: bytes) -> "Config":
        """Parse config.json; raises ModelError."""
        try:
            stored = orjson.loads(content)
            named = stored["id2label"]
            labels = tuple(named[str(index)].upper() for index in range(len(named)))
            config = cls(
                name=stored["name"],
                labels=labels,
                max_length=stored["max_length"],
                temperature=stored["temperature"],
                sha256={name: stored["sha256"][name] for name in FILES},
            )
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise ModelError(
                f"The sentiment model's config.json is no configuration: {error!r}"
            ) from error
        if sorted(labels) != sorted(LABELS):
            raise ModelError(f"The sentiment model's labels must be {LABELS}, not {labels}.")
        return config


def name_of(directory: Path) -> str:
    """The name and version of the model in a directory, without loading it; raises ModelError."""
    try:
        return Config.read((directory / "config.json").read_bytes()).name
    except OSError as error:
        raise ModelError(f"The sentiment model cannot be read: {error}") from error


class SentimentModel:
    """A tokenizer and a graph, loaded once; threads may share it."""

    def __init__(
        self, config: Config, tokenizer: Tokenizer, session: onnxruntime.InferenceSession
    ) -> None:
        self.name = config.name
        self._config = config
        self._session = session
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(config.max_length)
        self._unknown = tokenizer.token_to_id("[UNK]")

    @classmethod
    def load(cls, directory: Path = DEFAULT_DIRECTORY, *, threads: int = 1) -> "SentimentModel":
        """Read config.json, tokenizer.json and model.onnx.

        Raises ModelError if one is missing or differs from the SHA-256 in config.json.
        """
        try:
            config = Config.read((directory / "config.json").read_bytes())
            files = {name: (directory / name).read_bytes() for name in FILES}
        except OSError as error:
            raise ModelError(f"The sentiment model cannot be read: {error}") from error
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != config.sha256[name]:
                raise ModelError(
                    f"{directory / name} is damaged: it differs from the SHA-256 in config.json."
                )
        tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
        return cls(config, tokenizer, open_graph(files["model.onnx"], threads))

    def score(self, texts: Sequence[str]) -> list[Score | None]:
        """Score each text, in order; blocks for some milliseconds a sentence.

        None stands for a text that the model cannot know: a blank one, one written mostly in
        letters other than Latin, or one without a single known token (emoji only). The model
        reads a text's first 128 tokens (about 90 words) and ignores the rest. A score does not
        depend on the other texts of the call.
        """
        known = {index: ids for index, text in enumerate(texts) if (ids := self._read(text))}
        scores: list[Score | None] = [None] * len(texts)
        for batch in batches(known):
            rows = self._probabilities([known[index] for index in batch])
            for index, row in zip(batch, rows.tolist(), strict=True):
                scores[index] = self._scored(row)
        return scores

    def _read(self, text: str) -> Tokens | None:
        """Turn a text into tokens, or None if the model cannot know it."""
        # Lone surrogates may come out of JSON; the tokenizer takes only what UTF-8 can hold.
        head = text.strip()[:CHARACTERS].encode(errors="replace").decode()
        if not head or not is_latin(head):
            return None
        ids: Tokens = self._tokenizer.encode(head).ids
        words = ids[1:-1]
        return None if all(token == self._unknown for token in words) else ids

    def _probabilities(self, batch: Sequence[Tokens]) -> NDArray[np.float64]:
        """Run the graph on one batch, shortest text first: (texts, labels)."""
        longest = len(batch[-1])
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros((len(batch), longest), np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        (logits,) = self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        scaled = logits.astype(np.float64) / self._config.temperature
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return cast("NDArray[np.float64]", odds / odds.sum(axis=1, keepdims=True))

    def _scored(self, row: Sequence[float]) -> Score:
        chances = dict(zip(self._config.labels, row, strict=True))
        label = max(chances, key=chances.__getitem__)
        return Score(label, chances["POSITIVE"] - chances["NEGATIVE"], chances[label])


def batches(known: Mapping[int, Tokens]) -> Iterator[list[int]]:
    """Group texts of similar length, shortest first, so that little of a batch is padding."""
    batch: list[int] = []
    for index in sorted(known, key=lambda index: len(known[index])):
        if len(batch) == BATCH or (
            batch and len(known[index]) > len(known[batch[0]]) * LONGER + LONGER_TOKENS
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def open_graph(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Open a graph so that it shares a server's cores politely: no pool of spinning threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each status.
        raise ModelError(f"The sentiment model cannot be run: {error}") from error


def is_latin(text: str) -> bool:
    """Tell whether at least half of a text's letters are of the Latin script.

    A cheap guard against what an English model cannot read at all, by the names Unicode gives
    to letters. It is not language identification: French passes. A text without letters passes.
    """
    if text.isascii():
        return True
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter.isascii() or "LATIN" in unicodedata.name(letter, "") for letter in letters)
    return 2 * latin >= len(letters)
