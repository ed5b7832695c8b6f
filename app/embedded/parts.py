"""Postgres, Valkey and S3 as children of this process, started, watched and stopped together."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.embedded.postgres import Postgres
from app.embedded.process import Child, Guard, ending
from app.embedded.revival import GaveUpError, Patience, Revival
from app.embedded.seaweedfs import SeaweedFS
from app.embedded.server import Server
from app.embedded.state import EmbeddedError, Lock, State
from app.embedded.valkey import Valkey

Part = Literal["postgres", "valkey", "s3"]

# Long enough for Postgres to recover a big database after a crash.
_SECONDS_TO_START = 120.0
_PATIENCE = Patience(first_wait=0.1)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """How to reach what was started; None for what was not asked for."""

    database_url: str | None = None
    redis_url: str | None = None
    s3_endpoint_url: str | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None


class EmbeddedParts:
    """The embedded servers of one state directory; good for one start and one stop.

    Not durable is for tests: fast, few resources, data that need not survive a crash, and a role
    that may create databases. `cancelled` is asked often while starting, from several threads.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        parts: frozenset[Part],
        durable: bool,
        report: Callable[[str], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        directory = state_dir.absolute()
        state = State(directory)
        self.directory = directory
        self._report = report
        self._lock = Lock(directory)
        self._guard: Guard | None = None
        self._parts = parts
        self._durable = durable
        self._state = state
        self._servers: list[Server] = []
        self._children: dict[str, Child] = {}
        self._revivals: list[Revival] = []
        self._cancelled = cancelled
        self._failed = False

    @property
    def guard(self) -> Guard:
        """For other processes that are to end with the launcher; after open()."""
        if self._guard is None:
            raise EmbeddedError("not open")
        return self._guard

    def open(self) -> None:
        """Make the directory ours: lock it and end what a killed run left. start() does it too."""
        if self._guard is not None:
            return
        try:
            # Root's Postgres runs as another user, who has to pass.
            self.directory.mkdir(
                mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True
            )
            (self.directory / "logs").mkdir(mode=0o700, exist_ok=True)
            self._guard = Guard(self.directory / "run", self._lock.acquire())
            ended = self._guard.end_leftovers()
            self._guard.open()
        except OSError as error:
            self.stop()
            raise _unusable(error) from error
        if ended:
            self._report(f"  Ended {ended} processes a killed run had left")

    def start(self) -> Endpoints:
        """Start every part asked for, at the same time, and return when all of them serve."""
        self.open()
        postgres = Postgres(self._state, self.guard, self._report, durable=self._durable)
        valkey = Valkey(self._state, durable=self._durable)
        s3 = SeaweedFS(self._state, self.guard, durable=self._durable)
        all_servers: tuple[Server, ...] = (postgres, valkey, s3)
        self._servers = [server for server in all_servers if server.key in self._parts]
        pool = ThreadPoolExecutor(max_workers=len(all_servers))
        try:
            for done in as_completed([pool.submit(self._bring_up, each) for each in self._servers]):
                done.result()
        except OSError as error:
            self._abandon(pool)
            raise _unusable(error) from error
        except BaseException:
            self._abandon(pool)
            raise
        pool.shutdown()
        self._revivals = [
            Revival(self._children[server.key], server.title, self._report, _PATIENCE)
            for server in self._servers
        ]
        with_s3 = "s3" in self._parts
        return Endpoints(
            database_url=postgres.url if "postgres" in self._parts else None,
            redis_url=valkey.url if "valkey" in self._parts else None,
            s3_endpoint_url=s3.url if with_s3 else None,
            s3_access_key_id=s3.access_key_id if with_s3 else None,
            s3_secret_access_key=s3.secret_access_key if with_s3 else None,
        )

    def tend(self) -> None:
        """Start again what has died: same port, same data. To be called many times a second."""
        try:
            for revival in self._revivals:
                revival.tick()
                revival.child.trim_log()
        except GaveUpError as error:
            raise GaveUpError(f"{error}; see {self.directory / 'logs'}") from error

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End every server; leaves no process, lock or socket file. Safe to repeat."""
        self._revivals = []
        for child in self._children.values():
            child.ask_to_end()
        for child in self._children.values():
            child.end(hurry)
        for server in self._servers:
            server.clean()
        self._children = {}
        self._servers = []
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        self._lock.release()

    def _abandon(self, pool: ThreadPoolExecutor) -> None:
        self._failed = True
        pool.shutdown()
        self.stop()

    def _bring_up(self, server: Server) -> None:
        began = time.monotonic()
        # A port found free a moment ago may be somebody's by now: then once more with others.
        for another_try in (True, True, False):
            child = Child(server.prepare(self._is_cancelled), self.guard)
            self._children[server.key] = child
            log = child.command.log
            if log is not None:
                log.write_bytes(b"")
            child.start()
            if self._serves(server, child):
                ready = f"{server.title} ready on 127.0.0.1:{server.port}"
                self._report(step(ready, time.monotonic() - began))
                return
            if not (another_try and "in use" in child.last_lines()):
                break
            self._state.forget_ports(server.key)
        raise EmbeddedError(
            f"{server.title} did not start ({ending(child.exit_code() or 0)}):{child.last_lines()}"
        )

    def _serves(self, server: Server, child: Child) -> bool:
        patience = time.monotonic() + _SECONDS_TO_START
        while child.exit_code() is None:
            if self._is_cancelled():
                raise EmbeddedError("stopped while starting")
            if server.is_ready():
                return True
            if time.monotonic() > patience:
                raise EmbeddedError(
                    f"{server.title} runs but does not answer after {_SECONDS_TO_START:g} s:"
                    f"{child.last_lines()}"
                )
            time.sleep(0.03)
        return False

    def _is_cancelled(self) -> bool:
        return self._failed or self._cancelled()


def step(text: str, seconds: float) -> str:
    """One line of progress."""
    return f"  {text:<46}{seconds:>6.1f} s"


def _unusable(error: OSError) -> EmbeddedError:
    where = f"{error.filename}: " if error.filename else ""
    return EmbeddedError(
        f"{where}{error.strerror}; check who owns it and how much room is left, or set DATA_DIR"
    )
