"""Tiny text classifiers in the form in which Hugging Face exports large ones: real graphs that weigh words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import orjson
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

BERT = ("input_ids", "attention_mask", "token_type_ids")
ROBERTA = ("input_ids", "attention_mask")
POSITIONS = 34

Words = Mapping[str, Sequence[float]]


def export(
    directory: Path,
    words: Words,
    labels: Mapping[str, str],
    *,
    inputs: Sequence[str] = BERT,
    pad: int = 0,
    axes: Sequence[str | int] = ("batch", "sequence"),
    shape: Sequence[int] | None = None,
    **config: Any,
) -> Path:
    """Write model.onnx, tokenizer.json and config.json; `words` says what each adds to the logits of the labels.

    Special tokens add nothing, but padding does: a hundred to the first label, where it is not masked.
    """
    directory.mkdir(parents=True, exist_ok=True)
    specials = ["[CLS]", "[SEP]", "[UNK]"]
    specials.insert(pad, "[PAD]")
    vocabulary = {token: index for index, token in enumerate([*specials, *words])}
    _tokenizer(vocabulary).save(str(directory / "tokenizer.json"))
    weights = np.zeros((len(vocabulary), len(labels)), np.float32)
    weights[pad, 0] = 100
    for word, adds in words.items():
        weights[vocabulary[word]] = adds
    onnx.save(_graph(weights, inputs, axes, pad, shape), directory / "model.onnx")
    stored = {
        "architectures": ["AnyForSequenceClassification"],
        "id2label": dict(labels),
        "pad_token_id": pad,
        "max_position_embeddings": POSITIONS,
        **config,
    }
    (directory / "config.json").write_bytes(orjson.dumps(stored))
    return directory


def _tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=ends
    )
    # As exports have it, and as no server wants it.
    tokenizer.enable_padding(pad_id=vocabulary["[PAD]"], length=32)
    tokenizer.enable_truncation(8)
    return tokenizer


def _graph(
    weights: Any,
    inputs: Sequence[str],
    axes: Sequence[str | int],
    pad: int,
    shape: Sequence[int] | None,
) -> onnx.ModelProto:
    """Adds up the weights of the words that are not masked; a position that is not there cannot be looked up."""
    types = "token_type_ids"
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["numbers", "last"], ["mask"]),
        helper.make_node("Mul", ["each", "mask"], ["seen"]),
        helper.make_node("CumSum", ["attention_mask", "one"], ["counted"]),
        helper.make_node("Add", ["counted", "pad"], ["positions"]),
        helper.make_node("Gather", ["places", "positions"], ["placed"]),
        helper.make_node("Add", ["seen", "placed"], ["added"]),
        helper.make_node(
            "ReduceSum", ["added", "one"], ["plain" if shape else "logits"], keepdims=0
        ),
    ]
    if shape:
        nodes.append(helper.make_node("Reshape", ["plain", "shape"], ["logits"]))
    if types in inputs:
        # BERT looks its types up: what is no type is out of range.
        nodes[0] = helper.make_node("Gather", ["weights", "typed"], ["each"])
        nodes.insert(0, helper.make_node("Add", ["input_ids", types], ["typed"]))
    # BERT's positions begin at 0, RoBERTa's after that of padding.
    offset = pad or -1
    constants = {
        "weights": weights,
        "places": np.zeros((POSITIONS, 1), np.float32),
        "last": np.array([2]),
        "one": np.array([1]),
        "pad": np.array([offset]),
        "shape": np.array(shape or [0]),
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, list(axes)) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
