"""The doctor finds each of these broken set-ups, and names the cure."""

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

from app import cli
from app.buckets import objects
from app.doctor import Patient, findings, machine, mail, model, oidc, postgres, redis, s3
from app.doctor.finding import Finding, Look
from app.embedded.state import State
from app.resources import Api
from app.settings import Settings
from app.setup import prepare
from app.stores import now, open_redis
from inference.sentiment import DEFAULT_DIRECTORY
from persistence import migrate
from tests.clients.conftest import issued
from tests.clients.mailboxes import PASSWORD, USERNAME, authenticate, serving
from tests.identity_providers import liar
from tests.pgbouncer import needs_pgbouncer, pooled

NOWHERE = "127.0.0.1:1"


async def seen(
    look: Look, settings: Settings, *, clock: Callable[[], datetime] = now, **changes: Any
) -> str:
    """What is not well with a part, a line each."""
    patient = Patient(settings.model_copy(update=changes), clock)
    return _lines([finding async for finding in look(patient)])


def _lines(found: list[Finding]) -> str:
    return "\n".join(
        f"{each.state} {each.part}: {each.text} | {each.why} | {each.cure}"
        for each in found
        if each.state != "ok"
    )


def _elsewhere(url: str | None, **parts: str) -> str:
    assert url is not None
    return urlunsplit(urlsplit(url)._replace(**parts))


@pytest.fixture(scope="module", autouse=True)
async def _prepared(settings: Settings, api: Api) -> None:
    await asyncio.to_thread(prepare, settings)


@asynccontextmanager
async def _database(settings: Settings, name: str) -> AsyncIterator[str]:
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield _elsewhere(settings.database_url, path=f"/{name}")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_nothing_is_broken_where_all_is_well(settings: Settings) -> None:
    found = await findings(Patient(settings, now))

    assert "broken" not in _lines(found)
    assert {each.part for each in found if each.state == "ok"} >= {
        "machine",
        "settings",
        "postgres",
        "redis",
        "s3",
        "mail",
        "model",
    }


async def test_where_nothing_runs_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    found = await findings(Patient(Settings(data_dir=tmp_path), now))

    (said,) = [each for each in found if each.state == "broken"]
    assert said.part == "stores"
    assert said.text == f"none is named, and no `make run` runs on {tmp_path}"
    assert said.cure.startswith("Start `make run` in another terminal and ask again")


@pytest.mark.parametrize(
    ("look", "variable", "old", "new", "expected", "cure"),
    [
        (
            postgres.look,
            "database_url",
            "//earful:",
            "//earful:wrong",
            "password authentication",
            "Correct user and password in DATABASE_URL",
        ),
        (
            postgres.look,
            "database_url",
            "/earful",
            "/other",
            'database "other" does not exist',
            "CREATE DATABASE earful",
        ),
        (
            redis.look,
            "redis_url",
            "redis://:",
            "redis://:wrong",
            "Redis cannot be used: ",
            "Correct the password in REDIS_URL",
        ),
    ],
)
async def test_wrong_credentials(
    settings: Settings, look: Look, variable: str, old: str, new: str, expected: str, cure: str
) -> None:
    head, _, tail = str(getattr(settings, variable)).rpartition(old)
    changes: dict[str, Any] = {variable: f"{head}{new}{tail}"}

    said = await seen(look, settings, **changes)

    assert expected in said
    assert cure in said


async def test_another_key_of_the_bucket(settings: Settings) -> None:
    said = await seen(s3.look, settings, s3_access_key_id="another")

    assert "Forbidden" in said
    assert "Correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY" in said


async def test_no_key_of_the_bucket(settings: Settings) -> None:
    said = await seen(s3.look, settings, s3_access_key_id=None, s3_secret_access_key=None)

    assert "Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY" in said


@pytest.mark.parametrize(
    ("look", "variable", "url"),
    [
        (postgres.look, "DATABASE_URL", f"postgresql://earful@{NOWHERE}/earful"),
        (redis.look, "REDIS_URL", f"redis://{NOWHERE}/0"),
        (s3.look, "S3_ENDPOINT_URL", f"http://{NOWHERE}"),
        (mail.look, "SMTP_URL", f"smtp://{NOWHERE}"),
    ],
)
async def test_what_is_away(settings: Settings, look: Look, variable: str, url: str) -> None:
    changes: dict[str, Any] = {variable.lower(): url}

    (said,) = (await seen(look, settings, **changes)).splitlines()

    assert said.startswith("broken ")
    assert "cannot be used" in said
    assert "| Start it, correct" in said
    assert variable in said


@pytest.mark.parametrize(
    ("look", "variable"),
    [
        (postgres.look, "DATABASE_URL"),
        (redis.look, "REDIS_URL"),
        (s3.look, "S3_ENDPOINT_URL"),
        (machine.look, "SECRET_KEY"),
    ],
)
async def test_what_is_not_set(settings: Settings, look: Look, variable: str) -> None:
    changes: dict[str, Any] = {variable.lower(): None}

    said = await seen(look, settings, **changes)

    assert f"{variable} is not set" in said
    assert f"Set {variable}" in said.replace("Set the same", "Set")


async def test_a_superuser(settings: Settings) -> None:
    password = State(settings.data_dir / "state").get("postgres.superuser_password")
    _, _, address = urlsplit(settings.database_url or "").netloc.rpartition("@")
    netloc = f"postgres:{password}@{address}"

    said = await seen(
        postgres.look, settings, database_url=_elsewhere(settings.database_url, netloc=netloc)
    )

    assert "the role postgres bypasses row-level security" in said
    assert "NOSUPERUSER NOBYPASSRLS" in said


async def test_migrations_that_are_missing_and_ahead(settings: Settings) -> None:
    async with _database(settings, "doctor") as url:
        fresh = await seen(postgres.look, settings, database_url=url)
        await asyncio.to_thread(migrate.upgrade, url)
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE alembic_version SET version_num = 'of_tomorrow'")
        await connection.close()
        ahead = await seen(postgres.look, settings, database_url=url)

    count = len(migrate.known())
    assert f"{count} of {count} migrations are missing, from 0001" in fresh
    assert "Run `earful migrate`" in fresh
    assert "the database is ahead: migration of_tomorrow" in ahead
    assert "Run the Earful that migrated it" in ahead


async def test_another_secret_key_than_the_others_have(settings: Settings) -> None:
    said = await seen(
        postgres.look, settings, secret_key=SecretStr("one that nothing was sealed with, ever")
    )

    assert "SECRET_KEY is not the one that this database's secrets were sealed with" in said
    assert "Give all processes the SECRET_KEY of before" in said


async def test_a_secret_key_that_can_be_guessed(settings: Settings) -> None:
    said = await seen(machine.look, settings, secret_key=SecretStr("abc" * 20))

    assert "SECRET_KEY can be guessed" in said
    assert "openssl rand" in said


@needs_pgbouncer
async def test_a_pooler_in_transaction_mode(settings: Settings) -> None:
    assert settings.database_url is not None
    port = State(settings.data_dir / "state").ports("pgbouncer", ["sql"])["sql"]
    with pooled(settings.database_url, listen_port=port) as url:
        said = await seen(postgres.look, settings, database_url=url)
        mended = await seen(
            postgres.look,
            settings,
            database_url=url,
            database_prepared_statements=False,
            database_direct_url=settings.database_url,
        )
        twice = await seen(postgres.look, settings, database_url=url, database_direct_url=url)

    assert "the pooler loses prepared statements" in said
    assert "DATABASE_PREPARED_STATEMENTS=false" in said
    assert "Set DATABASE_DIRECT_URL to Postgres itself" in said
    assert "broken" not in mended
    assert "DATABASE_DIRECT_URL goes through a pooler" in twice


async def test_a_replica_that_is_none(settings: Settings) -> None:
    nowhere = f"postgresql://earful@{NOWHERE}/earful"

    primary = await seen(postgres.look, settings, database_replica_url=settings.database_url)
    away = await seen(postgres.look, settings, database_replica_url=nowhere)

    assert "DATABASE_REPLICA_URL is no standby" in primary
    assert "the replica cannot be used by DATABASE_REPLICA_URL" in away
    assert "correct host and port in DATABASE_REPLICA_URL" in away


async def test_redis_that_evicts(settings: Settings) -> None:
    async with open_redis(settings) as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            said = await seen(redis.look, settings)
        finally:
            await client.config_set("maxmemory-policy", "noeviction")

    assert "maxmemory-policy is allkeys-lru" in said
    assert "Set `maxmemory-policy noeviction`" in said


async def test_redis_that_forgets(settings: Settings) -> None:
    assert "Set `appendonly yes`" in await seen(redis.look, settings)


async def test_a_bucket_that_is_not_there_and_one_that_lets_no_page_of_ours_in(
    settings: Settings,
) -> None:
    missing = await seen(s3.look, settings, s3_bucket="doctor")
    async with objects(settings.model_copy(update={"s3_bucket": "doctor"})) as bucket:
        await bucket.create_bucket()
        await bucket.allow_origins(["https://other.example"])
    bare = await seen(s3.look, settings, s3_bucket="doctor")

    assert "broken s3: S3 cannot be used" in missing
    assert "Run `earful migrate`, which makes it" in missing
    assert "CORS rules do not let pages of http://127.0.0.1:8000 in" in bare
    assert "Run `earful migrate`, which sets them" in bare


async def test_clocks_that_differ(settings: Settings) -> None:
    looks = (postgres.look, redis.look, s3.look)

    def late() -> datetime:
        return now() - timedelta(minutes=2)

    said = [await seen(look, settings, clock=late) for look in looks]

    assert [
        ("broken" in each, "s ahead of this machine's" in each, "timedatectl" in each)
        for each in said
    ] == [(True, True, True)] * 3


async def test_a_mail_server_with_another_password(settings: Settings, tmp_path: Path) -> None:
    authority = issued(tmp_path, "127.0.0.1")
    async with serving(starttls=authority.server, authenticator=authenticate) as mailbox:
        at = f"{USERNAME.replace('@', '%40')}:{{}}@127.0.0.1:{mailbox.port}"
        at = f"smtp://{at}?ca_file={authority.ca_file}"
        wrong = await seen(mail.look, settings, smtp_url=at.format("wrong"))
        right = await seen(
            mail.look,
            settings,
            smtp_url=at.format(PASSWORD.replace("/", "%2F").replace("@", "%40")),
        )

    assert "Correct user and password in SMTP_URL" in wrong
    assert "broken mail" not in right


async def test_a_mail_server_that_nobody_vouches_for(settings: Settings, tmp_path: Path) -> None:
    authority = issued(tmp_path, "127.0.0.1")
    async with serving(tls=authority.server) as mailbox:
        said = await seen(mail.look, settings, smtp_url=f"smtps://127.0.0.1:{mailbox.port}")

    assert "trust its authority by ?ca_file=" in said


async def test_providers_that_are_away_or_somebody_else(settings: Settings) -> None:
    async with liar() as provider:
        issuers = (provider.issuer, f"{provider.issuer}/", f"http://{NOWHERE}")
        said = [
            await seen(oidc.look, settings, oidc_issuer=issuer, oidc_client_id="earful")
            for issuer in issuers
        ]

    right, other, away = said
    assert right == ""
    assert f"calls itself {provider.issuer}, and not {provider.issuer}/" in other
    assert "does not answer at" in away
    assert "Correct the issuer in OIDC_PROVIDERS or OIDC_ISSUER" in away


async def test_a_damaged_model_and_one_that_is_not_there(
    settings: Settings, tmp_path: Path
) -> None:
    damaged = tmp_path / "model"
    shutil.copytree(DEFAULT_DIRECTORY, damaged)
    with (damaged / "model.onnx").open("r+b") as file:
        file.seek(1_000)
        file.write(b"damage")

    said = await seen(model.look, settings, sentiment_model=damaged)
    missing = await seen(model.look, settings, sentiment_model=tmp_path / "missing")

    assert "model.onnx is damaged" in said
    assert "git checkout inference/models" in said
    assert "broken model: The sentiment model cannot be read" in missing


async def test_production_that_is_none(settings: Settings) -> None:
    patient = Patient(settings.model_copy(update={"environment": "production"}), now)

    said = _lines([each for look in (machine.look, mail.look) async for each in look(patient)])

    assert "in production PUBLIC_URL is http://127.0.0.1:8000" in said
    assert "Set PUBLIC_URL=https://" in said
    assert "Set SMTP_URL and MAIL_FROM" in said


async def test_a_development_server_that_everybody_reaches(settings: Settings) -> None:
    said = await seen(machine.look, settings, public_url="https://earful.invalid")

    assert "Set ENVIRONMENT=production" in said
    assert "Name the networks of the proxies, as in TRUSTED_PROXIES=" in said
    assert "warning api: https://earful.invalid/readyz cannot be reached from here" in said


async def test_a_data_dir_that_is_a_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = await seen(machine.look, settings, data_dir=tmp_path / "file" / "data")

    assert "cannot be written to" in said
    assert "Let DATA_DIR name a folder" in said


def test_a_disk_that_fills() -> None:
    states = [machine.disk(Path("/data"), free).state for free in (2**40, 2**30, 2**20)]

    assert states == ["ok", "warning", "broken"]


def test_too_few_open_files(settings: Settings) -> None:
    found = machine.open_files(settings, 4_096)

    assert found.state == "warning"
    assert "Raise it to 51,000" in found.cure
    assert machine.open_files(settings, resource.RLIM_INFINITY).state == "ok"


def test_a_setting_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "eighty")

    assert cli.main(["doctor", "--json"]) == 1

    said = orjson.loads(capsys.readouterr().out)
    assert said["broken"] == 1
    (finding,) = said["findings"]
    assert finding["text"].startswith("PORT: Input should be a valid integer")
    assert ".env.example" in finding["cure"]
