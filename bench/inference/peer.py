"""The pipeline of transformers as a process, with an environment of its own that is installed once."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.inference.service import Timed
from bench.report import KEPT
from inference.sentiment import DEFAULT_DIRECTORY, TOKENIZER

PACKAGES = ("torch==2.13.0", "transformers==5.23.0")
_HOME = KEPT / "pipeline"
_PYTHON = _HOME / "bin" / "python"
_SCRIPT = Path(__file__).with_name("pipeline.py")
_SECONDS = 1_800


def install() -> None:
    """Install it, unless it is there, from where pip's own settings say."""
    marker = _HOME / "installed.txt"
    wanted = "\n".join(PACKAGES)
    if marker.exists() and marker.read_text() == wanted:
        return
    print("Installing PyTorch and transformers (once)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", _HOME], check=True, timeout=_SECONDS)  # noqa: S603 - our own
    pip = [str(_PYTHON), "-m", "pip", "install", "--quiet", *PACKAGES]
    subprocess.run(pip, check=True, timeout=_SECONDS)  # noqa: S603 - our own
    marker.write_text(wanted)


class Pipeline:
    """The process, ready."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self) -> Timed:
        """All of its texts once."""
        found = self.ask("")
        return Timed(found["texts"], found["seconds"], found["cpu"])

    def ask(self, line: str) -> Any:
        """Send a line and read the answer to it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def opened(texts: Sequence[str], threads: int) -> Iterator[Pipeline]:
    """Start it on these texts."""
    with subprocess.Popen(  # noqa: S603 - our own
        [_PYTHON, _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        found = Pipeline(process)
        tokenizer = str(DEFAULT_DIRECTORY / TOKENIZER)
        found.ask(json.dumps({"tokenizer": tokenizer, "texts": list(texts), "threads": threads}))
        try:
            yield found
        finally:
            assert process.stdin is not None
            process.stdin.close()
