"""The process that ends the launcher's children and litter once the launcher itself is gone.

A child cannot rely on its parent to say goodbye: SIGKILL leaves no time for it, and Linux'
parent-death signal is not portable, is forgotten when a process changes its user, and fires when
the *thread* that started the child ends. So the launcher runs this file as a script (standard
library only, it starts in some 20 ms), keeps a pipe to it, and tells it one JSON object per line:

    {"pid": 7, "started": "...", "signal": 2, "grace": 5.0}   end this process one day
    {"gone": 7}                                              it has ended by itself
    {"litter": "/tmp/x.sock"}                                remove this file or tree one day

"One day" is when the pipe closes or the parent changes.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as it was when it was started; its pid alone may by now be somebody else's."""

    pid: int
    started: str
    signal: int
    grace: float


def started_at(pid: int) -> str:
    """When a living process was started, comparable across readers; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _ps(pid, "lstart")
    # The command's name stands in parentheses and may hold anything, parentheses too.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def command_of(pid: int) -> str:
    """The command line of a process, its words separated by spaces; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _ps(pid, "command")


def _ps(pid: int, column: str) -> str:
    import subprocess  # noqa: PLC0415  # Where there is /proc this script does without it.

    argv = ["/bin/ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  # Our own argv.


def end(processes: Collection[Recorded]) -> None:
    """Ask each process to end, give it its grace, then kill its process group."""
    left = [process for process in processes if started_at(process.pid) == process.started]
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, process.signal)
    since = time.monotonic()
    while left:
        left = [process for process in left if started_at(process.pid) == process.started]
        waited = time.monotonic() - since
        for process in left:
            if waited > process.grace:
                kill_group(process.pid)
        time.sleep(0.02)


def kill_group(leader: int) -> None:
    """Kill a child's whole process group: what it started itself has to go with it."""
    # macOS answers EPERM for a group in which only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def discard(path: Path) -> None:
    """Remove a file or a tree, there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def main(parent: int) -> None:
    """Listen until the parent is gone, then do what it can no longer do."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    children: dict[int, Recorded] = {}
    litter: list[Path] = []
    heard = b""
    # The pipe alone would do, but for forks of the launcher that keep its writing end open.
    while True:
        orphan = os.getppid() != parent
        readable, _, _ = select.select([0], [], [], 0 if orphan else 0.5)
        chunk = os.read(0, 65536) if readable else b""
        *lines, heard = (heard + chunk).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "pid" in said:
                children[said["pid"]] = Recorded(**said)
            elif "gone" in said:
                children.pop(said["gone"], None)
            else:
                litter.append(Path(said["litter"]))
        if not chunk and (readable or orphan):
            break
    end(children.values())
    for path in litter:
        discard(path)


if __name__ == "__main__":
    main(int(sys.argv[1]))
