"""Puts together the zip file that lies in several wheels, a part in each, and unpacks it: all-mpnet-base-v2 of PyPI."""

import argparse
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path


def assembled(wheels: Iterable[Path]) -> bytes:
    """The parts, each of which ends with its number, in their order."""
    parts: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            parts |= {name: archive.read(name) for name in archive.namelist() if ".zip." in name}
    return b"".join(parts[name] for name in sorted(parts, key=lambda name: name.rsplit(".", 1)[1]))


def main() -> None:
    """Unpack what the wheels hold."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("directory", type=Path, help="where to unpack it")
    parser.add_argument("wheels", type=Path, nargs="+")
    arguments = parser.parse_args()
    with zipfile.ZipFile(io.BytesIO(assembled(arguments.wheels))) as archive:
        archive.extractall(arguments.directory)


if __name__ == "__main__":
    main()
