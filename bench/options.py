"""What the benchmarks' command lines share."""

import argparse
from collections.abc import Mapping


class Names:
    """Reads names separated by commas."""

    def __init__(self, known: Mapping[str, object]) -> None:
        self._known = known

    def __call__(self, text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := sorted(set(chosen) - set(self._known)):
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: not one of {', '.join(self._known)}"
            )
        return chosen


def add_common(parser: argparse.ArgumentParser) -> None:
    """--first and --keep."""
    parser.add_argument(
        "--first",
        action="store_true",
        help="run before all else the machine does (needs root): for figures to quote where others work too",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the filled database in .bench/ for the next run"
    )
