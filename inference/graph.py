"""Runs a text classifier's ONNX graph on batches of tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.config import ModelError

Tokens: TypeAlias = Sequence[int]

_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"
_INTEGERS: dict[str, Any] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class Graph:
    """A graph opened once; threads may share it."""

    def __init__(self, path: Path, *, threads: int, pad_id: int, labels: int) -> None:
        """Open model.onnx and try it once; raises ModelError."""
        self._session = _open(path, threads)
        self._pad_id, self._labels = pad_id, labels
        inputs = {each.name: each for each in self._session.get_inputs()}
        if _IDS not in inputs or inputs.keys() - {_IDS, _MASK, _TYPES}:
            raise ModelError(
                f"The sentiment model takes {', '.join(inputs)}; known are {_IDS}, {_MASK} and {_TYPES}."
            )
        if any(each.type not in _INTEGERS for each in inputs.values()):
            raise ModelError("The sentiment model takes something else than integers.")
        self._types = {name: _INTEGERS[each.type] for name, each in inputs.items()}
        # A graph exported without dynamic axes takes batches of one size only.
        rows, columns = inputs[_IDS].shape
        self._rows = rows if isinstance(rows, int) else None
        self.columns = columns if isinstance(columns, int) else None
        outputs = [each.name for each in self._session.get_outputs()]
        self._output = "logits" if "logits" in outputs else outputs[0]
        try:
            tried = self.logits([[pad_id, pad_id], [pad_id]])
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"The sentiment model cannot be run: {error}") from error
        if not np.isfinite(tried).all():
            raise ModelError("The sentiment model answers what is no number.")

    def logits(self, batch: Sequence[Tokens]) -> NDArray[np.float64]:
        """Run on one batch of at least one: (texts, labels)."""
        if self._rows is None:
            return self._run(batch)
        parts = [batch[start : start + self._rows] for start in range(0, len(batch), self._rows)]
        return np.concatenate([self._run(part) for part in parts])

    def _run(self, batch: Sequence[Tokens]) -> NDArray[np.float64]:
        lengths = np.fromiter(map(len, batch), np.int64, len(batch))
        shape = (self._rows or len(batch), self.columns or int(lengths.max()))
        mask = np.arange(shape[1]) < np.resize(lengths, shape[0])[:, None]
        ids = np.full(shape, self._pad_id, np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
        given = {_IDS: ids, _MASK: mask, _TYPES: np.zeros(shape, np.int64)}
        fed = {name: given[name].astype(type_, copy=False) for name, type_ in self._types.items()}
        (answer,) = self._session.run([self._output], fed)
        found = np.asarray(answer, np.float64)
        # Some exports keep an axis of one between texts and labels.
        if found.shape[:1] != shape[:1] or found.size != shape[0] * self._labels:
            raise ModelError(
                f"The sentiment model answers {found.shape} for {shape[0]} texts and {self._labels} labels."
            )
        return found.reshape(shape[0], self._labels)[: len(batch)]


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open a graph so that it shares a server's cores politely: no pool of spinning threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a graph says of itself (a shape it does not keep, a weight it does not need) is no news here.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each status.
        raise ModelError(f"The sentiment model cannot be run: {error}") from error
