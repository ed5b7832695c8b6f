"""Makes the directory that the server loads out of trained weights, and its model card."""

import argparse
import hashlib
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from inference.sentiment import SentimentModel
from inference.training import (
    behaviour,
    emoji,
    evaluate,
    examples,
    export,
    pool,
    quantize,
    templates,
)
from inference.training.encoder import MAX_TOKENS, PUBLISHED, Classifier
from inference.training.examples import Example, Judged

NAME = "earful-minilm-3"
CARD = Path(__file__).with_name("model_card.md")
# A retrained model is released only if it is at least this good on product reviews it never saw,
LEAST_MACRO_RECALL = 70.0
# passes so many of the behavioural cases,
LEAST_PASSED = 80.0
# and scores a text as it does with others beside it.
LARGEST_DEVIATION = 1e-3
TIMED_TEXTS = 320
# Of each set at most so many are read, drawn once.
MOST_TESTED = 1000
# Its labels are drawn from emotions: no confidence can be right about them.
NOT_CALIBRATED = "GoEmotions"


def release(weights: Path, judged: Path, dev: Path, sdist: Path, directory: Path) -> None:
    """Export, quantise, calibrate, measure and describe."""
    directory.mkdir(parents=True, exist_ok=True)
    trained = pool.read(judged)
    cases = behaviour.read()
    keep_apart([row.text for row in trained], cases)
    build(weights, directory)
    sets = held_out(sdist, dev, trained)
    divisor = calibrate(directory, sets)
    configure(directory, divisor)
    model = SentimentModel.load(directory)
    figures, polar = measured(model, sets)
    rates = behaviour.rates(model, cases)
    passed = 100 * (1 - sum(len(rate.failed) for rate in rates) / len(cases))
    costs = timed(model, figures[0].name, sets)
    if (
        figures[0].macro_recall < LEAST_MACRO_RECALL
        or passed < LEAST_PASSED
        or costs.deviation > LARGEST_DEVIATION
    ):
        message = f"Not good enough to release: {figures[0]}, {passed=}, {costs}."
        raise ValueError(message)
    card = string.Template(CARD.read_text()).substitute(
        name=NAME,
        trained=f"{len(trained):,}",
        gold=f"{len(trained) - pool.MOST:,}",
        written=f"{len(templates.written()):,}",
        megabytes=f"{(directory / 'model.onnx').stat().st_size / 1e6:.1f}",
        temperature=divisor,
        figures=table(figures),
        polar=f"{polar:.1f}",
        behaviour=behaviour.table(rates),
        tokens=f"{costs.tokens:.0f}",
        alone=f"{costs.alone:.1f}",
        batched=f"{costs.batched:.1f}",
        deviation=f"{costs.deviation:.0e}",
    )
    (directory / "MODEL_CARD.md").write_text(card)


def keep_apart(texts: Iterable[str], cases: Sequence[behaviour.Case]) -> None:
    """Refuse a model that was trained on a behavioural case."""
    tested = [text for case in cases for text in case.texts]
    if found := list(templates.overlap(texts, tested)):
        message = f"Texts of training are in the behavioural cases: {found}"
        raise ValueError(message)


def build(weights: Path, directory: Path) -> None:
    """Write the graph in 8 bits, and beside it the encoder's tokenizer, which knows emoji now."""
    model = Classifier()
    model.load_state_dict(load_file(weights))
    full = directory / "full-precision.onnx"
    export.export(model.eval(), full)
    quantize.quantize(full, directory / "model.onnx")
    full.unlink()
    tokenizer = Tokenizer.from_file(str(PUBLISHED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    emoji.teach(tokenizer)
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
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


def held_out(sdist: Path, dev: Path, trained: Sequence[Judged]) -> dict[str, list[Example]]:
    """Read every set that nothing was trained on, product reviews first."""
    rated = evaluate.read_vader(sdist, trained)
    sets = {f"VADER, {genre}": rows for genre, rows in rated.items()}
    sets |= evaluate.read_dev(dev, trained)
    return {name: examples.drawn(rows, MOST_TESTED) for name, rows in sets.items()}


def calibrate(directory: Path, sets: Mapping[str, Sequence[Example]]) -> float:
    """Find the temperature on every second text of the sets; the others measure it."""
    model = SentimentModel.load(directory)
    halves = [rows[::2] for name, rows in sets.items() if name != NOT_CALIBRATED]
    return evaluate.temperature([(evaluate.probabilities(model, rows), rows) for rows in halves])


def measured(
    model: SentimentModel, sets: Mapping[str, Sequence[Example]]
) -> tuple[list[evaluate.Figures], float]:
    """Measure the other half of every set, and the sign of UCI's scores."""
    halves = {name: rows[1::2] for name, rows in sets.items()}
    found = {name: evaluate.probabilities(model, rows) for name, rows in halves.items()}
    figures = [evaluate.measure(name, found[name], rows) for name, rows in halves.items()]
    (uci,) = (name for name in halves if name.startswith("UCI"))
    return figures, evaluate.polar_accuracy(found[uci], halves[uci])


def timed(model: SentimentModel, name: str, sets: Mapping[str, Sequence[Example]]) -> evaluate.Cost:
    """Time the model on texts of one set."""
    texts = [row.text for row in sets[name][1::2]][:TIMED_TEXTS]
    tokenizer = examples.tokenizer(PUBLISHED / "tokenizer.json", MAX_TOKENS)
    tokens = float(np.mean([len(tokenizer.encode(text).ids) for text in texts]))
    return evaluate.cost(model, texts, tokens)


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
    parser.add_argument("weights", type=Path, help="weights.safetensors, written by distil")
    parser.add_argument("judged", type=Path, help="judged.jsonl.gz, written by pool")
    parser.add_argument("dev", type=Path, help="sentiment-dev.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("directory", type=Path, help="inference/models/sentiment")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    release(
        arguments.weights,
        arguments.judged,
        arguments.dev,
        arguments.sdist,
        arguments.directory,
    )


if __name__ == "__main__":
    main()
