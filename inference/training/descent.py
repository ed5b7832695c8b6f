"""Gradient descent, as all models here are trained: AdamW, its rate rising, then falling in a straight line."""

import logging
import time
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

WARM_UP = 0.06
WEIGHT_DECAY = 0.01
GRADIENT_NORM = 1.0
TOLD_EVERY = 50

log = logging.getLogger(__name__)


def descend(
    parameters: Sequence[nn.Parameter], losses: Iterable[Tensor], *, steps: int, rate: float
) -> None:
    """Take a step for each loss; each is computed when the step before is taken, so it may be a generator's."""
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: slope(step, steps))
    started, mean = time.monotonic(), 0.0
    for step, loss in enumerate(losses, 1):
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        mean = 0.98 * mean + 0.02 * loss.item()
        if step % TOLD_EVERY == 0:
            seconds = time.monotonic() - started
            log.info("step %d of %d, loss %.3f, %.0f s", step, steps, mean, seconds)


def slope(step: int, steps: int) -> float:
    """The share of the rate at a step."""
    warm = max(1, round(steps * WARM_UP))
    return max(0.0, min((step + 1) / warm, (steps - step) / (steps - warm)))


def apart(logits: Tensor, shares: Tensor) -> Tensor:
    """Cross-entropy of predicted logits to probabilities, both (texts, labels)."""
    return -(shares * logits.float().log_softmax(dim=1)).sum(dim=1).mean()
