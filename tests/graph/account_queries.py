"""What tests of accounts ask over GraphQL."""

from tests.callers import JSON, Caller
from tests.factories import PASSWORD

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


async def login(nobody: Caller, email: str, password: str = PASSWORD) -> JSON:
    answer = await nobody.ask(LOGIN, input={"email": email, "password": password})
    return answer["login"]


async def refresh(nobody: Caller, token: str | None) -> JSON:
    return (await nobody.ask(REFRESH, input={"refreshToken": token}))["refreshSession"]


async def who(caller: Caller) -> str | None:
    """The id of the user that the caller is taken for."""
    viewer: JSON = (await caller.ask(ME))["viewer"]
    return None if viewer is None else str(viewer["user"]["id"])
