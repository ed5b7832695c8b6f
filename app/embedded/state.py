"""What the embedded servers keep between two runs: secrets and ports, and the lock on them."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from app.embedded import guard


class EmbeddedError(Exception):
    """An embedded server cannot be had; the message says what its reader can do about it."""


class State:
    """A directory of ours with one small file of secrets and ports, readable by its owner only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / "embedded.json"
        self._mutex = threading.Lock()

    def keep(self, key: str, make: Callable[[], str]) -> str:
        """The value under this key; made and kept the first time."""
        with self._mutex:
            kept = self._load()
            if key not in kept:
                kept[key] = make()
                self._save(kept)
            return kept[key]

    def put(self, key: str, value: str) -> None:
        with self._mutex:
            self._save(self._load() | {key: value})

    def get(self, key: str) -> str | None:
        with self._mutex:
            return self._load().get(key)

    def ports(self, server: str, names: Collection[str]) -> dict[str, int]:
        """A free port for each name: last time's, or all new ones if somebody has one of them."""
        keys = [f"{server}.port.{name}" for name in names]
        with self._mutex:
            kept = self._load()
            ours = [int(kept.get(key, "0")) for key in keys]
            if not all(port and is_free(port) for port in ours):
                others = {value for key, value in kept.items() if ".port." in key}
                fresh = (port for port in _free_ports() if str(port) not in others)
                ours = [next(fresh) for _ in keys]
                self._save(kept | dict(zip(keys, map(str, ours), strict=True)))
        return dict(zip(names, ours, strict=True))

    def forget_ports(self, server: str) -> None:
        with self._mutex:
            kept = self._load()
            self._save({k: v for k, v in kept.items() if not k.startswith(f"{server}.port.")})

    def _load(self) -> dict[str, str]:
        try:
            kept = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise EmbeddedError(
                f"{self._file} is damaged; it holds the passwords of the data beside it: "
                f"restore it, or move {self.directory} away to start anew"
            ) from None
        return {str(key): str(value) for key, value in kept.items()}

    def _save(self, kept: dict[str, str]) -> None:
        write_private(self._file, json.dumps(kept, indent=1))


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def is_free(port: int) -> bool:
    """Whether we could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # Otherwise connections of the last run, long closed, would count as somebody's.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports() -> Iterator[int]:
    # Never from the range the system takes for outgoing connections: a client that tries to reach a
    # server just being restarted could be given the server's own port, and hold it.
    for port in secrets.SystemRandom().sample(range(20_000, 30_000), 10_000):
        if is_free(port):
            yield port


class Lock:
    """The right to run on a directory; it ends with the processes that hold it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "lock"
        self._file: int | None = None

    def acquire(self) -> int:
        """Take the lock and return its descriptor, or say who has it."""
        # A killed launcher needs a moment to die, and its guard, which holds the lock with it, some
        # seconds to clean up.
        began = time.monotonic()
        while (file := self._try()) is None:
            holder = self._holder()
            waited = time.monotonic() - began
            if waited > (0.5 if guard.started_at(holder) else 15.0):
                raise EmbeddedError(f"Earful already runs on {self._directory} (pid {holder})")
            time.sleep(0.02)
        self._file = file
        return file

    def release(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def _try(self) -> int | None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever released it meanwhile removed the file: then this is a lock on nothing.
            if self._path.stat().st_ino == os.fstat(file).st_ino:
                os.truncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
                return file
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                os.close(file)
                raise
        os.close(file)
        return None

    def _holder(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(self._path.read_text())
        return 0
