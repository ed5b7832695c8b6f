"""Registering, signing in and out, and staying so, in the schema."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import account
from domain.errors import InvalidCredentialsError
from graph.access import for_people
from graph.account.guard import (
    FAILED_CODES,
    FAILED_LOGINS,
    LOGINS,
    REFRESHES,
    REGISTRATIONS,
    address_key,
    guessing,
)
from graph.account.user import User
from graph.context import Context, Cookie, Info
from graph.errors import (
    Conflict,
    InvalidCredentials,
    InvalidInput,
    RateLimited,
    SecondFactorRequired,
)

ACCESS_COOKIE = "earful_access"
REFRESH_COOKIE = "earful_refresh"


@strawberry.type(
    description="accessToken is a JWT for the Authorization header; browsers get both as httpOnly "
    "cookies too when `cookies: true`."
)
class AuthTokens:
    access_token: str = strawberry.field(description="`Authorization: Bearer <accessToken>`.")
    access_token_expires_at: datetime = strawberry.field(description="Renew it before then.")
    refresh_token: str = strawberry.field(description="Works once, in `refreshSession`.")
    refresh_token_expires_at: datetime = strawberry.field(description="After that, sign in again.")

    @staticmethod
    def of(tokens: account.Tokens) -> "AuthTokens":
        return AuthTokens(
            access_token=tokens.access.text,
            access_token_expires_at=tokens.access.expires_at,
            refresh_token=tokens.refresh.text,
            refresh_token_expires_at=tokens.refresh.expires_at,
        )


@strawberry.input(description="A new account.")
class RegisterInput:
    email: str = strawberry.field(description="Unique without regard to case.")
    password: str = strawberry.field(
        description="12 to 256 characters, and none of the most common ones."
    )
    name: str = strawberry.field(description="One line of up to 200 characters.")


@strawberry.type(description="The account exists and is signed in.")
class RegisterSuccess:
    user: User = strawberry.field(description="The new user.")
    tokens: AuthTokens = strawberry.field(description="The new session's tokens.")


RegisterResult = Annotated[
    RegisterSuccess | InvalidInput | Conflict | RateLimited, strawberry.union("RegisterResult")
]


@strawberry.input(description="Who wants in.")
class LoginInput:
    email: str = strawberry.field(description="In any case.")
    password: str = strawberry.field(description="The password.")
    cookies: bool = strawberry.field(
        default=False, description="Set the tokens as httpOnly, SameSite=Lax cookies too."
    )
    code: str | None = strawberry.field(
        default=None,
        description="Six digits of the authenticator app, or a recovery code; for accounts that have a second factor.",
    )


@strawberry.type(description="Signed in.")
class LoginSuccess:
    user: User = strawberry.field(description="Who signed in.")
    tokens: AuthTokens = strawberry.field(description="The new session's tokens.")


LoginResult = Annotated[
    LoginSuccess | InvalidInput | InvalidCredentials | RateLimited | SecondFactorRequired,
    strawberry.union("LoginResult"),
]


@strawberry.input(description="Which refresh token to trade.")
class RefreshSessionInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="The token; the cookie's where it is missing."
    )
    cookies: bool = strawberry.field(default=False, description="Set the new pair as cookies too.")


@strawberry.type(description="A new pair; the old refresh token is used up.")
class RefreshSessionSuccess:
    tokens: AuthTokens = strawberry.field(description="The new pair.")


RefreshSessionResult = Annotated[
    RefreshSessionSuccess | InvalidCredentials | RateLimited,
    strawberry.union("RefreshSessionResult"),
]


@strawberry.type(description="Signed out.")
class LogoutSuccess:
    ok: bool = strawberry.field(description="Always true.")


LogoutResult = Annotated[LogoutSuccess | InvalidCredentials, strawberry.union("LogoutResult")]


def set_cookies(context: Context, tokens: account.Tokens) -> None:
    """Let the browser have them."""
    context.set_cookies = [
        Cookie(ACCESS_COOKIE, tokens.access.text, tokens.access.expires_at),
        Cookie(REFRESH_COOKIE, tokens.refresh.text, tokens.refresh.expires_at),
    ]


async def _log_in(context: Context, input: LoginInput) -> account.SignedIn:
    """Log in, counting attempts per address, and failures per account."""
    services = context.services
    await context.spend(LOGINS, context.client.ip)
    limits = (FAILED_LOGINS, FAILED_CODES) if input.code else (FAILED_LOGINS,)
    async with guessing(context, address_key(input.email), *limits):
        return await account.login(
            services.database,
            services.policy,
            services.seals,
            context.client,
            account.Login(input.email, input.password, input.code),
        )


async def _log_out(context: Context) -> UUID:
    """End the caller's session, and answer which."""
    viewer, token = context.viewer_or_none, context.refresh_cookie
    if viewer is None and token is None:
        raise InvalidCredentialsError("Nobody is signed in.")
    async with context.transaction() as uow:
        if viewer is None:
            return await account.logout_by_token(uow, token or "", context.client)
        await account.logout(uow, viewer)
        return viewer.session_id


def clear_cookies(context: Context) -> None:
    """Who is signed out has none of ours any more."""
    context.set_cookies = [Cookie(ACCESS_COOKIE, None), Cookie(REFRESH_COOKIE, None)]


@strawberry.type
class EntryMutation:
    @strawberry.mutation(
        extensions=[for_people],
        description="Make an account and sign it in. A mail to the address holds the token for `verifyEmail`.",
    )
    async def register(self, info: Info, input: RegisterInput) -> RegisterResult:
        context = info.context
        await context.spend(REGISTRATIONS, context.client.ip)
        signed = await account.register(
            context.services.database,
            context.services.policy,
            context.client,
            account.Register(email=input.email, password=input.password, name=input.name),
        )
        return RegisterSuccess(user=signed.user, tokens=AuthTokens.of(signed.tokens))  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[for_people],
        description="Sign in. Ten failures in five minutes close an account to further attempts for a while; of codes "
        "five in a quarter of an hour.",
    )
    async def login(self, info: Info, input: LoginInput) -> LoginResult:
        signed = await _log_in(info.context, input)
        if input.cookies:
            set_cookies(info.context, signed.tokens)
        return LoginSuccess(user=signed.user, tokens=AuthTokens.of(signed.tokens))  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[for_people],
        description="Trade a refresh token (from the argument or the cookie) for a new pair; each works once. "
        "A token that is used again later than ten seconds after ends its session.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> RefreshSessionResult:
        context = info.context
        await context.spend(REFRESHES, context.client.ip)
        token = input.refresh_token or context.refresh_cookie or ""
        services = context.services
        tokens = await account.refresh(services.database, services.policy, token, context.client)
        if input.cookies:
            set_cookies(context, tokens)
        return RefreshSessionSuccess(tokens=AuthTokens.of(tokens))

    @strawberry.mutation(
        extensions=[for_people],
        description="End the caller's session at once, its access tokens included, and clear its cookies. Where the "
        "access token has run out the cookie of the refresh token says which.",
    )
    async def logout(self, info: Info) -> LogoutResult:
        session = await _log_out(info.context)
        info.context.services.sessions.revoke(session)
        clear_cookies(info.context)
        return LogoutSuccess(ok=True)
