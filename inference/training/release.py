"""Makes the directory that the server loads out of trained weights, and its model card."""

import argparse
import hashlib
import shutil
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson
import torch
from safetensors.torch import load_file

from inference.sentiment import SentimentModel
from inference.training import evaluate, examples, export, quantize
from inference.training.encoder import Classifier
from inference.training.train import ENCODER, MAX_TOKENS, SOURCES

NAME = "earful-minilm-1"
CARD = Path(__file__).with_name("model_card.md")
# A retrained model is released only if it is at least this good on product reviews it never saw.
LEAST_MACRO_RECALL = 70.0
LARGEST_DEVIATION = 1e-3
TIMED_TEXTS = 320


def release(weights: Path, texts: Path, dev: Path, sdist: Path, directory: Path) -> None:
    """Export, quantise, calibrate, measure and describe."""
    directory.mkdir(parents=True, exist_ok=True)
    build(weights, directory)
    trained = examples.read(texts, SOURCES)
    vader = evaluate.read_vader(sdist, trained)
    divisor = calibrate(directory, vader)
    configure(directory, divisor)
    model = SentimentModel.load(directory)
    held_out = {genre: rows[1::2] for genre, rows in vader.items()}
    figures, polar = measured(model, held_out, evaluate.read_dev(dev, trained))
    reviews = [example.text for example in held_out["product reviews"]][:TIMED_TEXTS]
    tokenizer = examples.tokenizer(ENCODER / "tokenizer.json", MAX_TOKENS)
    tokens = float(np.mean([len(tokenizer.encode(text).ids) for text in reviews]))
    costs = evaluate.cost(model, reviews, tokens)
    if figures[0].macro_recall < LEAST_MACRO_RECALL or costs.deviation > LARGEST_DEVIATION:
        message = f"Not good enough to release: {figures[0]}, {costs}."
        raise ValueError(message)
    card = string.Template(CARD.read_text()).substitute(
        name=NAME,
        trained=f"{len(trained):,}",
        megabytes=f"{(directory / 'model.onnx').stat().st_size / 1e6:.1f}",
        temperature=divisor,
        figures=table(figures),
        polar=f"{polar:.1f}",
        tokens=f"{costs.tokens:.0f}",
        alone=f"{costs.alone:.1f}",
        batched=f"{costs.batched:.1f}",
        deviation=f"{costs.deviation:.0e}",
    )
    (directory / "MODEL_CARD.md").write_text(card)


def build(weights: Path, directory: Path) -> None:
    """Write the graph in 8 bits beside the encoder's tokenizer."""
    model = Classifier()
    model.load_state_dict(load_file(weights))
    full = directory / "full-precision.onnx"
    export.export(model.eval(), full)
    quantize.quantize(full, directory / "model.onnx")
    full.unlink()
    shutil.copyfile(ENCODER / "tokenizer.json", directory / "tokenizer.json")
    configure(directory, 1.0)


def configure(directory: Path, divisor: float) -> None:
    """Write config.json."""
    config = {
        "name": NAME,
        "id2label": {str(index): label for index, label in enumerate(examples.LABELS)},
        "max_length": MAX_TOKENS,
        "temperature": divisor,
        "sha256": {
            name: hashlib.sha256((directory / name).read_bytes()).hexdigest()
            for name in ("model.onnx", "tokenizer.json")
        },
    }
    content = orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (directory / "config.json").write_bytes(content)


def calibrate(directory: Path, vader: Mapping[str, Sequence[examples.Example]]) -> float:
    """Find the temperature on every second held-out text; the others measure it."""
    rows = [example for genre in vader.values() for example in genre[::2]]
    found = evaluate.probabilities(SentimentModel.load(directory), rows)
    return evaluate.temperature(found, rows)


def measured(
    model: SentimentModel,
    held_out: Mapping[str, Sequence[examples.Example]],
    dev: Mapping[str, Sequence[examples.Example]],
) -> tuple[list[evaluate.Figures], float]:
    """Measure every set, product reviews first, and the sign of UCI's scores."""
    sets = {f"VADER, {genre}": rows for genre, rows in held_out.items()} | dict(dev)
    found = {name: evaluate.probabilities(model, rows) for name, rows in sets.items()}
    figures = [evaluate.measure(name, found[name], rows) for name, rows in sets.items()]
    (uci,) = (name for name in sets if name.startswith("UCI"))
    return figures, evaluate.polar_accuracy(found[uci], sets[uci])


def table(figures: Sequence[evaluate.Figures]) -> str:
    """Write figures as the rows of a Markdown table."""
    return "\n".join(
        f"| {row.name} | {row.texts:,} | {row.accuracy:.1f} | {row.macro_recall:.1f} "
        f"| {row.calibration_error:.1f} |"
        for row in figures
    )


def main() -> None:
    """Build and measure the model that the server loads."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("weights", type=Path, help="weights.safetensors, written by train")
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("dev", type=Path, help="sentiment-dev.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("directory", type=Path, help="inference/models/sentiment")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    release(
        arguments.weights,
        arguments.texts,
        arguments.dev,
        arguments.sdist,
        arguments.directory,
    )


if __name__ == "__main__":
    main()
