"""What people change about their accounts in the schema: the name, the sessions, whether there is one."""

from typing import Annotated

import strawberry

from domain import account, ids
from domain.ids import Kind
from graph.access import signed_in
from graph.account.entry import clear_cookies
from graph.account.guard import CHANGES, FAILED_PASSWORDS, guessing
from graph.account.user import User
from graph.context import Info
from graph.errors import Conflict, InvalidCredentials, InvalidInput, NotFound, RateLimited
from graph.node import read_id


@strawberry.input(description="What others see of the caller.")
class UpdateProfileInput:
    name: str = strawberry.field(description="One line of up to 200 characters.")


@strawberry.type(description="It is as asked for.")
class UpdateProfileSuccess:
    user: User = strawberry.field(description="The caller.")


UpdateProfileResult = Annotated[
    UpdateProfileSuccess | InvalidInput | RateLimited, strawberry.union("UpdateProfileResult")
]


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    session_id: strawberry.ID = strawberry.field(description="One of `Viewer.sessions`.")


@strawberry.type(description="The session has ended, its access tokens and open sockets too.")
class RevokeSessionSuccess:
    session_id: strawberry.ID = strawberry.field(description="Which it was.")


RevokeSessionResult = Annotated[
    RevokeSessionSuccess | InvalidInput | NotFound, strawberry.union("RevokeSessionResult")
]


@strawberry.type(description="The caller is signed in here alone.")
class RevokeOtherSessionsSuccess:
    session_ids: list[strawberry.ID] = strawberry.field(description="Those that have ended.")


RevokeOtherSessionsResult = Annotated[
    RevokeOtherSessionsSuccess | RateLimited, strawberry.union("RevokeOtherSessionsResult")
]


@strawberry.input(description="That the caller wants no account any more.")
class DeleteAccountInput:
    password: str = strawberry.field(description="The caller's password.")


@strawberry.type(description="The account is no more, and nobody is signed in to it.")
class DeleteAccountSuccess:
    ok: bool = strawberry.field(description="Always true.")


DeleteAccountResult = Annotated[
    DeleteAccountSuccess | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("DeleteAccountResult"),
]


@strawberry.type
class ProfileMutation:
    @strawberry.mutation(extensions=[signed_in], description="Change the caller's name.")
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UpdateProfileResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with context.transaction() as uow:
            user = await account.rename(uow, context.viewer, input.name)
        return UpdateProfileSuccess(user=user)  # type: ignore[arg-type]  # rows are users

    @strawberry.mutation(
        extensions=[signed_in],
        description="End one of the caller's sessions at once, its access tokens and open sockets included.",
    )
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionResult:
        context = info.context
        session = read_id(Kind.SESSION, input.session_id, "sessionId")
        async with context.transaction() as uow:
            await account.revoke_session(uow, context.viewer, session)
        context.services.sessions.revoke(session)
        return RevokeSessionSuccess(session_id=strawberry.ID(ids.write(Kind.SESSION, session)))

    @strawberry.mutation(
        extensions=[signed_in], description="End all of the caller's sessions but this one."
    )
    async def revoke_other_sessions(self, info: Info) -> RevokeOtherSessionsResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with context.transaction() as uow:
            ended = await account.revoke_others(uow, context.viewer)
        context.services.sessions.revoke_all(ended)
        return RevokeOtherSessionsSuccess(
            session_ids=[strawberry.ID(ids.write(Kind.SESSION, id_)) for id_ in ended]
        )

    @strawberry.mutation(
        extensions=[signed_in],
        description="Delete the caller's account at once, for good. Workspaces where nobody else is are deleted with "
        "all that is in them. Conflict while the caller is the only OWNER of a workspace where others are.",
    )
    async def delete_account(self, info: Info, input: DeleteAccountInput) -> DeleteAccountResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS):
            ended = await account.delete(
                context.services.database, context.viewer, password=input.password
            )
        context.services.sessions.revoke_all(ended)
        clear_cookies(context)
        return DeleteAccountSuccess(ok=True)
