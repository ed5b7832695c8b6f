"""The keys that sign access tokens: exchanged without signing anybody out, or at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from app import signing
from app.cli import main
from app.resources import Api
from app.settings import Settings
from domain import account
from domain.errors import UnauthenticatedError
from domain.tokens import AccessTokens
from persistence.database import Database
from tests.factories import Factory
from tests.holding import held

LIFETIME = timedelta(minutes=10)
USER, SESSION = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
async def _no_keys(factory: Factory, api: Api) -> AsyncIterator[None]:
    """The run's own keys are put back."""
    kept = await factory.rows("SELECT * FROM signing_key")
    await factory.change("DELETE FROM signing_key")
    yield
    await factory.change("DELETE FROM signing_key")
    for kid, sealed, created_at, retired_at in kept:
        await factory.change(
            "INSERT INTO signing_key VALUES (:kid, :sealed, :created, :retired)",
            kid=kid,
            sealed=sealed,
            created=created_at,
            retired=retired_at,
        )


class Process:
    """What one process knows of the keys at a time."""

    def __init__(self, database: Database, api: Api) -> None:
        self._database = database
        self._seals = api.services.seals
        self.access: AccessTokens | None = None

    async def look(self, now: datetime) -> AccessTokens:
        keys = await account.signing_keys(self._database, self._seals, now, lifetime=LIFETIME)
        if self.access is None:
            self.access = AccessTokens(keys, issuer="https://earful.test", lifetime=LIFETIME)
        self.access.use(keys)
        return self.access


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def published(access: AccessTokens) -> set[str]:
    return {key["kid"] for key in access.jwks()["keys"]}


async def test_processes_that_start_at_once_make_one_key(
    database: Database, api: Api, settings: Settings
) -> None:
    now = datetime.now(UTC)

    async with held(settings, "LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE") as waited_for:
        looking = [asyncio.ensure_future(Process(database, api).look(now)) for _ in range(3)]
        await waited_for(3)
    found = await asyncio.gather(*looking)

    assert len({kid(access.issue(USER, SESSION, now).text) for access in found}) == 1
    assert {len(published(access)) for access in found} == {1}


async def test_a_new_key_signs_once_everybody_knows_it_and_the_old_one_verifies_on(
    database: Database, api: Api
) -> None:
    process, late = Process(database, api), Process(database, api)
    now = datetime.now(UTC)
    access = await process.look(now)
    await late.look(now)
    old = kid(access.issue(USER, SESSION, now).text)

    await account.rotate_keys(database, api.services.seals)

    soon = await process.look(now + timedelta(minutes=9))
    last_old = soon.issue(USER, SESSION, now + timedelta(minutes=9)).text
    known = published(soon)
    then = now + timedelta(minutes=11)
    first_new = (await process.look(then)).issue(USER, SESSION, then).text
    (new,) = known - {old}
    assert (kid(last_old), kid(first_new)) == (old, new)
    # A process that has not looked since the new key was published still signs with the old one.
    assert (await late.look(now + timedelta(minutes=10, seconds=-30))).read(
        last_old, now + timedelta(minutes=9)
    ).session_id == SESSION
    assert access.read(last_old, then).session_id == SESSION
    assert access.read(first_new, then).session_id == SESSION
    assert published(access) == {old, new}
    after = await process.look(then + timedelta(minutes=20))
    assert published(after) == {new}


async def test_keys_that_are_exchanged_twice_come_one_after_the_other(
    database: Database, api: Api
) -> None:
    process, now = Process(database, api), datetime.now(UTC)
    first = published(await process.look(now))
    await account.rotate_keys(database, api.services.seals)
    await account.rotate_keys(database, api.services.seals)

    access = await process.look(now + timedelta(minutes=5))
    signing_then = kid(access.issue(USER, SESSION, now).text)
    later = await process.look(now + timedelta(minutes=11))

    assert {signing_then} == first
    assert len(published(access)) == 3
    assert kid(later.issue(USER, SESSION, now).text) not in first


async def test_a_key_that_is_forgotten_signs_and_verifies_nothing(
    database: Database, api: Api
) -> None:
    process, now = Process(database, api), datetime.now(UTC)
    access = await process.look(now)
    old = access.issue(USER, SESSION, now).text
    access.read(old, now)

    await account.replace_keys(database, api.services.seals)

    access = await process.look(now)
    with pytest.raises(UnauthenticatedError):
        access.read(old, now)
    assert kid(access.issue(USER, SESSION, now).text) != kid(old)
    assert len(published(access)) == 1


async def test_a_process_follows_the_keys(database: Database, api: Api) -> None:
    process = Process(database, api)
    access = await process.look(datetime.now(UTC))
    following = asyncio.ensure_future(
        signing.keep_current(access, database, api.services.seals, LIFETIME, seconds=0.01)
    )

    await account.rotate_keys(database, api.services.seals)

    async with asyncio.timeout(10):
        while len(published(access)) < 2:
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.wait({following})


@pytest.mark.parametrize(("command", "left"), [("rotate-keys", 2), ("replace-keys", 1)])
async def test_the_command_line_exchanges_them(
    database: Database,
    api: Api,
    settings: Settings,
    factory: Factory,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    left: int,
) -> None:
    before = published(await Process(database, api).look(datetime.now(UTC)))
    assert settings.database_url is not None
    assert settings.secret_key is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SECRET_KEY", settings.secret_key.get_secret_value())

    assert await asyncio.to_thread(main, [command]) == 0

    kids = {kid for (kid,) in await factory.rows("SELECT kid FROM signing_key")}
    assert len(kids) == left
    assert len(kids - before) == 1


async def test_retired_keys_are_forgotten_once_no_token_of_theirs_can_be_good(
    database: Database, api: Api, factory: Factory
) -> None:
    await Process(database, api).look(datetime.now(UTC))
    await account.rotate_keys(database, api.services.seals)
    forgotten = []
    for age in ("23 hours", "25 hours"):
        await factory.change(
            f"UPDATE signing_key SET retired_at = now() - interval '{age}' WHERE retired_at IS NOT NULL"
        )
        async with database.transaction() as uow:
            await account.forget_expired(uow)
        forgotten += await factory.rows("SELECT count(*) FROM signing_key")

    assert forgotten == [(2,), (1,)]
