"""The Node interface, ids at the edge, and types whose objects are rows."""

from typing import Any
from uuid import UUID

import strawberry

from domain import ids
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind
from graph.fields import column
from persistence.spelling import Identifier


@strawberry.interface(description="Anything with an id. `node(id:)` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="`<type>_<uuidv7 as 32 hex digits>`: one id everywhere, in webhooks and logs too."
    )


def id_field(kind: Kind) -> Any:
    """The `id` of a type whose objects are rows with a UUID column `id`."""
    return column(
        "id",
        ids.writer(kind),
        graphql_type=strawberry.ID,
        description=f"`{kind}_<uuidv7 as 32 hex digits>`.",
        spelling=Identifier("id", f"{kind}_"),
    )


def read_id(kind: Kind, value: str, *path: str) -> UUID:
    """The UUID inside an id; InvalidInputError naming the field when it is no id of this kind."""
    found = ids.read(kind, value)
    if found is None:
        message = f"must be a {kind} id, such as {ids.write(kind, UUID(int=0))}"
        raise InvalidInputError(f"`{'.'.join(path)}` {message}.", [FieldError(path, message)])
    return found


def read_ids(kind: Kind, values: list[strawberry.ID] | None, *path: str) -> tuple[UUID, ...] | None:
    """The UUIDs inside ids; None stays None."""
    if values is None:
        return None
    return tuple(read_id(kind, value, *path, str(index)) for index, value in enumerate(values))
