"""The password of an account in the schema: forgotten, and changed."""

from typing import Annotated

import strawberry

from domain import account
from graph.access import for_people, signed_in
from graph.account.guard import (
    CHANGES,
    FAILED_PASSWORDS,
    LINKS,
    RESETS,
    RESETS_OF_ONE,
    address_key,
    guessing,
)
from graph.context import Info
from graph.errors import InvalidCredentials, InvalidInput, RateLimited

_NEW_PASSWORD = "12 to 256 characters, and none of the most common ones."  # noqa: S105 - a description


@strawberry.input(description="Whose password is forgotten.")
class RequestPasswordResetInput:
    email: str = strawberry.field(description="In any case.")


@strawberry.type(
    description="If the address is somebody's, a mail is on its way; its link works once, for an hour."
)
class RequestPasswordResetSuccess:
    ok: bool = strawberry.field(description="Always true, whether or not somebody has the address.")


RequestPasswordResetResult = Annotated[
    RequestPasswordResetSuccess | InvalidInput | RateLimited,
    strawberry.union("RequestPasswordResetResult"),
]


@strawberry.input(description="A new password for whoever a link was mailed to.")
class ResetPasswordInput:
    token: str = strawberry.field(description="Out of the link.")
    new_password: str = strawberry.field(description=_NEW_PASSWORD)


@strawberry.type(description="The password is another one, and all sessions have ended: sign in.")
class ResetPasswordSuccess:
    ok: bool = strawberry.field(description="Always true.")


ResetPasswordResult = Annotated[
    ResetPasswordSuccess | InvalidInput | InvalidCredentials | RateLimited,
    strawberry.union("ResetPasswordResult"),
]


@strawberry.input(description="Another password for the caller.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The one that there is.")
    new_password: str = strawberry.field(description=_NEW_PASSWORD)


@strawberry.type(
    description="The password is another one, and the caller's other sessions have ended."
)
class ChangePasswordSuccess:
    ok: bool = strawberry.field(description="Always true.")


ChangePasswordResult = Annotated[
    ChangePasswordSuccess | InvalidInput | InvalidCredentials | RateLimited,
    strawberry.union("ChangePasswordResult"),
]


@strawberry.type
class PasswordMutation:
    @strawberry.mutation(
        extensions=[for_people],
        description="Mail the token for `resetPassword` to an address, if it is somebody's. The answer is the same "
        "either way, and takes as long. Five times an hour for one address.",
    )
    async def request_password_reset(
        self, info: Info, input: RequestPasswordResetInput
    ) -> RequestPasswordResetResult:
        context = info.context
        await context.spend(RESETS, context.client.ip)
        await context.spend(RESETS_OF_ONE, address_key(input.email))
        async with context.transaction() as uow:
            await account.request_reset(uow, input.email)
        return RequestPasswordResetSuccess(ok=True)

    @strawberry.mutation(
        extensions=[for_people],
        description="Set a new password by a token that was mailed. It ends all sessions of the account; a second "
        "factor stays.",
    )
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordResult:
        context = info.context
        await context.spend(LINKS, context.client.ip)
        ended = await account.reset_password(
            context.services.database, input.token, input.new_password, context.client
        )
        context.services.sessions.revoke_all(ended)
        return ResetPasswordSuccess(ok=True)

    @strawberry.mutation(
        extensions=[signed_in],
        description="Set another password. It ends the caller's other sessions.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS):
            ended = await account.change_password(
                context.services.database,
                context.viewer,
                current=input.current_password,
                new=input.new_password,
            )
        context.services.sessions.revoke_all(ended)
        return ChangePasswordSuccess(ok=True)
