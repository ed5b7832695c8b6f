"""Processes under measurement: which they are, what CPU time and memory they took, and on which core they run."""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
# As they were before any process was kept on one of them.
_CORES = sorted(os.sched_getaffinity(0))


def parent(pid: int) -> int:
    """The parent's process id."""
    return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended
                children.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu(root: int) -> dict[int, int]:
    """CPU time of every thread of a process and its descendants, in nanoseconds, by thread.

    Of this process itself without what it has started. From schedstat: /proc/<pid>/stat counts in steps of 10 ms.
    """
    times: dict[int, int] = {}
    for pid in [root] if root == os.getpid() else tree(root):
        with suppress(OSError):
            for task in (_PROC / str(pid) / "task").iterdir():
                times[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return times


def spent(before: dict[int, int], after: dict[int, int]) -> float:
    """Seconds of CPU between two readings; threads that ended in between are not counted."""
    return sum(time - before.get(thread, 0) for thread, time in after.items()) / 1e9


def busy() -> float:
    """Seconds for which the machine's cores were not idle, added up, what a hypervisor took away included."""
    fields = [int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def memory(root: int) -> int:
    """Bytes of a process and its descendants, shared pages in proportion (PSS)."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):
            for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1_024
    return total


def apart(serving: Sequence[int], asking: Sequence[int], *, first: bool) -> bool:
    """Servers and stores on one core, clients on the others; False where there is one core only.

    With the stores on another core, each message wakes that core up; in a virtual machine that costs more than a
    small statement, and hides how the servers differ. So it is one core that serves, and never rests.
    """
    one, *others = _CORES
    if not others:
        return False
    for root in serving:
        separate(root, [one], first=first)
    for root in asking:
        separate(root, others, first=first)
    return True


def separate(root: int, cores: Sequence[int], *, first: bool) -> None:
    """Keep every thread of a process and its descendants, and what they start, on these cores.

    `first`: and before all ordinary work of the machine. Of this process itself without what it has started.
    """
    for pid in [root] if root == os.getpid() else tree(root):
        with suppress(OSError):
            for task in (_PROC / str(pid) / "task").iterdir():
                with suppress(OSError):
                    os.sched_setaffinity(int(task.name), cores)
                    if first:
                        os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(1))


def files(count: int) -> bool:
    """Let this process and what it starts open so many files; False where that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= count
