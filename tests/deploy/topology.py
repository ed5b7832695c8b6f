"""The topology of compose.yaml without containers, run from the same files: only addresses and passwords are others.

The gateway is nginx, PgBouncer pools, Prometheus scrapes; Postgres, Valkey and S3 are those of the tests.
"""

import asyncio
import os
import re
import shutil
import signal
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import redis.asyncio
import yaml

from app.embedded import EmbeddedParts, Endpoints
from tests.deploy.programs import Program, Programs, free_port, listens

ROOT = Path(__file__).parents[2]
MISSING = "apt-get install nginx pgbouncer prometheus prometheus-node-exporter: Debian's packages"
_NEEDED = ("nginx", "pgbouncer", "prometheus", "promtool", "prometheus-node-exporter")
_SBIN = f"{os.environ['PATH']}:/usr/sbin"
APIS = ("api-1", "api-2")

# Docker, as far as rolling.sh asks for it: the test does what is asked, and takes the request away.
_DOCKER = """#!/bin/sh
echo "$*" > "$ASKED.new" && mv "$ASKED.new" "$ASKED"
while [ -e "$ASKED" ]; do sleep 0.02; done
"""


def is_installed() -> bool:
    return all(shutil.which(name, path=_SBIN) for name in _NEEDED)


class Topology:
    """Two APIs behind a gateway, two workers and a relay, over PgBouncer, watched by Prometheus."""

    def __init__(
        self,
        directory: Path,
        programs: Programs,
        endpoints: Endpoints,
        workers: Sequence[str],
        *,
        has_replica: bool,
    ) -> None:
        self.directory = directory
        self.workers = workers
        self.has_replica = has_replica
        self.deploy = directory / "deploy"
        self.secrets = self.deploy / "secrets"
        self.programs = programs
        self.endpoints = endpoints
        others = ("gateway", "http", "files", "pgbouncer", "prometheus", "node", "relay", "replica")
        self.ports = {name: free_port() for name in (*others, *APIS, *workers)}
        self.url = f"https://localhost:{self.ports['gateway']}"
        self.prometheus = f"http://127.0.0.1:{self.ports['prometheus']}"
        self.compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    async def configure(self) -> None:
        """Lay out the files of deploy/ with the addresses of here; setup.sh makes the secrets."""
        shutil.copytree(ROOT / "deploy", self.deploy, ignore=shutil.ignore_patterns("secrets"))
        await self._make_secrets()
        gateway = self.deploy / "gateway"
        _put(
            gateway / "nginx.conf",
            {
                r"/run/secrets": str(self.secrets),
                r"listen 8080": f"listen 127.0.0.1:{self.ports['http']}",
                r"listen 8443": f"listen 127.0.0.1:{self.ports['gateway']}",
                r"listen 9443": f"listen 127.0.0.1:{self.ports['files']}",
            },
        )
        _put(
            gateway / "upstreams.conf",
            {
                r"\n +resolver [^\n]*": "",
                r"api-1:8000 resolve": f"127.0.0.1:{self.ports['api-1']}",
                r"api-2:8000 resolve": f"127.0.0.1:{self.ports['api-2']}",
                r"s3:8333 resolve": _address(self.endpoints.s3_endpoint_url),
            },
        )
        host, _, port = _address(self.endpoints.database_url).partition(":")
        _put(
            self.deploy / "pgbouncer" / "pgbouncer.ini",
            {
                r"host=postgres port=5432": f"host={host} port={port}",
                r"listen_addr = \*": "listen_addr = 127.0.0.1",
                r"listen_port = 6432": f"listen_port = {self.ports['pgbouncer']}",
                r"/run/secrets": str(self.secrets),
            },
        )
        self._configure_prometheus()

    def _configure_prometheus(self) -> None:
        path = self.deploy / "prometheus" / "prometheus.yml"
        config = yaml.safe_load(path.read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        earful, node, itself = config["scrape_configs"]
        earful["authorization"]["credentials_file"] = str(self.secrets / "metrics_token")
        del earful["dns_sd_configs"]
        at = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        earful["static_configs"] = [
            {"targets": [at[each] for each in (*APIS, *self.workers, "relay")]}
        ]
        node["static_configs"] = [{"targets": [at["node"]]}]
        itself["static_configs"] = [{"targets": [at["prometheus"]]}]
        path.write_text(yaml.safe_dump(config))

    async def _make_secrets(self) -> None:
        # Those of the stores, which are running; setup.sh keeps what is there.
        self.secrets.mkdir()
        known = {
            "earful_password": urlsplit(self.endpoints.database_url or "").password,
            "valkey_password": urlsplit(self.endpoints.redis_url or "").password,
            "s3_access_key_id": self.endpoints.s3_access_key_id,
            "s3_secret_access_key": self.endpoints.s3_secret_access_key,
        }
        for name, value in known.items():
            (self.secrets / name).write_text(f"{value}\n")
        setup = ("sh", str(self.deploy / "setup.sh"))
        await self.programs.run("setup", Program(setup, {"PATH": os.environ["PATH"]}, self.deploy))
        # PgBouncer has a user of its own here, too.
        self.secrets.chmod(0o755)
        pgbouncer = f"127.0.0.1:{self.ports['pgbouncer']}"
        _put(self.secrets / "database_url", {r"pgbouncer:6432": pgbouncer})
        direct = _address(self.endpoints.database_url)
        _put(self.secrets / "database_direct_url", {r"postgres:5432": direct})
        replica = f"127.0.0.1:{self.ports['replica']}"
        _put(self.secrets / "database_replica_url", {r"postgres-replica:5432": replica})
        if not self.has_replica:
            (self.secrets / "database_replica_url").unlink()
        _put(self.secrets / "redis_url", {r"valkey:6379": _address(self.endpoints.redis_url)})

    def settings(self, service: str, **more: str) -> dict[str, str]:
        """A service's environment in compose.yaml, at the addresses of here."""
        given = self.compose[service]["environment"]
        environment = {
            name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in given.items()
        }
        files = f"https://localhost:{self.ports['files']}"
        return environment | {
            "PATH": os.environ["PATH"],
            "HOST": "127.0.0.1",
            "METRICS_HOST": "127.0.0.1",
            "PUBLIC_URL": self.url,
            "S3_ENDPOINT_URL": str(self.endpoints.s3_endpoint_url),
            "S3_PUBLIC_URL": files,
            "TRUSTED_PROXIES": "127.0.0.1",
            "SECRETS_DIR": str(self.secrets),
            "DATA_DIR": str(self.directory / "data"),
            "SENTIMENT_MODELS": str(self.directory / "models"),
            "TMPDIR": str(self.directory),
            # Debian's PgBouncer is 1.18.
            "DATABASE_PREPARED_STATEMENTS": "false",
            "RATE_LIMIT_SCALE": "1000",
            "SHUTDOWN_SECONDS": "8",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "",
            "LOG_LEVEL": "warning",
            **more,
        }

    def _ours(self, service: str, **more: str) -> Program:
        command = self.compose[service]["command"]
        argv = (sys.executable, "-m", "app", *command)
        return Program(argv, self.settings(service, **more), ROOT)

    async def start(self) -> None:
        """Start everything of ours in the order of compose.yaml's conditions."""
        env = {"PATH": _SBIN}
        pgbouncer = ("pgbouncer", str(self.deploy / "pgbouncer" / "pgbouncer.ini"))
        await self.programs.start("pgbouncer", Program(pgbouncer, env, self.directory, "nobody"))
        await listens(self.ports["pgbouncer"])
        await self.migrate()
        for api in APIS:
            await self.programs.start(api, self._ours(api, PORT=str(self.ports[api])))
        for worker in self.workers:
            await self.programs.start(
                worker, self._ours("worker", METRICS_PORT=str(self.ports[worker]))
            )
        await self.programs.start(
            "relay", self._ours("relay", METRICS_PORT=str(self.ports["relay"]))
        )
        for api in APIS:
            await self.ready(api)
        prefix = self.directory / "gateway"
        prefix.mkdir()
        nginx = ("nginx", "-p", f"{prefix}", "-c", str(self.deploy / "gateway" / "nginx.conf"))
        # As compose.yaml has it.
        arguments = self.compose["gateway"]["command"]
        await self.programs.start("gateway", Program((*nginx, *arguments), env, self.directory))
        await listens(self.ports["gateway"])
        for each in (*self.workers, "relay"):
            await listens(self.ports[each])

    async def watch(self) -> None:
        """Start Prometheus and what tells of the machine."""
        node = self.compose["node-exporter"]["command"][1:]
        address = f"--web.listen-address=127.0.0.1:{self.ports['node']}"
        env = {"PATH": _SBIN}
        await self.programs.start(
            "node", Program(("prometheus-node-exporter", *node, address), env, self.directory)
        )
        config = self.deploy / "prometheus" / "prometheus.yml"
        argv = (
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={self.directory / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
        )
        await self.programs.start("prometheus", Program(argv, env, self.directory))

    async def migrate(self) -> None:
        await self.programs.run("migrate", self._ours("migrate"))

    async def ready(self, api: str, seconds: float = 180.0) -> None:
        """Wait until an API says that it can serve."""
        said = "nothing"
        try:
            async with asyncio.timeout(seconds), httpx.AsyncClient() as http:
                while said != "ok":
                    assert self.programs.died() == {}
                    await asyncio.sleep(0.05)
                    with suppress(httpx.TransportError):
                        answer = await http.get(f"http://127.0.0.1:{self.ports[api]}/readyz")
                        said = "ok" if answer.status_code == httpx.codes.OK else answer.text
        except TimeoutError:
            raise AssertionError(f"{api}: {said}; {self.programs.log(api).read_text()}") from None

    def trust(self) -> ssl.SSLContext:
        """What a client of the gateway trusts: the certificate that setup.sh made."""
        return ssl.create_default_context(cafile=str(self.secrets / "tls_certificate"))

    async def exchange_apis(self) -> None:
        """Run deploy/rolling.sh, and do for it what Docker would if the image of the APIs alone were another."""
        asked = self.directory / "asked"
        shims = self.directory / "shims"
        shims.mkdir()
        (shims / "docker").write_text(_DOCKER)
        (shims / "docker").chmod(0o755)
        env = {"PATH": f"{shims}:{os.environ['PATH']}", "ASKED": str(asked)}
        rolling = Program(("sh", "-x", str(self.deploy / "rolling.sh")), env, self.directory)
        script = asyncio.ensure_future(self.programs.run("rolling", rolling))
        try:
            while not script.done():
                if asked.exists():
                    await self._do(asked.read_text().split())
                    asked.unlink()
                await asyncio.sleep(0.02)
        finally:
            script.cancel()
        await script

    async def _do(self, asked: Sequence[str]) -> None:
        match asked:
            case ["compose", "exec", "-T", "gateway", "nginx", *_, "-s", "reload"]:
                self.programs.tell("gateway", signal.SIGHUP)
            case ["compose", "run", "--rm", "migrate"]:
                await self.migrate()
            case ["compose", "up", "--detach", "--no-deps", "--wait", *services]:
                for service in set(services) & set(APIS):
                    await self.replace(service)
            case _:
                raise AssertionError(asked)

    async def replace(self, name: str, signum: signal.Signals = signal.SIGTERM) -> int:
        """End a process and start it anew; its exit status."""
        status = await self.programs.end(name, signum)
        await self.programs.start(name)
        if name in APIS:
            await self.ready(name)
        else:
            await listens(self.ports[name])
        return status

    async def taken_back(self, api: str) -> None:
        """Wait until the gateway, which leaves out for two seconds who did not answer, asks an API again."""
        answered = f'"upstream":"127.0.0.1:{self.ports[api]}","upstream_status":"200"'
        log = self.programs.log("gateway")
        before = log.stat().st_size
        async with asyncio.timeout(60):
            while answered not in log.read_text()[before:]:
                await asyncio.sleep(0.05)

    async def kill_postgres(self) -> None:
        """Kill the primary, and wait until it is back."""
        file = self.directory / "stores" / "postgres" / "data" / "postmaster.pid"
        (killed,) = _first_line(file)
        os.kill(int(killed), signal.SIGKILL)
        async with asyncio.timeout(120):
            while _first_line(file) in ([], [killed]):
                await asyncio.sleep(0.05)
        await listens(urlsplit(self.endpoints.database_url or "").port or 0)

    async def kill_valkey(self) -> None:
        """Kill it, and wait until it is back with what it had written down."""
        async with redis.asyncio.Redis.from_url(self.endpoints.redis_url or "") as client:
            os.kill((await client.info("server"))["process_id"], signal.SIGKILL)
        async with asyncio.timeout(120):
            while not await self._has_valkey():
                await asyncio.sleep(0.05)

    async def _has_valkey(self) -> bool:
        try:
            async with redis.asyncio.Redis.from_url(self.endpoints.redis_url or "") as client:
                return bool(await client.ping())
        except redis.exceptions.ConnectionError:
            return False

    async def asked(self, path: str, **query: str) -> Any:
        """What Prometheus answers."""
        async with httpx.AsyncClient(timeout=20) as http:
            answer = await http.get(f"{self.prometheus}/api/v1/{path}", params=query)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()["data"]


def _first_line(file: Path) -> list[str]:
    """Of a file that is written anew, in a list; nothing where it is not there, or still empty."""
    with suppress(FileNotFoundError):
        return file.read_text().split()[:1]
    return []


@contextmanager
def own_directory() -> Iterator[Path]:
    """A directory which others than its owner may pass: Postgres and PgBouncer are not root."""
    with tempfile.TemporaryDirectory(prefix="earful-topology-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@asynccontextmanager
async def configured(
    directory: Path, *, workers: Sequence[str], has_replica: bool = False
) -> AsyncIterator[Topology]:
    """The topology on stores of its own, to be started."""
    parts = EmbeddedParts(
        directory / "stores",
        parts=frozenset({"postgres", "valkey", "s3"}),
        durable=True,
        report=lambda _: None,
    )
    try:
        endpoints = await asyncio.to_thread(parts.start)
        logs = directory / "logs"
        logs.mkdir()
        async with Programs(logs) as programs:
            topology = Topology(directory, programs, endpoints, workers, has_replica=has_replica)
            await topology.configure()
            tending = asyncio.ensure_future(_tend(parts))
            yield topology
            tending.cancel()
    finally:
        await asyncio.to_thread(parts.stop)


async def _tend(parts: EmbeddedParts) -> None:
    """Start again what was killed of the stores."""
    while True:
        parts.tend()
        await asyncio.sleep(0.05)


def _put(path: Path, changes: Mapping[str, str]) -> None:
    """Change a copy of a file; what is to be changed must be there."""
    text = path.read_text()
    for pattern, replacement in changes.items():
        text, found = re.subn(pattern, replacement.replace("\\", r"\\"), text)
        assert found, (path, pattern)
    path.write_text(text)


def _address(url: str | None) -> str:
    parts = urlsplit(url or "")
    return f"{parts.hostname}:{parts.port}"
