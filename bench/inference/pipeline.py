"""transformers.pipeline on PyTorch, run by the Python that it is installed for: a line of JSON for each line it reads.

A BERT classifier of the same size as ours, with weights of chance: how fast it is does not depend on them. It gets the
whole texts, 32 at a time, sorted by length as its documentation advises, and tells no sentences and no languages.
"""

import json
import sys
import time

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

_BATCH = 32


def main() -> None:
    """Read the tokenizer's path and the texts; then run all of them for each further line."""
    given = json.loads(sys.stdin.readline())
    torch.set_num_threads(given["threads"])
    torch.set_num_interop_threads(1)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=given["tokenizer"],
        model_max_length=128,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "unk", "mask")},
    )
    size = BertConfig(
        vocab_size=30_522,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1_536,
        num_labels=3,
    )
    classifier = pipeline(
        "text-classification",
        model=BertForSequenceClassification(size).eval(),
        tokenizer=tokenizer,
        device="cpu",
    )
    texts = sorted(given["texts"], key=len)
    classifier(texts[:_BATCH], batch_size=_BATCH, truncation=True)
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for _ in sys.stdin:
        began, cpu = time.perf_counter(), time.process_time()
        classifier(texts, batch_size=_BATCH, truncation=True)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        print(json.dumps({"texts": len(texts), "seconds": seconds, "cpu": used}), flush=True)


if __name__ == "__main__":
    main()
