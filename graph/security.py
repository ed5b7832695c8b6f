"""The security log of the caller in the schema."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import strawberry

from domain import ids, security
from domain.ids import Kind
from domain.viewer import Viewer
from graph.context import Info
from graph.fields import column, rows
from graph.pagination import (
    Cursors,
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    page_size,
    read_time_key,
    time_key,
)


@strawberry.type(description="Something that happened to an account.")
@rows(security.Event)
class SecurityEvent:
    at: datetime = strawberry.field(description="When it happened.")
    action: str = strawberry.field(
        description="What happened, as `<what>.<how>`, such as `session.opened`: docs/audit.md lists them."
    )
    session_id: strawberry.ID | None = column(
        "session_id",
        ids.writer(Kind.SESSION),
        graphql_type=strawberry.ID | None,
        description="The session that it concerns, or that it was done in.",
    )
    ip: str | None = strawberry.field(description="The address that it came from.")
    user_agent: str | None = strawberry.field(description="What the program there calls itself.")


@strawberry.type(description="An event in the log.")
class SecurityEventEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this event.")
    node: SecurityEvent = strawberry.field(description="The event.")


@strawberry.type(description="Events of the log, the newest first.")
class SecurityEventConnection:
    edges: list[SecurityEventEdge] = edges_field(SecurityEventEdge)
    nodes: list[SecurityEvent] = nodes_field(SecurityEvent)
    page_info: PageInfo = page_info_field()


async def security_log_of(
    parents: Sequence[Viewer], info: Info, first: int | None = 20, after: str | None = None
) -> Sequence[Page[security.Event]]:
    """The newest events of the caller's account."""
    size = page_size(first)
    viewer = info.context.viewer
    cursors = Cursors(info.context.services.seals, "security log", viewer.id)
    async with info.context.reader() as reader:
        found = await security.page(
            reader,
            viewer,
            limit=size + 1,
            after=None if after is None else read_time_key(cursors.read(after)),
            columns=columns_of(info, "SecurityEvent", "at"),
        )
    page = Page(found[:size], len(found) > size, after is not None, partial(_cursor, cursors))
    return [page for _ in parents]


def _cursor(cursors: Cursors, row: security.Event) -> str:
    return cursors.write(time_key(row.at, row.id))
