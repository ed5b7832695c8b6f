"""Signing in by a provider's word in the schema: the code that is still missing, the link made, and undone."""

import hashlib
from typing import Annotated
from urllib.parse import urlencode

import strawberry

from domain import account, ids
from domain.errors import NotFoundError
from domain.ids import Kind
from graph.access import for_people, signed_in
from graph.account.entry import AuthTokens, set_cookies
from graph.account.guard import CHANGES, FAILED_CODES, FAILED_PASSWORDS, LOGINS, guessing
from graph.account.identity import START
from graph.account.user import User
from graph.context import LINK_COOKIE, PENDING_COOKIE, Context, Cookie, Info
from graph.errors import (
    Conflict,
    Forbidden,
    InvalidCredentials,
    InvalidInput,
    NotFound,
    RateLimited,
    SecondFactorRequired,
)
from graph.node import read_id


@strawberry.input(description="What a sign-in by a provider lacks.")
class CompleteSignInInput:
    code: str = strawberry.field(
        description="Six digits of the authenticator app, or a recovery code."
    )


@strawberry.type(description="Signed in.")
class CompleteSignInSuccess:
    user: User = strawberry.field(description="Who signed in.")
    tokens: AuthTokens = strawberry.field(
        description="The new session's tokens; the browser has them as cookies too."
    )


CompleteSignInResult = Annotated[
    CompleteSignInSuccess
    | InvalidCredentials
    | SecondFactorRequired
    | Forbidden
    | Conflict
    | RateLimited,
    strawberry.union("CompleteSignInResult"),
]


@strawberry.input(description="By whom the caller wants to be signed in too.")
class StartIdentityLinkInput:
    provider_id: str = strawberry.field(description="One of `Query.identityProviders`.")
    return_to: str = strawberry.field(
        default="/", description="The path of this server that the browser comes back to."
    )
    password: str | None = strawberry.field(
        default=None,
        description="The caller's password: needed when the session was opened more than ten minutes ago.",
    )


@strawberry.type(description="Nothing is linked yet: the browser has to go to the provider.")
class StartIdentityLinkSuccess:
    url: str = strawberry.field(
        description="Where to send the browser within ten minutes. It works in this browser alone: what was asked for "
        "is in a cookie."
    )


StartIdentityLinkResult = Annotated[
    StartIdentityLinkSuccess | NotFound | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("StartIdentityLinkResult"),
]


@strawberry.input(description="Which identity is to sign the caller in no more.")
class UnlinkIdentityInput:
    identity_id: strawberry.ID = strawberry.field(description="One of `User.linkedIdentities`.")


@strawberry.type(description="It signs nobody in any more; sessions that are open stay so.")
class UnlinkIdentitySuccess:
    identity_id: strawberry.ID = strawberry.field(description="The id that it had.")


UnlinkIdentityResult = Annotated[
    UnlinkIdentitySuccess | InvalidInput | NotFound | Conflict | RateLimited,
    strawberry.union("UnlinkIdentityResult"),
]


async def _complete(context: Context, code: str) -> account.SignedIn:
    """Sign in with a code, counting guesses per identity."""
    services = context.services
    await context.spend(LOGINS, context.client.ip)
    proven = account.open_ticket(services.seals, context.pending_cookie, services.clock())
    whose = hashlib.sha256(f"{proven.issuer} {proven.subject}".encode()).hexdigest()
    async with guessing(context, whose, FAILED_CODES):
        return await account.sign_in_by_identity(
            services.database, services.policy, services.seals, context.client, proven, code
        )


async def _start(context: Context, input: StartIdentityLinkInput) -> str:
    """Have the browser keep what was asked for; answers where it is to go."""
    await context.spend(CHANGES, context.client.ip)
    services, viewer = context.services, context.viewer
    if all(each.id != input.provider_id for each in services.identity_providers):
        raise NotFoundError("There is no such provider.")
    async with guessing(context, viewer.user_id.hex, FAILED_PASSWORDS):
        kept, wish = await account.start_linking(
            services.database,
            viewer,
            services.seals,
            provider=input.provider_id,
            password=input.password,
        )
    until = services.clock() + account.LINK_LIFETIME
    context.set_cookies = [*context.set_cookies, Cookie(LINK_COOKIE, kept, until)]
    query = urlencode({"return_to": input.return_to, "link": wish.key})
    return f"{services.base_url}{START.format(input.provider_id)}?{query}"


@strawberry.type
class LinkingMutation:
    @strawberry.mutation(
        extensions=[for_people],
        description="Give the code of the second factor after a provider has signed the browser in, within ten "
        "minutes. Which sign-in it belongs to is in a cookie; the session's tokens are set as cookies.",
    )
    async def complete_sign_in(
        self, info: Info, input: CompleteSignInInput
    ) -> CompleteSignInResult:
        signed = await _complete(info.context, input.code)
        set_cookies(info.context, signed.tokens)
        info.context.set_cookies = [*info.context.set_cookies, Cookie(PENDING_COOKIE, None)]
        return CompleteSignInSuccess(user=signed.user, tokens=AuthTokens.of(signed.tokens))  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[signed_in],
        description="Ask to be signed in by another provider too: send the browser to `url`. Who signs in there is "
        "linked to the caller's account, whatever their address is there, and the caller is told by mail. "
        "InvalidCredentials when the password is wrong, or missing where the session is not recent; Conflict while the "
        "caller's address is not verified.",
    )
    async def start_identity_link(
        self, info: Info, input: StartIdentityLinkInput
    ) -> StartIdentityLinkResult:
        return StartIdentityLinkSuccess(url=await _start(info.context, input))

    @strawberry.mutation(
        extensions=[signed_in],
        description="Let a provider sign the caller in no more. Conflict when there is no password, and no other "
        "identity of a provider that there is.",
    )
    async def unlink_identity(self, info: Info, input: UnlinkIdentityInput) -> UnlinkIdentityResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        id_ = read_id(Kind.IDENTITY, input.identity_id, "identityId")
        issuers = {each.issuer for each in context.services.identity_providers}
        async with context.transaction() as uow:
            await account.unlink_identity(uow, context.viewer, id_, issuers=issuers)
        return UnlinkIdentitySuccess(identity_id=strawberry.ID(ids.write(Kind.IDENTITY, id_)))
