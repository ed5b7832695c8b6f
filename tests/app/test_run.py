"""`make run` as its user sees it: real stores, and small stand-ins for Earful's own processes."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.embedded.guard import started_at
from app.embedded.state import is_free
from app.running import completed
from app.settings import Settings

REPOSITORY = Path(__file__).parents[2]

LAUNCH = """
import sys
from app.run import run
sys.exit(run(exit_with_parent="with-parent" in sys.argv))
"""

# Another package `app`, whose processes only note what happens to them.
STAND_INS = """
import http.server, os, pathlib, signal, sys, time

name = sys.argv[1]
seen = pathlib.Path("seen")

def note(text):
    with seen.open("a") as file:
        file.write(text + chr(10))

def end(number, frame):
    note(name + " ended")
    os._exit(0)

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words):
        pass

signal.signal(signal.SIGTERM, end)
note(f"{name} {os.getpid()} {os.environ['SECRET_KEY']} {os.environ['REDIS_URL']}")
if name == os.environ.get("BREAK"):
    print(name, "cannot go on")
    sys.exit(3)
if name == os.environ.get("SLOW"):
    time.sleep(600)
if name not in ("migrate", "seed"):
    if name == "api":
        address = (os.environ["HOST"], int(os.environ["PORT"]))
        http.server.HTTPServer(address, Ready).serve_forever()
    time.sleep(600)
"""


class Run:
    """One launcher in a directory of its own, what it printed, and what its stand-ins noted."""

    def __init__(self, place: Path, **environment: str) -> None:
        self.place = place
        self.port = free_port()
        base = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "HOST": "127.0.0.1"}
        stores = {"DATABASE_URL": "postgresql://nowhere/db", "S3_ENDPOINT_URL": "http://nowhere"}
        self.environment = base | stores | {"PORT": str(self.port)} | environment
        self.printed = ""

    def start(self, *arguments: str, through: str = "") -> None:
        argv = [sys.executable, str(self.place / "launcher" / "launch.py"), *arguments]
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", through, "sh", *argv] if through else argv,
            cwd=self.place,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line

    def until(self, text: str) -> None:
        assert eventually(lambda: text in self.printed), self.printed

    def ended(self) -> int:
        code = self.process.wait(20)
        self._reader.join()
        return code

    def lines(self) -> list[str]:
        return self.printed.splitlines()

    def seen(self) -> list[list[str]]:
        return [line.split() for line in (self.place / "seen").read_text().splitlines()]

    def pids(self) -> list[int]:
        """Every process the launcher has started; one that is just being replaced is left out."""
        found = []
        for record in (self.place / ".earful" / "run").glob("*.json"):
            with suppress(FileNotFoundError):
                found.append(json.loads(record.read_text())["pid"])
        return found


@pytest.fixture
def make_run() -> Iterator[Callable[..., Run]]:
    place = Path(tempfile.mkdtemp(prefix="earful-test-"))
    place.chmod(0o755)
    # A script finds modules beside itself, and `python -m` in the current directory.
    (place / "launcher").mkdir()
    (place / "launcher" / "launch.py").write_text(LAUNCH)
    (place / "app").mkdir()
    (place / "app" / "__main__.py").write_text(STAND_INS)
    (place / "app" / "__init__.py").touch()
    made: list[Run] = []

    def make(**environment: str) -> Run:
        made.append(Run(place, **environment))
        return made[-1]

    yield make
    for run in made:
        if hasattr(run, "process"):
            run.process.kill()
            run.ended()
            assert run.process.stdout is not None
            run.process.stdout.close()
    shutil.rmtree(place)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def eventually(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_run_starts_what_is_missing_serves_and_stops_on_a_signal(
    make_run: Callable[..., Run],
) -> None:
    run = make_run()
    run.start()
    run.until("Ctrl-C stops everything.")
    steps = [re.sub(r"127.0.0.1:\d+ +[\d.]+ s$|  +[\d.]+ s$", "", x) for x in run.lines()]
    assert steps == [
        "  Valkey ready on ",
        "  Database migrated",
        "  Demo data there",
        "  API, worker and relay ready",
        "",
        "  Earful is ready.",
        f"    GraphQL and GraphiQL  http://127.0.0.1:{run.port}/graphql",
        f"    Webhooks              http://127.0.0.1:{run.port}/hooks/<sourceId>",
        "    Sign in               demo@earful.example / earful-demo-password",
        "  Ctrl-C stops everything.",
    ]
    assert eventually(lambda: len(run.seen()) == 5)
    assert [line[0] for line in run.seen()[:2]] == ["migrate", "seed"]
    assert completed(Settings(data_dir=run.place / ".earful")).port == run.port
    children = run.pids()

    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 0
    assert [line[0] for line in run.seen()[5:]] == ["api", "worker", "relay"]
    assert run.lines()[-2:] == ["  Stopping; Ctrl-C again hurries.", "  Stopped."]
    assert [pid for pid in children if started_at(pid)] == []


def test_the_secret_key_and_the_store_stay_the_same_from_run_to_run(
    make_run: Callable[..., Run],
) -> None:
    for _ in range(2):
        run = make_run()
        run.start()
        run.until("Earful is ready")
        run.process.terminate()
        assert run.ended() == 0
    (key, store), *others = [line[2:] for line in run.seen() if line[0] == "migrate"]
    assert others == [[key, store]]
    assert len(key) == 64
    assert (run.place / ".earful" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_killed_processes_and_servers_come_back(make_run: Callable[..., Run]) -> None:
    run = make_run()
    run.start()
    run.until("Earful is ready")
    before = run.pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: len(run.pids()) == 4 and not set(run.pids()) & set(before))
    run.until("Valkey died (killed by SIGKILL); starting it again in 0.1 s")
    run.until("api died (killed by SIGKILL); starting it again in 0.5 s")


@pytest.mark.parametrize("killed", ["launcher", "parent"])
def test_nothing_outlives_a_killed_launcher_or_its_parent(
    make_run: Callable[..., Run], killed: str
) -> None:
    run = make_run()
    # The shell stands for make; it must not become the launcher itself.
    run.start("with-parent", through='"$@" & echo launcher $!; wait')
    run.until("Earful is ready")
    launcher = int(run.lines()[0].split()[1])
    left = [*run.pids(), launcher]
    assert all(map(started_at, left))
    os.kill(launcher if killed == "launcher" else run.process.pid, signal.SIGKILL)
    assert eventually(lambda: not any(map(started_at, left)))
    assert is_free(run.port)


def test_a_taken_port_is_named_before_anything_starts(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with socket.create_server(("127.0.0.1", run.port)):
        run.start()
        assert run.ended() == 1
    assert run.lines() == [f"port {run.port} is taken by another program; set PORT=..."]


def test_a_wrong_setting_is_named_before_anything_starts(make_run: Callable[..., Run]) -> None:
    run = make_run(PORT="eighty", REDIS_URL="http://redis")
    run.start()
    assert run.ended() == 2
    assert [line.split(":")[0] for line in run.lines()] == ["PORT", "REDIS_URL"]
    assert not (run.place / ".earful").exists()


def test_a_second_run_on_the_same_data_is_refused(make_run: Callable[..., Run]) -> None:
    first = make_run()
    first.start()
    first.until("Earful is ready")
    second = make_run(PORT=str(first.port))
    second.start()
    assert second.ended() == 1
    directory = first.place / ".earful"
    assert second.lines() == [f"Earful already runs on {directory} (pid {first.process.pid})"]


def test_a_failed_migration_ends_the_run_with_what_it_said(make_run: Callable[..., Run]) -> None:
    run = make_run(BREAK="migrate")
    run.start()
    assert run.ended() == 1
    assert run.lines()[1:] == ["migrate failed (exit 3):", "    migrate cannot go on"]


def test_a_signal_while_starting_stops_what_had_started(make_run: Callable[..., Run]) -> None:
    run = make_run(BREAK="nothing", SLOW="migrate")
    run.start()
    assert eventually((run.place / "seen").exists)
    children = run.pids()
    run.process.terminate()
    assert run.ended() == 0
    assert [pid for pid in children if started_at(pid)] == []
    assert run.lines()[1:] == ["  Stopped."]
