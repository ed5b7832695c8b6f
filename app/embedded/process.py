"""Children that end when they are told to, when the launcher ends, and before its next start."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from app.embedded import guard
from app.embedded.state import EmbeddedError, write_private

# The child waits for a line before it becomes what it shall be. By then its pid is recorded, so there
# is no moment at which a launcher that is killed leaves behind a server nobody knows of.
_WAIT_THEN_BECOME = 'read -r _ || exit 1; exec "$@" </dev/null'
_HURRIED_GRACE = 1.0
_LARGEST_LOG = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Account:
    """Another user to run as; only root can."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how to end it."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path = field(default_factory=Path.cwd)
    account: Account | None = None
    log: Path | None = None  # None: straight through to where the launcher writes.
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 5.0  # Seconds from the stop signal to SIGKILL.


class Guard:
    """Knows every child of this launcher, here, in files, and in a process that outlives it."""

    def __init__(self, directory: Path, lock: int) -> None:
        self._directory = directory
        self._lock = lock
        self._mutex = threading.RLock()
        self._told: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def end_leftovers(self) -> int:
        """End what a killed run, its guard included, left running; how many there were."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        files = list(self._directory.glob("*.json"))
        left = []
        for file in files:
            with contextlib.suppress(ValueError, TypeError):
                left.append(guard.Recorded(**json.loads(file.read_text())))
        left = [one for one in left if one.started and guard.started_at(one.pid) == one.started]
        guard.end(left)
        for file in files:
            file.unlink()
        return len(left)

    def open(self) -> None:
        with self._mutex:
            self._process = subprocess.Popen(  # noqa: S603  # Our own interpreter and script.
                [sys.executable, "-I", "-S", guard.__file__, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                # The lock stays taken until the guard has cleaned up after a killed launcher.
                pass_fds=[self._lock],
            )
            for line in self._told.values():
                self._write(line)

    def admit(self, name: str, child: guard.Recorded) -> None:
        write_private(self._file(name), json.dumps(asdict(child)))
        self._tell(str(child.pid), asdict(child))

    def dismiss(self, name: str, pid: int) -> None:
        self._file(name).unlink(missing_ok=True)
        with self._mutex:
            self._told.pop(str(pid), None)
            self._write(json.dumps({"gone": pid}))

    def litter(self, path: Path) -> None:
        """Have this file or tree removed if the launcher is killed."""
        self._tell(str(path), {"litter": str(path)})

    def close(self) -> None:
        with self._mutex:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.close()
                self._process.wait()
            self._process = None
            with contextlib.suppress(OSError):
                self._directory.rmdir()

    def _file(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _tell(self, key: str, said: Mapping[str, object]) -> None:
        with self._mutex:
            self._told[key] = json.dumps(said)
            self._write(self._told[key])

    def _write(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            # Somebody killed the guard; a new one hears everything again.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
            self.open()


class Child:
    """One command as a child, in its own process group: Ctrl-C reaches the launcher only."""

    def __init__(self, command: Command, keeper: Guard) -> None:
        self.command = command
        self._keeper = keeper
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: float | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        command = self.command
        account = command.account
        self._asked = None
        with contextlib.ExitStack() as stack:
            log: IO[bytes] | None = None
            if command.log is not None:
                log = stack.enter_context(command.log.open("ab"))
            self._process = subprocess.Popen(  # noqa: S603  # Our own commands, never a user's text.
                ["/bin/sh", "-c", _WAIT_THEN_BECOME, "sh", *command.argv],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                env=command.env,
                cwd=command.cwd,
                process_group=0,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
            )
        recorded = guard.Recorded(
            pid=self.pid,
            started=guard.started_at(self.pid),
            signal=command.stop_signal,
            grace=min(command.grace, 5.0),
        )
        self._keeper.admit(command.name, recorded)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._process.stdin as gate:
                gate.write(b"\n")

    def exit_code(self) -> int | None:
        """None while it runs; then its exit status, negative for a signal."""
        if self._process is None:
            return None
        known = self._process.returncode
        code = self._process.poll()
        if known is None and code is not None:
            self._bury()
        return code

    def running(self) -> bool:
        return self._process is not None and self.exit_code() is None

    def ask_to_end(self) -> None:
        if self._process is not None and self._asked is None and self.running():
            self._process.send_signal(self.command.stop_signal)
            self._asked = time.monotonic()

    def end(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask, wait, kill; whatever it started itself goes with it."""
        self.ask_to_end()
        while self.running():
            grace = min(self.command.grace, _HURRIED_GRACE) if hurry() else self.command.grace
            if time.monotonic() - (self._asked or 0.0) > grace:
                guard.kill_group(self.pid)
            time.sleep(0.01)

    def _bury(self) -> None:
        guard.kill_group(self.pid)
        self._keeper.dismiss(self.command.name, self.pid)

    def trim_log(self) -> None:
        """Empty a log that has grown out of bounds; the child appends, so it goes on at its top."""
        log = self.command.log
        if log is not None and log.stat().st_size > _LARGEST_LOG:
            os.truncate(log, 0)

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, indented, for a message."""
        log = self.command.log
        if log is None or not log.exists():
            return ""
        lines = log.read_text(errors="replace").splitlines()[-count:]
        return "".join(f"\n    {line}" for line in lines)


def complete(child: Child, cancelled: Callable[[], bool]) -> None:
    """Run a child to its end; a failure is an EmbeddedError with what it wrote."""
    if child.command.log is not None:
        child.command.log.write_bytes(b"")
    child.start()
    while (code := child.exit_code()) is None:
        if cancelled():
            child.end()
            raise EmbeddedError("stopped while starting")
        time.sleep(0.01)
    if code != 0:
        raise EmbeddedError(
            f"{child.command.name} failed ({ending(code)}):{child.last_lines(count=200)}"
        )


def ending(code: int) -> str:
    """How a process ended, in words."""
    return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
