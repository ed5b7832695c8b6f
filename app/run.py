"""`make run`: everything Earful needs, started, watched and stopped from one terminal."""

import contextlib
import errno
import http.client
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from app import running
from app import settings as configuration
from app.embedded import EmbeddedError, EmbeddedParts, Endpoints, Part
from app.embedded.parts import step
from app.embedded.process import Child, Command, complete
from app.embedded.revival import GaveUpError
from app.embedded.state import State, write_private
from app.settings import Settings, SettingsError
from app.supervisor import StopRequest, Supervisor

_EXIT_FAILED = 1
_EXIT_WRONG_SETTING = 2
_SECONDS_BETWEEN_COMPLAINTS = 15.0
# Draining is the process' own business; only when it has not ended by itself after it, it is killed.
_SECONDS_AFTER_DRAINING = 2.0

# In the order in which they stop: no new requests, then no new jobs, then no more events.
_SERVICES = ("api", "worker", "relay")


def run(*, exit_with_parent: bool) -> int:
    """Run in the foreground until a signal; the exit status."""
    try:
        settings = configuration.load()
    except SettingsError as error:
        _complain(str(error))
        return _EXIT_WRONG_SETTING
    stop = StopRequest(exit_with_parent=exit_with_parent)
    parts = EmbeddedParts(
        settings.data_dir,
        parts=_missing(settings),
        durable=True,
        report=_say,
        cancelled=stop.asked,
    )
    try:
        # The lock first: who runs Earful twice shall hear that, and not of a port.
        parts.open()
        _check_port(settings)
        environment = _environment(settings, parts.start())
        _prepare(settings, environment, parts, stop)
        _serve(settings, environment, parts, stop)
    except (EmbeddedError, GaveUpError) as error:
        if not stop.asked():
            _complain(str(error))
            return _EXIT_FAILED
    finally:
        parts.stop(stop.hurried)
    _say("  Stopped.")
    return 0


def _missing(settings: Settings) -> frozenset[Part]:
    given: dict[Part, str | None] = {
        "postgres": settings.database_url,
        "valkey": settings.redis_url,
        "s3": settings.s3_endpoint_url,
    }
    return frozenset(part for part, url in given.items() if url is None)


def _check_port(settings: Settings) -> None:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found[:1]:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                # Two may bind one port and only one may listen.
                probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {settings.port} is taken by another program; set PORT=..."
        elif error.errno == errno.EACCES:
            message = f"port {settings.port} may not be used by this user; set PORT=..."
        else:
            message = f"cannot listen on HOST={settings.host}: {error.strerror}"
        raise EmbeddedError(message) from error


def _environment(settings: Settings, endpoints: Endpoints) -> dict[str, str]:
    started = {
        "DATABASE_URL": endpoints.database_url,
        "REDIS_URL": endpoints.redis_url,
        "S3_ENDPOINT_URL": endpoints.s3_endpoint_url,
        "S3_ACCESS_KEY_ID": endpoints.s3_access_key_id,
        "S3_SECRET_ACCESS_KEY": endpoints.s3_secret_access_key,
    }
    ours = {name: value for name, value in started.items() if value is not None}
    if settings.secret_key is None:
        ours["SECRET_KEY"] = _secret_key(settings.data_dir / "secret.key")
    data_dir = str(settings.data_dir.absolute())
    return os.environ | ours | {"DATA_DIR": data_dir, "PYTHONUNBUFFERED": "1"}


def _secret_key(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _prepare(
    settings: Settings, environment: Mapping[str, str], parts: EmbeddedParts, stop: StopRequest
) -> None:
    steps = {"migrate": "Database migrated"}
    if settings.seed_demo:
        steps["seed"] = "Demo data there"
    for name, done in steps.items():
        with _timed(done):
            log = settings.data_dir.absolute() / "logs" / f"{name}.log"
            child = Child(Command(name, _argv(name), environment, log=log), parts.guard)
            complete(child, cancelled=stop.asked)


def _serve(
    settings: Settings, environment: dict[str, str], parts: EmbeddedParts, stop: StopRequest
) -> None:
    told = _told(settings)
    running.note_address(settings)
    commands = [
        Command(
            name,
            _argv(name),
            environment | told[name],
            grace=settings.shutdown_seconds + _SECONDS_AFTER_DRAINING,
        )
        for name in _SERVICES
    ]
    supervisor = Supervisor(commands, parts, report=_say)
    try:
        began = time.monotonic()
        supervisor.start()
        ready = _readiness(settings)
        supervisor.tend_until(lambda: stop.asked() or ready())
        if not stop.asked():
            _say(step("API, worker and relay ready", time.monotonic() - began))
            _welcome(settings)
        supervisor.tend_until(stop.asked)
    finally:
        _say("\n  Stopping; Ctrl-C again hurries." if stop.asked() else "\n  Stopping.")
        supervisor.stop(stop.hurried)


def _told(settings: Settings) -> Mapping[str, dict[str, str]]:
    """Where each tells its metrics: the API has a server, and tells those of the others beside its own."""
    ports = State(settings.data_dir).ports("metrics", _SERVICES[1:])
    told = {
        name: {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": str(port)}
        for name, port in ports.items()
    }
    addresses = ",".join(f"127.0.0.1:{port}" for port in ports.values())
    return told | {"api": {"METRICS_SIBLINGS": addresses}}


def _argv(subcommand: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", subcommand)


def _readiness(settings: Settings) -> Callable[[], bool]:
    """Ask the API whether it can serve; every now and then say what it is waiting for."""
    complained = time.monotonic()

    def ready() -> bool:
        nonlocal complained
        connection = http.client.HTTPConnection(settings.reachable_host, settings.port, timeout=2.0)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said = answer.read(500).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            said = str(error)
        else:
            if answer.status == http.HTTPStatus.OK:
                return True
        finally:
            connection.close()
        if time.monotonic() - complained > _SECONDS_BETWEEN_COMPLAINTS:
            complained = time.monotonic()
            _say(f"  Still waiting for {settings.base_url}/readyz: {said}")
        return False

    return ready


def _welcome(settings: Settings) -> None:
    base_url = settings.base_url
    _say("")
    _say("  Earful is ready.")
    if (settings.dashboard / "index.html").is_file():
        _say(f"    Dashboard             {base_url}/")
    _say(f"    GraphQL and GraphiQL  {base_url}/graphql")
    _say(f"    Webhooks              {base_url}/hooks/<sourceId>")
    if settings.seed_demo:
        _say("    Sign in               demo@earful.example / earful-demo-password")
    _say("  Ctrl-C stops everything.")


@contextlib.contextmanager
def _timed(done: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    _say(step(done, time.monotonic() - began))


def _say(line: str) -> None:
    # A reader that went away is no reason to leave the stores running.
    with contextlib.suppress(OSError):
        print(line, flush=True)


def _complain(message: str) -> None:
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)
