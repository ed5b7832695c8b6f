"""Texts that nobody labelled, or whose labels do not help, and what the teacher makes of them and of all others."""

import argparse
import gzip
import logging
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson
import torch

from inference import sentences
from inference.training import behaviour, evaluate, examples, fine_foods, gold, teacher, templates
from inference.training.examples import Judged

SEED = 20140601
# Their labels, emotions made into three classes, made every figure worse.
UNLABELLED = ("GoEmotions", "XED")
LEAST_WORDS = 3
DISTURBED = 0.1
MOST = 70_000
# Of what people have said so much counts, the rest is what the teacher thinks.
TRUST = 0.5

log = logging.getLogger(__name__)
_CLAUSE = re.compile(r"[,;:]\s+|\s+(?=(?:but|and|because|although|though|while|so|yet)\s)")


def unlabelled(texts: Path, modeldata: Path) -> list[str]:
    """Draw from the sentences of food reviews, remarks on Reddit, lines of films, and all clauses of reviews."""
    chance = random.Random(SEED)  # noqa: S311 -- a fixed seed is the point
    reviews = [row.text for row in fine_foods.read(modeldata, "training_data")]
    labelled = [row.text for row in examples.read(texts, gold.SOURCES)]
    found = [
        *_sentences(reviews),
        *(row.text for row in examples.read(texts, UNLABELLED)),
        *_clauses([*labelled, *_sentences(reviews)]),
    ]
    unique = {evaluate.key(text): text for text in found if len(text.split()) >= LEAST_WORDS}
    for text in labelled:
        unique.pop(evaluate.key(text), None)
    written = [
        templates.disturbed(text, chance) if chance.random() < DISTURBED else text
        for text in unique.values()
    ]
    cases = [text for case in behaviour.read() for text in case.texts]
    close = set(templates.overlap(written, cases))
    apart = [text for text in written if text not in close]
    return random.Random(SEED).sample(apart, min(MOST, len(apart)))  # noqa: S311 -- as above


def _sentences(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        bare = re.sub(r"<[^<>]{1,20}>", " ", text)
        for start, end in sentences.split(bare):
            yield bare[start:end]


def _clauses(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        parts = [part.strip() for part in _CLAUSE.split(text)]
        if len(parts) > 1:
            yield from parts


def judge(
    model: teacher.Teacher, directory: Path, known: Sequence[Judged], others: Sequence[str]
) -> list[Judged]:
    """What the teacher thinks of all texts; where people have judged, their share of it is TRUST."""
    texts = [*(row.text for row in known), *others]
    shares = teacher.logits_of(model, directory, texts).softmax(dim=1)
    truth = torch.tensor([row.shares for row in known])
    shares[: len(known)] = TRUST * truth + (1 - TRUST) * shares[: len(known)]
    return [
        Judged(text, (float(row[0]), float(row[1]), float(row[2])))
        for text, row in zip(texts, shares, strict=True)
    ]


def write(rows: Iterable[Judged], path: Path) -> None:
    """Write texts with their probabilities as gzipped JSON lines."""
    with gzip.open(path, "wb") as lines:
        for row in rows:
            lines.write(orjson.dumps({"text": row.text, "shares": row.shares}) + b"\n")


def read(path: Path) -> list[Judged]:
    """Read what `write` wrote."""
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in lines]
    return [Judged(row["text"], tuple(row["shares"])) for row in rows]


def main() -> None:
    """Let the teacher judge all texts that the small model learns from."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("modeldata", type=Path, help="modeldata/data of r-cran-modeldata")
    parser.add_argument("encoder", type=Path, help="all-mpnet-base-v2, unpacked")
    parser.add_argument("weights", type=Path, help="teacher.safetensors, written by teacher")
    parser.add_argument("judged", type=Path, help="where to write the judgements")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    model = teacher.Teacher.trained(arguments.encoder, arguments.weights)
    known = gold.read(arguments.texts, arguments.sdist)
    others = unlabelled(arguments.texts, arguments.modeldata)
    log.info("%d texts with labels, %d without", len(known), len(others))
    write(judge(model, arguments.encoder, known, others), arguments.judged)


if __name__ == "__main__":
    main()
