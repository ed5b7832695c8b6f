"""Connections: pages by keyset, with cursors that only we can make and that fit one list only."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
import strawberry

from domain.errors import FieldError, InvalidInputError
from domain.seals import Seals
from graph.fields import computed

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
_TAG = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    cursor: str
    node: T


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and how to write the cursor of each."""

    rows: Sequence[T]
    has_next: bool
    continued: bool
    cursor: Callable[[T], str]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(
        description="Whether this page was asked for with `after`."
    )
    start_cursor: str | None = strawberry.field(description="The first edge's cursor.")
    end_cursor: str | None = strawberry.field(
        description="The last edge's cursor: pass it as `after` for the next page."
    )


def _edges(root: strawberry.Parent[Page[Any]]) -> Sequence[Any]:
    return [Edge(root.cursor(row), row) for row in root.rows]


def _nodes(root: strawberry.Parent[Page[Any]]) -> Sequence[Any]:
    return root.rows


def _page_info(root: strawberry.Parent[Page[Any]]) -> PageInfo:
    return PageInfo(
        has_next_page=root.has_next,
        has_previous_page=root.continued,
        start_cursor=root.cursor(root.rows[0]) if root.rows else None,
        end_cursor=root.cursor(root.rows[-1]) if root.rows else None,
    )


def edges_field(edge: Any) -> Any:
    """`edges` of a connection whose object is a Page."""
    return computed(
        _edges, reads=(), graphql_type=list[edge], description="The page with a cursor for each."
    )


def nodes_field(node: Any) -> Any:
    """`nodes` of a connection whose object is a Page."""
    return computed(
        _nodes, reads=(), graphql_type=list[node], description="The page without cursors."
    )


def page_info_field() -> Any:
    """`pageInfo` of a connection whose object is a Page."""
    return computed(_page_info, reads=(), description="Where the page lies in the list.")


def page_size(first: int | None) -> int:
    """`first`, or 20; InvalidInputError unless it is from 0 to 100."""
    size = DEFAULT_PAGE if first is None else first
    if not 0 <= size <= LARGEST_PAGE:
        message = f"must be from 0 to {LARGEST_PAGE}"
        raise InvalidInputError(f"`first` {message}.", [FieldError(("first",), message)])
    return size


class Cursors:
    """Writes and reads the cursors of one list: a name, the workspace it is of, and its order."""

    def __init__(self, seals: Seals, name: str, scope: UUID) -> None:
        self._seals = seals
        self._list = b"%b:%b:" % (name.encode(), scope.bytes)

    def write(self, *key: Any) -> str:
        """An opaque cursor for a row's sort key."""
        data = orjson.dumps(key)
        return base64.urlsafe_b64encode(self._seals.tag(self._list + data) + data).decode()

    def read(self, cursor: str) -> list[Any]:
        """The sort key; InvalidInputError for a cursor that is forged or of another list."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode())
        except (binascii.Error, ValueError):
            raw = b""
        tag, data = raw[:_TAG], raw[_TAG:]
        if not self._seals.is_tagged(self._list + data, tag):
            message = "must be a cursor that this list gave, in the same order"
            raise InvalidInputError(f"`after` {message}.", [FieldError(("after",), message)])
        key: list[Any] = orjson.loads(data)
        return key
