"""Somebody with a second factor, for the tests that sign them in."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from domain import totp
from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory, Person
from tests.graph.account_queries import change, login, verified

STARTED = "secret otpauthUrl"
CODES = "recoveryCodes"


@dataclass(frozen=True, slots=True)
class Protected:
    """Somebody with a second factor, and what it takes."""

    person: Person
    caller: Caller
    secret: bytes
    recovery_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """The app's code, so many half minutes from now."""
        return totp.code(self.secret, int(datetime.now(UTC).timestamp()) // 30 + steps)


async def protect(factory: Factory, http: httpx.AsyncClient) -> Protected:
    """Somebody whose app has given its last code long ago."""
    person = await verified(factory)
    caller = person.on(http)
    secret = read(await change(caller, "startTotp", STARTED, password=PASSWORD))
    step = int(datetime.now(UTC).timestamp()) // 30
    confirmed = await change(caller, "confirmTotp", CODES, code=totp.code(secret, step))
    await factory.change('UPDATE "user" SET totp_step = 0 WHERE id = :id', id=person.id)
    return Protected(person, caller, secret, confirmed["recoveryCodes"])


def read(started: JSON) -> bytes:
    """The secret that an app would keep."""
    return base64.b32decode(started["secret"])


async def sign_in(nobody: Caller, one: Protected, code: str | None) -> JSON:
    return await login(nobody, one.person.email, code=code)
