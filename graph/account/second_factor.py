"""The second factor in the schema: an authenticator app, and recovery codes."""

from typing import Annotated

import strawberry

from domain import account
from graph.access import signed_in
from graph.account.guard import CHANGES, FAILED_CODES, FAILED_PASSWORDS, guessing
from graph.context import Info
from graph.errors import Conflict, InvalidCredentials, RateLimited, SecondFactorRequired

_CODE = "Six digits of the authenticator app, or a recovery code."
_PASSWORD = "The caller's password."  # noqa: S105 - a description


@strawberry.input(description="That the caller wants a second factor.")
class StartTotpInput:
    password: str = strawberry.field(description=_PASSWORD)


@strawberry.type(
    description="For an authenticator app. It counts once `confirmTotp` has a code of it."
)
class StartTotpSuccess:
    secret: str = strawberry.field(description="To type: base32.")
    otpauth_url: str = strawberry.field(description="To show as a QR code: `otpauth://totp/...`.")


StartTotpResult = Annotated[
    StartTotpSuccess | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("StartTotpResult"),
]


@strawberry.input(description="Proof that the authenticator app has the secret.")
class ConfirmTotpInput:
    code: str = strawberry.field(description="Six digits of the app.")


@strawberry.type(description="Signing in takes a code from now on.")
class ConfirmTotpSuccess:
    recovery_codes: list[str] = strawberry.field(
        description="Ten codes for when the app is lost. Each works once; they are told this once."
    )


ConfirmTotpResult = Annotated[
    ConfirmTotpSuccess | InvalidCredentials | Conflict | RateLimited,
    strawberry.union("ConfirmTotpResult"),
]


@strawberry.input(description="That the caller wants no second factor any more.")
class DisableTotpInput:
    password: str = strawberry.field(description=_PASSWORD)
    code: str = strawberry.field(description=_CODE)


@strawberry.type(description="Signing in takes no code any more; the recovery codes are void.")
class DisableTotpSuccess:
    ok: bool = strawberry.field(description="Always true.")


DisableTotpResult = Annotated[
    DisableTotpSuccess | InvalidCredentials | SecondFactorRequired | Conflict | RateLimited,
    strawberry.union("DisableTotpResult"),
]


@strawberry.input(description="That the caller needs other recovery codes.")
class RegenerateRecoveryCodesInput:
    password: str = strawberry.field(description=_PASSWORD)
    code: str = strawberry.field(description=_CODE)


@strawberry.type(description="The codes from before are void.")
class RegenerateRecoveryCodesSuccess:
    recovery_codes: list[str] = strawberry.field(
        description="Ten new ones. Each works once; they are told this once."
    )


RegenerateRecoveryCodesResult = Annotated[
    RegenerateRecoveryCodesSuccess
    | InvalidCredentials
    | SecondFactorRequired
    | Conflict
    | RateLimited,
    strawberry.union("RegenerateRecoveryCodesResult"),
]


@strawberry.type
class SecondFactorMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Begin with a second factor: a new secret, in place of one that was not confirmed. Conflict when "
        "there is a second factor already, or the caller's address is not verified.",
    )
    async def start_totp(self, info: Info, input: StartTotpInput) -> StartTotpResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS):
            secret = await account.start_totp(
                context.services.database,
                context.viewer,
                context.services.seals,
                password=input.password,
            )
        return StartTotpSuccess(secret=secret.text, otpauth_url=secret.uri)

    @strawberry.mutation(
        extensions=[signed_in],
        description="Let signing in take a code from now on. Answers the recovery codes, this once.",
    )
    async def confirm_totp(self, info: Info, input: ConfirmTotpInput) -> ConfirmTotpResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with (
            guessing(context, context.viewer.user_id.hex, FAILED_CODES),
            context.transaction() as uow,
        ):
            codes = await account.confirm_totp(
                uow, context.viewer, context.services.seals, input.code
            )
        return ConfirmTotpSuccess(recovery_codes=codes)

    @strawberry.mutation(
        extensions=[signed_in],
        description="Let signing in take no code any more. Needs the password and a code.",
    )
    async def disable_totp(self, info: Info, input: DisableTotpInput) -> DisableTotpResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS, FAILED_CODES):
            await account.disable_totp(
                context.services.database,
                context.viewer,
                context.services.seals,
                password=input.password,
                code=input.code,
            )
        return DisableTotpSuccess(ok=True)

    @strawberry.mutation(
        extensions=[signed_in],
        description="Other recovery codes in place of all that are left. Needs the password and a code.",
    )
    async def regenerate_recovery_codes(
        self, info: Info, input: RegenerateRecoveryCodesInput
    ) -> RegenerateRecoveryCodesResult:
        context = info.context
        await context.spend(CHANGES, context.client.ip)
        async with guessing(context, context.viewer.user_id.hex, FAILED_PASSWORDS, FAILED_CODES):
            codes = await account.new_recovery_codes(
                context.services.database,
                context.viewer,
                context.services.seals,
                password=input.password,
                code=input.code,
            )
        return RegenerateRecoveryCodesSuccess(recovery_codes=codes)
