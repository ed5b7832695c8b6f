"""Averages the weights of models that were trained on from the same one."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


def average(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Take the mean of each weight."""
    states = [load_file(path) for path in paths]
    return {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}


def main() -> None:
    """Average weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("weights", type=Path, help="where to write the mean")
    parser.add_argument("models", type=Path, nargs="+")
    arguments = parser.parse_args()
    save_file(average(arguments.models), arguments.weights)


if __name__ == "__main__":
    main()
