"""Quarantine in the schema: what a source sent that is no feedback."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import strawberry

from domain import ids, quarantine, source
from domain.ids import Kind
from graph.context import Info
from graph.errors import FieldProblem
from graph.fields import column, rows
from graph.pagination import (
    Page,
    PageInfo,
    columns_of,
    edges_field,
    nodes_field,
    page_info_field,
    pages_by_time,
)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _problems(text: str) -> list[FieldProblem]:
    found: list[dict[str, Any]] = orjson.loads(text)
    return [FieldProblem(path=each["path"], message=each["message"]) for each in found]


@strawberry.type(
    description="What a source sent that is no feedback, or a part of it. Kept for 30 days. The same delivery is kept "
    "once."
)
@rows(quarantine.Quarantined)
class Quarantined:
    id: strawberry.ID = column(
        "id",
        ids.writer(Kind.QUARANTINED),
        graphql_type=strawberry.ID,
        description="Its id: `quarantined_` and 32 hex digits.",
    )
    source_id: strawberry.ID = column(
        "source_id",
        ids.writer(Kind.SOURCE),
        graphql_type=strawberry.ID,
        description="The source.",
    )
    reason: str = strawberry.field(description="Why it is no feedback.")
    problems: list[FieldProblem] = column(
        "problems",
        _problems,
        graphql_type=list[FieldProblem],
        description="What is wrong in it, by place: of a body, or of the mapping.",
    )
    raw: str = column(
        "raw",
        _text,
        graphql_type=str,
        description="What was sent: its first 262,144 bytes; bytes that are no UTF-8 are replaced.",
    )
    size: int = strawberry.field(description="How many bytes were sent.")
    times: int = strawberry.field(description="How often it was sent.")
    received_at: datetime = strawberry.field(description="When it was first sent.")


@strawberry.type(description="A body in quarantine, in a list.")
class QuarantinedEdge:
    cursor: str = strawberry.field(description="Pass it as `after` to go on behind this one.")
    node: Quarantined = strawberry.field(description="What was sent.")


@strawberry.type(description="What lies in quarantine, the newest first.")
class QuarantineConnection:
    edges: list[QuarantinedEdge] = edges_field(QuarantinedEdge)
    nodes: list[Quarantined] = nodes_field(Quarantined)
    page_info: PageInfo = page_info_field()


async def quarantine_of(
    parents: Sequence[source.Source],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
) -> Sequence[Page[quarantine.Quarantined]]:
    """The newest bodies of each source."""
    read = partial(quarantine.pages, columns=columns_of(info, "Quarantined", "received_at"))
    return await pages_by_time(
        parents,
        info,
        read,
        name="quarantine",
        of="source_id",
        at="received_at",
        first=first,
        after=after,
    )
