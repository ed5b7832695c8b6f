"""Users and sessions in the schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from domain import account, file
from domain.ids import Kind
from graph.account.identity import LinkedIdentity
from graph.context import Info
from graph.fields import batch, computed, rows
from graph.node import Node, id_field


async def _avatar_urls(parents: Sequence[account.User], info: Info) -> Sequence[str | None]:
    signer = await info.context.services.objects.signer()
    return [
        None if parent.avatar_key is None else file.avatar_url(signer, parent.avatar_key)
        for parent in parents
    ]


async def _identities(
    parents: Sequence[account.User], info: Info
) -> Sequence[Sequence[account.Identity]]:
    viewer = info.context.viewer_or_none
    if viewer is None:
        return [[] for _ in parents]
    async with info.context.reader() as reader:
        own = await account.identities(reader, viewer, columns=info.columns("LinkedIdentity"))
    return [own if parent.id == viewer.id else [] for parent in parents]


@strawberry.type(description="A person with an account.")
@rows(account.User)
class User(Node):
    id: strawberry.ID = id_field(Kind.USER)
    email: str = strawberry.field(description="Their address, as they wrote it.")
    name: str = strawberry.field(description="As people call them.")
    email_verified: bool = strawberry.field(description="Whether the address is proven theirs.")
    totp_enabled: bool = strawberry.field(
        description="Whether signing in takes a code of their authenticator app."
    )
    avatar_url: str | None = batch(
        _avatar_urls,
        reads=("avatar_key",),
        graphql_type=str | None,
        description="A picture of them, 256 by 256 pixels: a signed URL that works for five minutes. Null without one.",
    )
    created_at: datetime = strawberry.field(description="When they registered.")
    linked_identities: list[LinkedIdentity] = batch(
        _identities,
        reads=("id",),
        graphql_type=list[LinkedIdentity],
        description="By whom else the user is signed in, the oldest first; of other people than the caller empty.",
    )


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
