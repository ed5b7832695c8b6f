"""PgBouncer in transaction mode before the tests' Postgres, where it is installed."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.embedded.state import is_free

_BINARY = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
_SECONDS = 20
_INI = """\
[databases]
{database} = host={host} port={port} dbname={database} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
"""

needs_pgbouncer = pytest.mark.skipif(
    _BINARY is None, reason="needs PgBouncer: apt-get install pgbouncer"
)


@contextlib.contextmanager
def pooled(database_url: str, *, listen_port: int) -> Iterator[str]:
    """The URL of a pooler before that database."""
    assert _BINARY is not None
    url = urlsplit(database_url)
    with tempfile.TemporaryDirectory(prefix="earful-pgbouncer-") as folder:
        ini = Path(folder) / "pgbouncer.ini"
        ini.write_text(
            _INI.format(
                host=url.hostname,
                port=url.port,
                user=url.username,
                password=url.password,
                database=url.path[1:],
                listen_port=listen_port,
            )
        )
        # It refuses to run as root.
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
            ini.chmod(0o644)
        process = subprocess.Popen(
            [_BINARY, "-q", str(ini)], user=None if account is None else account.pw_uid, cwd="/"
        )
        try:
            patience = time.monotonic() + _SECONDS
            while is_free(listen_port):
                assert process.poll() is None
                assert time.monotonic() < patience
                time.sleep(0.02)
            yield f"postgresql://{url.username}@127.0.0.1:{listen_port}{url.path}"
        finally:
            process.terminate()
            process.wait()
