"""What config.json says of the model beside it: ours, or any text classifier exported from Hugging Face."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from inference.polarity import LabelsError, Polarity

# The model reads so much at once; longer sentences are read in several parts.
WINDOW = 128
# Models of these kinds count positions from the one after the padding token's.
_OFFSET_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "mpnet"})


class ModelError(Exception):
    """The model's files are missing, damaged or not what their configuration says."""


@dataclass(frozen=True, slots=True)
class Config:
    """What is needed to run the model and to read its answers."""

    name: str
    polarity: Polarity
    max_length: int
    pad_id: int
    temperature: float
    languages: frozenset[str]
    sha256: Mapping[str, str]

    @classmethod
    def read(
        cls, directory: Path, *, labels: tuple[str, ...] = (), languages: tuple[str, ...] = ()
    ) -> "Config":
        """Read config.json; `labels` and `languages` go before what it says. Raises ModelError."""
        try:
            content = (directory / "config.json").read_bytes()
        except OSError as error:
            raise ModelError(f"The sentiment model cannot be read: {error}") from error
        try:
            return cls._of(orjson.loads(content), directory, labels, languages)
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            if isinstance(error, LabelsError):
                raise ModelError(str(error)) from None
            raise ModelError(
                f"The sentiment model's config.json is no configuration: {error!r}"
            ) from error

    @classmethod
    def _of(
        cls,
        stored: Mapping[str, Any],
        directory: Path,
        labels: tuple[str, ...],
        languages: tuple[str, ...],
    ) -> "Config":
        named = stored["id2label"]
        outputs = [str(named[str(index)]) for index in range(len(named))]
        if labels and len(labels) != len(outputs):
            raise LabelsError(
                f"SENTIMENT_LABELS names {len(labels)} labels, and the model has {len(outputs)}."
            )
        pad_id = stored.get("pad_token_id")
        return cls(
            name=stored.get("name") or directory.resolve().name,
            polarity=Polarity(labels or outputs),
            max_length=_max_length(stored, pad_id or 0),
            pad_id=pad_id or 0,
            temperature=float(stored.get("temperature") or 1.0),
            languages=frozenset(languages or stored.get("languages") or ("en",)),
            sha256=dict(stored.get("sha256") or {}),
        )


def _max_length(stored: Mapping[str, Any], pad_id: int) -> int:
    # In other models' configurations max_length is that of texts to generate, if it is there.
    longest = stored["max_length"] if "name" in stored else WINDOW
    positions = stored.get("max_position_embeddings") or longest
    if stored.get("model_type") in _OFFSET_POSITIONS:
        positions -= pad_id + 1
    return int(min(longest, positions))
