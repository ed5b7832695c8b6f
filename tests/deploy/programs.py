"""Programs that a test starts, ends and kills, each with a log of its own."""

import asyncio
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def listens(port: int, seconds: float = 180.0) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `user` only where root starts it and it refuses to be root."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    user: str | int | None = None


class Programs:
    """Started by name; those that are left are killed at the end."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._programs: dict[str, Program] = {}
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in reversed(list(self._running)):
            await self.end(name, signal.SIGKILL)

    async def start(self, name: str, program: Program | None = None) -> None:
        """Start it; without a program again as the last time."""
        program = self._programs[name] = program or self._programs[name]
        user = program.user if os.geteuid() == 0 else None
        with self.log(name).open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *program.argv,
                cwd=program.cwd,
                env=dict(program.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                start_new_session=True,
            )

    async def run(self, name: str, program: Program) -> None:
        """Start it and wait for its good end."""
        await self.start(name, program)
        status = await self._running[name].wait()
        del self._running[name]
        assert status == 0, self.log(name).read_text()

    async def end(self, name: str, signum: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal that ends it, and wait. SIGKILL is for its children, too, as when a container is killed."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            if signum is signal.SIGKILL:
                os.killpg(process.pid, signum)
            else:
                process.send_signal(signum)
        return await process.wait()

    def tell(self, name: str, signum: signal.Signals) -> None:
        """Send it a signal that does not end it."""
        self._running[name].send_signal(signum)

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def died(self) -> dict[str, str]:
        """Those that ended by themselves, and what they said last."""
        return {
            name: self.log(name).read_text()[-2_000:]
            for name, process in self._running.items()
            if process.returncode is not None
        }
