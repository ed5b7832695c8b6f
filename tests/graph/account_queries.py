"""What tests of accounts ask over GraphQL."""

import re
from typing import Any

from tests.callers import JSON, Caller
from tests.factories import PASSWORD, Factory, Person
from tests.working import Worker

PROBLEM = "__typename ... on Problem { message }"
TOKENS = "tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }"
LOGIN = f"""
    mutation($input: LoginInput!) {{ login(input: $input) {{
      {PROBLEM} ... on RateLimited {{ retryAfterSeconds }}
      ... on LoginSuccess {{ user {{ id email }} {TOKENS} }}
    }} }}
"""
REFRESH = f"""
    mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {{
      {PROBLEM} ... on RefreshSessionSuccess {{ {TOKENS} }}
    }} }}
"""
ME = "{ viewer { user { id } } }"


async def login(nobody: Caller, email: str, password: str = PASSWORD, **input: Any) -> JSON:
    answer = await nobody.ask(LOGIN, input={"email": email, "password": password} | input)
    return answer["login"]


async def refresh(nobody: Caller, token: str | None) -> JSON:
    return (await nobody.ask(REFRESH, input={"refreshToken": token}))["refreshSession"]


async def who(caller: Caller) -> str | None:
    """The id of the user that the caller is taken for."""
    viewer: JSON = (await caller.ask(ME))["viewer"]
    return None if viewer is None else str(viewer["user"]["id"])


def mutation(name: str, success: str = "ok") -> str:
    """A mutation with one input, named as all are; `success` is selected where it was done."""
    kind = name[0].upper() + name[1:]
    return f"""
        mutation($input: {kind}Input!) {{ answer: {name}(input: $input) {{
          {PROBLEM} ... on {kind}Success {{ {success} }}
          ... on Problem {{
            ... on RateLimited {{ retryAfterSeconds }} ... on InvalidInput {{ fields {{ path message }} }}
          }}
        }} }}
    """


async def change(caller: Caller, name: str, success: str = "ok", /, **input: Any) -> JSON:
    """What such a mutation answers."""
    return (await caller.ask(mutation(name, success), input=input))["answer"]


async def verified(factory: Factory) -> Person:
    """Somebody whose address is proven."""
    person = await factory.person()
    await factory.change('UPDATE "user" SET email_verified_at = now() WHERE id = :id', id=person.id)
    return person


async def mailed(worker: Worker, about: str) -> list[tuple[str, str]]:
    """What was mailed with this subject, by now: to whom, and the token in it or nothing."""
    await worker.work()
    return [
        (mail["to"], "".join(_TOKEN.findall(plain.get_content())))
        for mail in worker.mail()
        if mail["subject"] == about and (plain := mail.get_body(("plain",)))
    ]


async def token_of(worker: Worker, about: str) -> str:
    """The token in the latest mail with this subject."""
    return (await mailed(worker, about))[-1][1]


async def subjects(worker: Worker) -> list[tuple[str, str]]:
    """To whom mail went by now, and with which subject."""
    await worker.work()
    return sorted((mail["to"], mail["subject"]) for mail in worker.mail())


VERIFY = "Confirm your e-mail address"
RESET = "Set a new password"
CHANGE = "Confirm your new e-mail address"
_TOKEN = re.compile(r"token=(earful_mt_[\w-]{43})\b")
