"""Counting what is too much for memory: on the local disk, in a file that nobody needs afterwards."""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self


class Tally:
    """How often each digest was counted. One thread at a time may use it, whichever that is."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = off", "synchronous = off", "cache_size = -8192"):
            self._file.execute(f"PRAGMA {setting}")
        self._file.execute(
            "CREATE TABLE tally (digest BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        self._file.execute("BEGIN")
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._file.close()

    def count(self, digest: bytes) -> int:
        """How often it was counted before."""
        row = self._file.execute("SELECT times FROM tally WHERE digest = ?", (digest,)).fetchone()
        before = 0 if row is None else int(row[0])
        self._file.execute("INSERT OR REPLACE INTO tally VALUES (?, ?)", (digest, before + 1))
        return before
