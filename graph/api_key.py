"""API keys in the schema. Not yet available."""

from datetime import datetime
from typing import Annotated

import strawberry

from graph import unavailable
from graph.access import signed_in
from graph.errors import Forbidden, InvalidInput, NotFound
from graph.node import Node


@strawberry.type(description="A partner's key to a workspace.")
class ApiKey(Node):
    name: str = strawberry.field(description="Its name, for people.")
    prefix: str = strawberry.field(description="The key's first characters, to know it by.")
    scopes: list[str] = strawberry.field(description="What it may be used for.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null for never.")


@strawberry.input(description="A new key.")
class CreateApiKeyInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="Its name, for people.")
    scopes: list[str] = strawberry.field(description="What it may be used for.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends.")


@strawberry.type(description="secret is shown this once; only its hash is kept.")
class CreateApiKeySuccess:
    api_key: ApiKey = strawberry.field(description="The new key.")
    secret: str = strawberry.field(description="What the partner sends.")


CreateApiKeyResult = Annotated[
    CreateApiKeySuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("CreateApiKeyResult"),
]


@strawberry.type
class ApiKeyMutation:
    @strawberry.mutation(
        extensions=[signed_in], description="Make a key for a partner. Not yet available."
    )
    def create_api_key(self, input: CreateApiKeyInput) -> CreateApiKeyResult:  # noqa: ARG002
        unavailable.refuse("createApiKey")
