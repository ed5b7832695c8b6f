"""Connections: pages by keyset, with cursors that fit one list only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zlib import crc32

import strawberry

from domain.errors import FieldError, InvalidInputError
from domain.seals import Seals
from graph.context import Info
from graph.fields import computed

DEFAULT_PAGE = 20
LARGEST_PAGE = 100

T = TypeVar("T")


class Edge(NamedTuple):
    cursor: str | None
    node: Any


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and how to write the cursor of each."""

    rows: Sequence[T]
    has_next: bool
    continued: bool
    cursor: Callable[[T], str]


def _has_next(root: strawberry.Parent[Page[Any]]) -> bool:
    return root.has_next


def _has_previous(root: strawberry.Parent[Page[Any]]) -> bool:
    return root.continued


def _start(root: strawberry.Parent[Page[Any]]) -> str | None:
    return root.cursor(root.rows[0]) if root.rows else None


def _end(root: strawberry.Parent[Page[Any]]) -> str | None:
    return root.cursor(root.rows[-1]) if root.rows else None


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = computed(_has_next, description="Whether more follow.")
    has_previous_page: bool = computed(
        _has_previous, description="Whether this page was asked for with `after`."
    )
    start_cursor: str | None = computed(_start, description="The first edge's cursor.")
    end_cursor: str | None = computed(
        _end, description="The last edge's cursor: pass it as `after` for the next page."
    )


def _nodes(root: strawberry.Parent[Page[Any]]) -> Sequence[Any]:
    return root.rows


def _itself(root: strawberry.Parent[Page[Any]]) -> Any:
    return root


def edges_field(edge: Any) -> Any:
    """`edges` of a connection whose object is a Page."""
    name = edge.__name__

    def resolve(root: strawberry.Parent[Page[Any]], info: Info) -> list[Edge]:
        selected = info.columns(name)
        if selected is None or "cursor" in selected:
            return [Edge(root.cursor(row), row) for row in root.rows]
        return list(map(Edge, repeat(None), root.rows))

    return strawberry.field(
        resolver=resolve, graphql_type=list[edge], description="The page with a cursor for each."
    )


def nodes_field(node: Any) -> Any:
    """`nodes` of a connection whose object is a Page."""
    return computed(_nodes, graphql_type=list[node], description="The page without cursors.")


def page_info_field() -> Any:
    """`pageInfo` of a connection whose object is a Page."""
    return computed(_itself, graphql_type=PageInfo, description="Where the page lies in the list.")


def columns_of(info: Info, node: str, sorted_by: str) -> frozenset[str] | None:
    """What is looked at of a connection's nodes, and the column that their cursors are made of."""
    in_edges, in_nodes = info.columns(node, "edges", "node"), info.columns(node, "nodes")
    return None if in_edges is None or in_nodes is None else in_edges | in_nodes | {sorted_by}


def page_size(first: int | None) -> int:
    """`first`, or 20; InvalidInputError unless it is from 0 to 100."""
    size = DEFAULT_PAGE if first is None else first
    if not 0 <= size <= LARGEST_PAGE:
        message = f"must be from 0 to {LARGEST_PAGE}"
        raise InvalidInputError(f"`first` {message}.", [FieldError(("first",), message)])
    return size


class Cursors:
    """Writes and reads the cursors of one list: a name, the workspace it is of, and its order.

    A cursor is a sort key behind a checksum that only this list's cursors have. It is written for every edge, so
    it is made of few and quick steps.
    """

    def __init__(self, seals: Seals, name: str, scope: UUID) -> None:
        self._seed = int.from_bytes(seals.tag(b"%b:%b" % (name.encode(), scope.bytes)))

    def write(self, key: str) -> str:
        """An opaque cursor for a row's sort key, which is ASCII."""
        return f"{crc32(key.encode(), self._seed):08x}{key}"

    def read(self, cursor: str) -> str:
        """The sort key; InvalidInputError for a cursor that is changed or of another list."""
        key = cursor[_CHECKSUM:]
        if not key or not cursor.isascii() or cursor != self.write(key):
            message = "must be a cursor that this list gave, in the same order"
            raise InvalidInputError(f"`after` {message}.", [FieldError(("after",), message)])
        return key


_CHECKSUM = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def time_key(moment: datetime, id_: UUID) -> str:
    """The sort key of lists by time."""
    return f"{id_.hex}{(moment - _EPOCH) // _MICROSECOND:x}"


def read_time_key(key: str) -> tuple[datetime, UUID]:
    return _EPOCH + timedelta(microseconds=int(key[32:], 16)), UUID(key[:32])
