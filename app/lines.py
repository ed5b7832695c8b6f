"""Writes the lines of requests and jobs, some together: each by itself would cost a system call."""

import asyncio
import atexit
from typing import BinaryIO

import orjson

from telemetry.lines import FIELDS

_SECONDS = 0.1
_MOST = 500


class Lines:
    """Lines that wait to be written, for a tenth of a second at most. Of one thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        atexit.register(self.flush)

    def write(self, line: dict[str, object]) -> None:
        """Take one; what is no field of a line is left out."""
        if not line.keys() <= FIELDS:
            line = {name: line[name] for name in line.keys() & FIELDS}
        self._waiting.append(orjson.dumps(line))
        if len(self._waiting) >= _MOST:
            self.flush()
        elif self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        self._loop = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._stream.write(b"\n".join([*waiting, b""]))
            self._stream.flush()
