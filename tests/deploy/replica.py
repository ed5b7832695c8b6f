"""A streaming replica of the topology's Postgres, copied as deploy/postgres/replica.sh copies."""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from app.embedded.state import State
from tests.deploy.programs import Program, listens
from tests.deploy.topology import Topology


async def follow(topology: Topology) -> None:
    """Copy the primary while it runs, and follow it from then on."""
    port = urlsplit(topology.endpoints.database_url or "").port
    primary = await asyncpg.connect(_superuser(topology, port))
    data = Path(await primary.fetchval("SHOW data_directory"))
    await primary.close()
    # With the same programs, as the same user: the wheel's.
    process = Path("/proc", (data / "postmaster.pid").read_text().split()[0])
    programs, owner = (process / "exe").resolve().parent, process.stat()
    folder = topology.directory / "replica"
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.st_uid, owner.st_gid)
    env = {"PGPASSWORD": _password(topology), "LC_ALL": "C"}
    copy = (
        str(programs / "pg_basebackup"),
        *("--host=127.0.0.1", f"--port={port}", "--username=postgres"),
        *(
            f"--pgdata={folder}",
            "--write-recovery-conf",
            "--wal-method=stream",
            "--checkpoint=fast",
        ),
    )
    root = Path("/")
    await topology.programs.run("basebackup", Program(copy, env, root, owner.st_uid))
    serve = (
        *(str(programs / "postgres"), "-D", str(folder), "-p", str(topology.ports["replica"])),
        *("--listen_addresses=127.0.0.1", "--unix_socket_directories=", "--max_connections=200"),
    )
    await topology.programs.start("replica", Program(serve, env, root, owner.st_uid))
    await listens(topology.ports["replica"])


async def serves_queries(topology: Topology) -> None:
    """Wait until somebody has read feedback there."""
    reads = "SELECT seq_scan + idx_scan > 0 FROM pg_stat_user_tables WHERE relname = 'feedback'"
    url = _superuser(topology, topology.ports["replica"])
    connection = await asyncpg.connect(url, database="earful")
    async with asyncio.timeout(60):
        while not await connection.fetchval(reads):
            await asyncio.sleep(0.2)
    await connection.close()


def _superuser(topology: Topology, port: int | None) -> str:
    return f"postgresql://postgres:{_password(topology)}@127.0.0.1:{port}/postgres"


def _password(topology: Topology) -> str:
    return State(topology.directory / "stores").get("postgres.superuser_password") or ""
