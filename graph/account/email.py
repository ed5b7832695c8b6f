"""The address of an account in the schema: verified, and changed."""

from typing import Annotated

import strawberry

from domain import account
from graph.access import for_people, signed_in
from graph.account.guard import CHANGES, FAILED_PASSWORDS, LINKS, MAILS, guessing
from graph.account.user import User
from graph.context import Info
from graph.errors import Conflict, InvalidCredentials, InvalidInput, RateLimited


@strawberry.type(description="A mail is on its way; its link works for seven days.")
class RequestEmailVerificationSuccess:
    ok: bool = strawberry.field(description="Always true.")


RequestEmailVerificationResult = Annotated[
    RequestEmailVerificationSuccess | Conflict | RateLimited,
    strawberry.union("RequestEmailVerificationResult"),
]


@strawberry.input(description="Proof that an address is somebody's.")
class VerifyEmailInput:
    token: str = strawberry.field(description="Out of the link that was mailed there.")


@strawberry.type(description="The address is proven.")
class VerifyEmailSuccess:
    user: User = strawberry.field(description="Whose it is.")


VerifyEmailResult = Annotated[
    VerifyEmailSuccess | InvalidCredentials | RateLimited, strawberry.union("VerifyEmailResult")
]


@strawberry.input(description="Another address for the caller's account.")
class RequestEmailChangeInput:
    new_email: str = strawberry.field(description="Unique without regard to case.")
    password: str = strawberry.field(description="The caller's password.")


@strawberry.type(
    description="A mail is on its way to the new address; its link works for a day. The old one, if it is verified, is "
    "told. Nothing has changed yet."
)
class RequestEmailChangeSuccess:
    ok: bool = strawberry.field(description="Always true.")


RequestEmailChangeResult = Annotated[
    RequestEmailChangeSuccess | InvalidInput | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("RequestEmailChangeResult"),
]


@strawberry.input(description="Proof that the new address is the user's.")
class ConfirmEmailChangeInput:
    token: str = strawberry.field(description="Out of the link that was mailed there.")


@strawberry.type(description="The account has the new address, which is proven.")
class ConfirmEmailChangeSuccess:
    user: User = strawberry.field(description="Whose it is.")


ConfirmEmailChangeResult = Annotated[
    ConfirmEmailChangeSuccess | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("ConfirmEmailChangeResult"),
]


@strawberry.type
class EmailMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Mail the token for `verifyEmail` to the caller's address once more; five times an hour at most.",
    )
    async def request_email_verification(self, info: Info) -> RequestEmailVerificationResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        await context.spend(MAILS, context.viewer.user_id.hex)
        async with context.transaction() as uow:
            await account.request_verification(uow, context.viewer)
        return RequestEmailVerificationSuccess(ok=True)

    @strawberry.mutation(
        extensions=[for_people],
        description="Prove an address by a token that was mailed there. Nobody need be signed in.",
    )
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> VerifyEmailResult:
        context = info.context
        await context.spend(LINKS, context.client.ip)
        async with context.transaction() as uow:
            user = await account.verify(uow, input.token, context.client)
        return VerifyEmailSuccess(user=user)  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[signed_in],
        description="Ask for another address: it is mailed the token for `confirmEmailChange`, and the caller's after "
        "that. Five times an hour at most.",
    )
    async def request_email_change(
        self, info: Info, input: RequestEmailChangeInput
    ) -> RequestEmailChangeResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        who = context.viewer.user_id.hex
        async with guessing(context, who, FAILED_PASSWORDS):
            await context.spend(MAILS, who)
            await account.request_email_change(
                context.services.database,
                context.viewer,
                email=input.new_email,
                password=input.password,
            )
        return RequestEmailChangeSuccess(ok=True)

    @strawberry.mutation(
        extensions=[for_people],
        description="Change an account's address by a token that was mailed to the new one. Nobody need be signed in.",
    )
    async def confirm_email_change(
        self, info: Info, input: ConfirmEmailChangeInput
    ) -> ConfirmEmailChangeResult:
        context = info.context
        await context.spend(LINKS, context.client.ip)
        async with context.transaction() as uow:
            user = await account.confirm_email_change(uow, input.token, context.client)
        return ConfirmEmailChangeSuccess(user=user)  # type: ignore[arg-type]  # rows are users
