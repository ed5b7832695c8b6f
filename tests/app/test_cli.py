"""The command line: what each command is for, and what is said of what goes wrong."""

import asyncio
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app import cli
from app.embedded.state import State
from app.running import completed, note_address
from app.settings import Settings
from graph.schema import schema
from tests.callers import Caller
from tests.factories import Factory

ROOT = Path(__file__).parents[2]
NOWHERE = "postgresql://nobody@127.0.0.1:1/x"
COMMANDS = "run serve worker relay migrate create-user seed doctor rotate-keys replace-keys export-schema documents"
PASSWORD = "correct horse battery staple"
LOGIN = """mutation($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) {
    ... on LoginSuccess { tokens { accessToken } } } }"""


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's stores, in the environment."""
    assert settings.secret_key is not None
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SECRET_KEY", settings.secret_key.get_secret_value())
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))


def test_every_command_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert [name in said for name in COMMANDS.split()] == [True] * len(COMMANDS.split())


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])

    assert f"usage: earful {command}" in capsys.readouterr().out


@pytest.mark.usefixtures("instance")
async def test_somebody_who_was_created_signs_in(
    http: httpx.AsyncClient, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    created = await _main("create-user", "ada@example.com", "--name", "Ada")

    answer = await Caller(http).ask(LOGIN, email="ada@example.com", password=PASSWORD)
    caller = Caller(http, answer["login"]["tokens"]["accessToken"])
    seen = await caller.ask("{ viewer { user { name emailVerified } } }")

    assert created == 0
    assert seen["viewer"]["user"] == {"name": "Ada", "emailVerified": True}


@pytest.mark.usefixtures("instance")
@pytest.mark.parametrize(
    ("email", "password", "expected"),
    [
        ("ada@example.com", PASSWORD, "This e-mail address is already registered."),
        ("bob@example.com", "short", "password must have at least 12 characters."),
        ("bob", PASSWORD, "email must be an e-mail address."),
    ],
)
async def test_an_account_that_cannot_be_created(
    email: str,
    password: str,
    expected: str,
    factory: Factory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await factory.person("ada@example.com")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))

    assert await _main("create-user", email) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    ("command", "environment", "status", "expected"),
    [
        ("serve", {"PORT": "eighty"}, 2, "PORT: Input should be a valid integer"),
        ("migrate", {}, 2, "DATABASE_URL: is required here"),
        ("rotate-keys", {"DATABASE_URL": NOWHERE}, 1, "Postgres cannot be reached"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    tmp_path: Path,
    command: str,
    environment: dict[str, str],
    status: int,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (environment | {"DATA_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)

    assert cli.main([command]) == status

    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": NOWHERE, "SECRET_KEY": "k" * 40}

    # From elsewhere, by the script that is in the repository.
    ended = subprocess.run(
        [ROOT / "earful", "serve"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "Postgres cannot be reached" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_the_schema_is_exported(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export-schema"]) == 0

    assert capsys.readouterr().out == f"{schema.as_str()}\n"


def test_commands_find_what_runs_on_the_same_data(settings: Settings) -> None:
    bare = Settings(data_dir=settings.data_dir / "state")

    found = completed(bare)

    for name in ("database_url", "redis_url", "s3_endpoint_url", "s3_secret_access_key"):
        assert getattr(found, name) == getattr(settings, name)


def test_commands_look_for_nothing_where_nothing_runs(tmp_path: Path) -> None:
    State(tmp_path).put("postgres.port.sql", "1")

    assert completed(Settings(data_dir=tmp_path)).database_url is None


def test_commands_find_the_address_of_what_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        note_address(Settings(data_dir=tmp_path, port=port))

        assert completed(Settings(data_dir=tmp_path)).base_url == f"http://127.0.0.1:{port}"
        assert completed(Settings(data_dir=tmp_path, port=81)).port == 81
    assert completed(Settings(data_dir=tmp_path)).port == 8000


async def _main(*arguments: str) -> int:
    return await asyncio.to_thread(cli.main, list(arguments))
