"""API keys in the schema."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import api_key, ids
from domain.ids import Kind
from domain.scopes import Scope
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.fields import column, rows
from graph.node import Node, id_field, read_id

_SCOPES = ", ".join(f"`{scope}`" for scope in Scope)


@strawberry.type(
    description="A partner's key to a workspace. Seen by those who manage API keys: ADMINs."
)
@rows(api_key.ApiKey)
class ApiKey(Node):
    id: strawberry.ID = id_field(Kind.API_KEY)
    name: str = strawberry.field(description="Its name, for people.")
    prefix: str = strawberry.field(description="The key's first characters, to know it by.")
    scopes: list[str] = strawberry.field(description="What it may be used for.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to a minute or two."
    )
    expires_at: datetime | None = strawberry.field(description="When it ends; null for never.")

    allowed_ips: list[str] = strawberry.field(
        description="The networks it may be used from; empty for anywhere."
    )
    overlap_ends_at: datetime | None = strawberry.field(
        description="Until when the secret before the last rotation is good too; null where there was none."
    )
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null while it is good. It is listed for 90 days more."
    )
    created_by_id: strawberry.ID | None = column(
        "created_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user who made it; null when they are no more.",
    )


@strawberry.input(description="A new key.")
class CreateApiKeyInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(
        description="Its name, for people: one line of up to 200 characters."
    )
    scopes: list[str] = strawberry.field(description=f"What it may be used for: {_SCOPES}.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends; never where it is missing."
    )
    allowed_ips: list[str] | None = strawberry.field(
        default=None,
        description="IP addresses and networks, `203.0.113.0/24`, up to 100; from anywhere where there are none.",
    )

    def command(self) -> api_key.CreateApiKey:
        return api_key.CreateApiKey(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            name=self.name,
            scopes=self.scopes,
            expires_at=self.expires_at,
            allowed_ips=self.allowed_ips or (),
        )


@strawberry.type(description="secret is shown this once; only its hash is kept.")
class CreateApiKeySuccess:
    api_key: ApiKey = strawberry.field(description="The new key.")
    secret: str = strawberry.field(
        description="What the partner sends: `Authorization: Bearer <secret>`."
    )


CreateApiKeyResult = Annotated[
    CreateApiKeySuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("CreateApiKeyResult"),
]


@strawberry.input(description="What is to change of a key; what is left out stays.")
class UpdateApiKeyInput:
    api_key_id: strawberry.ID = strawberry.field(description="The key.")
    name: str | None = strawberry.field(
        default=None, description="Its name, for people: one line of up to 200 characters."
    )
    scopes: list[str] | None = strawberry.field(
        default=None, description="All that it may be used for from now on."
    )
    expires_at: strawberry.Maybe[datetime | None] = strawberry.field(
        default=None, description="When it ends; null for never."
    )
    allowed_ips: list[str] | None = strawberry.field(
        default=None, description="All networks it may be used from; empty for anywhere."
    )

    def command(self) -> api_key.UpdateApiKey:
        given = {"name": self.name, "scopes": self.scopes, "allowed_ips": self.allowed_ips}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.expires_at is not None:
            values["expires_at"] = self.expires_at.value
        return api_key.UpdateApiKey(read_id(Kind.API_KEY, self.api_key_id, "apiKeyId"), values)


@strawberry.type(description="The key was changed. It holds at once, for what is open too.")
class UpdateApiKeySuccess:
    api_key: ApiKey = strawberry.field(description="The key as it is now.")


UpdateApiKeyResult = Annotated[
    UpdateApiKeySuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("UpdateApiKeyResult"),
]


@strawberry.input(description="Which key gets another secret.")
class RotateApiKeyInput:
    api_key_id: strawberry.ID = strawberry.field(description="The key.")
    overlap_hours: int = strawberry.field(
        default=24,
        description="For how long the secret before is good too, 0 to 168; 0 where it is in wrong hands.",
    )


@strawberry.type(description="The key has another secret, which is shown this once.")
class RotateApiKeySuccess:
    api_key: ApiKey = strawberry.field(description="The key as it is now.")
    secret: str = strawberry.field(description="What the partner sends from now on.")


RotateApiKeyResult = Annotated[
    RotateApiKeySuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("RotateApiKeyResult"),
]


@strawberry.input(description="Which key to end.")
class RevokeApiKeyInput:
    api_key_id: strawberry.ID = strawberry.field(description="The key.")


@strawberry.type(description="The key is good for nothing any more.")
class RevokeApiKeySuccess:
    api_key: ApiKey = strawberry.field(description="The key as it is now.")


RevokeApiKeyResult = Annotated[
    RevokeApiKeySuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("RevokeApiKeyResult"),
]


@strawberry.type
class ApiKeyMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Make a key for a partner. Needs the role ADMIN. A workspace has at most 100.",
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyResult:
        async with info.context.transaction() as uow:
            made = await api_key.create(uow, info.context.viewer, input.command())
        return CreateApiKeySuccess(api_key=made.api_key, secret=made.secret)  # type: ignore[arg-type]  # rows are keys

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change a key. Needs the role ADMIN. It holds within a second, for subscriptions too.",
    )
    async def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> UpdateApiKeyResult:
        async with info.context.transaction() as uow:
            changed = await api_key.update(uow, info.context.viewer, input.command())
        info.context.services.keys.changed(changed.id)
        return UpdateApiKeySuccess(api_key=changed)  # type: ignore[arg-type]  # rows are keys

    @strawberry.mutation(
        extensions=[signed_in],
        description="Give a key another secret, and time to bring it to where it is used. Needs the role ADMIN.",
    )
    async def rotate_api_key(self, info: Info, input: RotateApiKeyInput) -> RotateApiKeyResult:
        id_ = read_id(Kind.API_KEY, input.api_key_id, "apiKeyId")
        async with info.context.transaction() as uow:
            made = await api_key.rotate(
                uow, info.context.viewer, id_, overlap_hours=input.overlap_hours
            )
        info.context.services.keys.changed(id_)
        return RotateApiKeySuccess(api_key=made.api_key, secret=made.secret)  # type: ignore[arg-type]  # rows are keys

    @strawberry.mutation(
        extensions=[signed_in],
        description="End a key for good. Needs the role ADMIN. What is open by it is closed within a second.",
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyResult:
        id_ = read_id(Kind.API_KEY, input.api_key_id, "apiKeyId")
        async with info.context.transaction() as uow:
            revoked = await api_key.revoke(uow, info.context.viewer, id_)
        info.context.services.keys.changed(id_)
        return RevokeApiKeySuccess(api_key=revoked)  # type: ignore[arg-type]  # rows are keys
