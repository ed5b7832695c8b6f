"""Providers of identities in the schema: which there are, and the identities that an account has there."""

from datetime import datetime

import strawberry

from domain import account
from domain.ids import Kind
from graph.access import for_people
from graph.context import Info
from graph.fields import rows
from graph.node import Node, id_field

START = "/auth/oidc/{}/start"


@strawberry.type(
    description="Who may sign people in, besides passwords: an OpenID Connect provider."
)
class IdentityProvider:
    id: str = strawberry.field(description="Its name in URLs.")
    name: str = strawberry.field(description="Its name, for people.")
    issuer: str = strawberry.field(description="What it calls itself.")
    start_url: str = strawberry.field(
        description="Where to send the browser. `?return_to=/path` is where it comes back to, signed in by cookies."
    )


@strawberry.type(description="That a provider signs somebody in.")
@rows(account.Identity)
class LinkedIdentity(Node):
    id: strawberry.ID = id_field(Kind.IDENTITY)
    issuer: str = strawberry.field(description="The provider, as `IdentityProvider.issuer`.")
    email: str | None = strawberry.field(description="The address that it told last.")
    created_at: datetime = strawberry.field(description="When it signed them in first.")
    last_used_at: datetime = strawberry.field(description="When it signed them in last.")


@strawberry.type
class IdentityQuery:
    @strawberry.field(
        extensions=[for_people], description="Who may sign people in, in the order of the settings."
    )
    def identity_providers(self, info: Info) -> list[IdentityProvider]:
        services = info.context.services
        return [
            IdentityProvider(
                id=each.id,
                name=each.name,
                issuer=each.issuer,
                start_url=services.base_url + START.format(each.id),
            )
            for each in services.identity_providers
        ]
