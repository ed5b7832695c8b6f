"""The audit log of a workspace in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import strawberry

from domain import audit, ids
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind
from domain.workspace import Workspace
from graph.context import Info
from graph.fields import column, computed, rows
from graph.node import Node, id_field
from graph.pagination import (
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    pages_by_time,
)
from graph.scalars import JSON, json_text


@strawberry.enum(description="What somebody is who does things. SYSTEM is Earful itself.")
class AuditActorKind(StrEnum):
    USER = "USER"
    API_KEY = "API_KEY"
    SYSTEM = "SYSTEM"


_KINDS = {AuditActorKind.USER: Kind.USER, AuditActorKind.API_KEY: Kind.API_KEY}


def _actor_id(root: strawberry.Parent[audit.Entry]) -> strawberry.ID | None:
    kind = _KINDS.get(AuditActorKind(root.actor_kind))
    if kind is None or root.actor_id is None:
        return None
    return strawberry.ID(ids.write(kind, root.actor_id))


@strawberry.type(description="Who did something, as they were known then.")
class AuditActor:
    kind: AuditActorKind = column(
        "actor_kind", AuditActorKind, graphql_type=AuditActorKind, description="What they are."
    )
    id: strawberry.ID | None = computed(
        _actor_id,
        reads=("actor_kind", "actor_id"),
        graphql_type=strawberry.ID | None,
        description="The user's id or the API key's, even when there is no such user or key any more; null for SYSTEM.",
    )
    name: str = column("actor_name", str, graphql_type=str, description="What they were called.")


def _itself(root: strawberry.Parent[audit.Entry]) -> audit.Entry:
    return root


@strawberry.type(
    description="Something that was done in a workspace: written with it, and never changed afterwards."
)
@rows(audit.Entry)
class AuditEntry(Node):
    id: strawberry.ID = id_field(Kind.AUDIT_ENTRY)
    at: datetime = strawberry.field(description="When it was done.")
    action: str = strawberry.field(
        description="What was done, as `<kind of thing>.<what>`, such as `api_key.revoked`: docs/audit.md lists them."
    )
    actor: AuditActor = computed(
        _itself,
        reads=("actor_kind", "actor_id", "actor_name"),
        graphql_type=AuditActor,
        description="Who did it.",
    )
    target_id: strawberry.ID = column(
        "target",
        strawberry.ID,
        graphql_type=strawberry.ID,
        description="The id of what it was done to, even when that is gone.",
    )
    summary: str = strawberry.field(description="The same in words, for people.")
    before: JSON | None = column(
        "before",
        json_text,
        graphql_type=JSON | None,
        description="What it was: of a change only what became another. Never a secret, or what a customer wrote.",
    )
    after: JSON | None = column(
        "after", json_text, graphql_type=JSON | None, description="What it is since then."
    )
    session_id: strawberry.ID | None = column(
        "session_id",
        ids.writer(Kind.SESSION),
        graphql_type=strawberry.ID | None,
        description="The session it was done in; null for API keys and SYSTEM.",
    )
    ip: str | None = strawberry.field(description="The address that it was asked for from.")
    user_agent: str | None = strawberry.field(description="What the program there calls itself.")


@strawberry.type(description="An entry in a log.")
class AuditEntryEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this entry.")
    node: AuditEntry = strawberry.field(description="The entry.")


@strawberry.type(description="Entries of a log, the newest first.")
class AuditEntryConnection:
    edges: list[AuditEntryEdge] = edges_field(AuditEntryEdge)
    nodes: list[AuditEntry] = nodes_field(AuditEntry)
    page_info: PageInfo = page_info_field()


async def audit_logs_of(
    parents: Sequence[Workspace],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
    actor_id: strawberry.ID | None = None,
    action: str | None = None,
    from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
    to: datetime | None = None,
) -> Sequence[Page[audit.Entry]]:
    """The newest entries of each workspace's log."""
    read = partial(
        audit.pages,
        where=audit.Where(_actor(actor_id), action, from_, to),
        columns=columns_of(info, "AuditEntry", "at"),
    )
    return await pages_by_time(
        parents, info, read, name="audit log", of="workspace_id", at="at", first=first, after=after
    )


def _actor(id_: str | None) -> UUID | None:
    if id_ is None:
        return None
    parsed = ids.parse(id_)
    if parsed is None or parsed[0] not in _KINDS.values():
        message = "must be the id of a user or of an API key"
        raise InvalidInputError(f"`actorId` {message}.", [FieldError(("actorId",), message)])
    return parsed[1]
