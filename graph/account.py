"""Accounts in the schema: users, sessions, and signing in and out."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import account
from domain.errors import InvalidCredentialsError, RateLimitedError
from domain.ids import Kind
from graph.access import public
from graph.context import Context, Cookie, Info
from graph.errors import Conflict, InvalidCredentials, InvalidInput, RateLimited
from graph.fields import computed, rows
from graph.node import Node, id_field
from persistence.limits import Limit

REGISTRATIONS = Limit("register", points=300, seconds=3600)
LOGINS = Limit("login", points=300, seconds=60)
FAILED_LOGINS = Limit("failed-login", points=10, seconds=300)
REFRESHES = Limit("refresh", points=300, seconds=60)

ACCESS_COOKIE = "earful_access"
REFRESH_COOKIE = "earful_refresh"


@strawberry.type(description="A person with an account.")
@rows(account.User)
class User(Node):
    id: strawberry.ID = id_field(Kind.USER)
    email: str = strawberry.field(description="Their address, as they wrote it.")
    name: str = strawberry.field(description="As people call them.")
    email_verified: bool = strawberry.field(description="Whether the address is proven theirs.")
    created_at: datetime = strawberry.field(description="When they registered.")


def _is_current(root: strawberry.Parent[Any], info: Info) -> bool:
    return bool(root.id == info.context.viewer.session_id)


@strawberry.type(description="One sign-in on one device.")
@rows(account.Session)
class Session(Node):
    id: strawberry.ID = id_field(Kind.SESSION)
    created_at: datetime = strawberry.field(description="When it was opened.")
    last_seen_at: datetime = strawberry.field(description="When its tokens were last renewed.")
    user_agent: str | None = strawberry.field(description="What the device called itself.")
    ip: str | None = strawberry.field(description="The address it was opened from.")
    current: bool = computed(
        _is_current, reads=("id",), description="Whether this request is of this session."
    )


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
    password: str = strawberry.field(description="12 to 256 characters.")
    name: str = strawberry.field(description="Up to 200 characters.")


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


@strawberry.type(description="Signed in.")
class LoginSuccess:
    user: User = strawberry.field(description="Who signed in.")
    tokens: AuthTokens = strawberry.field(description="The new session's tokens.")


LoginResult = Annotated[
    LoginSuccess | InvalidInput | InvalidCredentials | RateLimited, strawberry.union("LoginResult")
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


def _set_cookies(context: Context, tokens: account.Tokens) -> None:
    context.set_cookies = [
        Cookie(ACCESS_COOKIE, tokens.access.text, tokens.access.expires_at),
        Cookie(REFRESH_COOKIE, tokens.refresh.text, tokens.refresh.expires_at),
    ]


async def _log_in(context: Context, input: LoginInput) -> account.SignedIn:
    """Log in, counting failures per account and attempts per address."""
    services = context.services
    who = input.email.strip().lower()[:254]
    await context.spend(LOGINS, context.client.ip)
    if wait := await services.limiter.wait(FAILED_LOGINS, who, spend=False):
        raise RateLimitedError(wait)
    try:
        return await account.login(
            services.database,
            services.policy,
            context.client,
            email=input.email,
            password=input.password,
        )
    except InvalidCredentialsError:
        await services.limiter.wait(FAILED_LOGINS, who)
        raise


@strawberry.type
class AccountMutation:
    @strawberry.mutation(extensions=[public], description="Make an account and sign it in.")
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
        extensions=[public],
        description="Sign in. Ten failures in five minutes close an account to further attempts for a while.",
    )
    async def login(self, info: Info, input: LoginInput) -> LoginResult:
        signed = await _log_in(info.context, input)
        if input.cookies:
            _set_cookies(info.context, signed.tokens)
        return LoginSuccess(user=signed.user, tokens=AuthTokens.of(signed.tokens))  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[public],
        description="Trade a refresh token (from the argument or the cookie) for a new pair; each works once. "
        "A token that is used again later than ten seconds after ends its session.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> RefreshSessionResult:
        context = info.context
        await context.spend(REFRESHES, context.client.ip)
        token = input.refresh_token or context.refresh_cookie or ""
        tokens = await account.refresh(context.services.database, context.services.policy, token)
        if input.cookies:
            _set_cookies(context, tokens)
        return RefreshSessionSuccess(tokens=AuthTokens.of(tokens))

    @strawberry.mutation(
        extensions=[public],
        description="End the caller's session at once, its access tokens included, and clear its cookies.",
    )
    async def logout(self, info: Info) -> LogoutResult:
        context = info.context
        if context.viewer_or_none is None:
            raise InvalidCredentialsError("Nobody is signed in.")
        async with context.transaction() as uow:
            await account.logout(uow, context.viewer)
        context.services.sessions.revoke(context.viewer.session_id)
        context.set_cookies = [Cookie(ACCESS_COOKIE, None), Cookie(REFRESH_COOKIE, None)]
        return LogoutSuccess(ok=True)
