"""The packages of the Node servers, and a Node of their own, as package-lock.json has them."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_HERE = Path(__file__).parent
PACKAGES = _HERE / "node_modules"
LOCK = _HERE / "package-lock.json"
_SECONDS = 900


class NodeError(Exception):
    """The packages cannot be installed."""


def install() -> None:
    """Install them, unless they are there."""
    marker = PACKAGES / "installed.lock"
    if marker.exists() and marker.read_bytes() == LOCK.read_bytes():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NodeError("npm is missing; leave the Node servers out with --peers")
    print("Installing the Node servers (once)", flush=True)
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], _HERE)
    shutil.copy(LOCK, marker)


def binary() -> Path:
    """The Node that came with the packages, the same everywhere."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return PACKAGES / f"node-linux-{machine}" / "bin" / "node"


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; NodeError with what it wrote if it fails."""
    done = subprocess.run(  # noqa: S603 - commands of our own
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise NodeError(f"{' '.join(command)}:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
