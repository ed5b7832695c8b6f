"""Connections: pages by keyset, with cursors that fit one list only."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import attrgetter
from struct import Struct
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zlib import crc32

import strawberry

from domain.errors import FieldError, InvalidInputError
from domain.seals import Seals
from graph.context import Info
from graph.engine import Fragment
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

    @property
    def start(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    @property
    def end(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None

    @property
    def nodes(self) -> Any:
        return self.rows

    def edges(self, *, has_cursors: bool) -> Any:
        """An edge for each row."""
        cursors = map(self.cursor, self.rows) if has_cursors else repeat(None)
        return list(map(Edge, cursors, self.rows))


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page whose edges or nodes, whichever is selected, are JSON already.

    `keys` are the sort keys of its rows, and `text(cursors)` is the list of them all.
    """

    keys: Sequence[bytes]
    has_next: bool
    continued: bool
    cursor: Callable[[bytes], str]
    text: Callable[[Sequence[str]], str]

    @property
    def start(self) -> str | None:
        return self.cursor(self.keys[0]) if self.keys else None

    @property
    def end(self) -> str | None:
        return self.cursor(self.keys[-1]) if self.keys else None

    @property
    def nodes(self) -> Any:
        return Fragment(self.text(()))

    def edges(self, *, has_cursors: bool) -> Any:
        """All edges at once."""
        cursors = [f'"{self.cursor(key)}"' for key in self.keys] if has_cursors else ()
        return Fragment(self.text(cursors))


AnyPage = Page[Any] | WrittenPage


def _has_next(root: strawberry.Parent[AnyPage]) -> bool:
    return root.has_next


def _has_previous(root: strawberry.Parent[AnyPage]) -> bool:
    return root.continued


def _start(root: strawberry.Parent[AnyPage]) -> str | None:
    return root.start


def _end(root: strawberry.Parent[AnyPage]) -> str | None:
    return root.end


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


def _nodes(root: strawberry.Parent[AnyPage]) -> Any:
    return root.nodes


def _itself(root: strawberry.Parent[AnyPage]) -> Any:
    return root


def edges_field(edge: Any) -> Any:
    """`edges` of a connection whose object is a page."""
    name = edge.__name__

    def resolve(root: strawberry.Parent[AnyPage], info: Info) -> Any:
        selected = info.columns(name)
        return root.edges(has_cursors=selected is None or "cursor" in selected)

    return strawberry.field(
        resolver=resolve, graphql_type=list[edge], description="The page with a cursor for each."
    )


def nodes_field(node: Any) -> Any:
    """`nodes` of a connection whose object is a page."""
    return computed(_nodes, graphql_type=list[node], description="The page without cursors.")


def page_info_field() -> Any:
    """`pageInfo` of a connection whose object is a page."""
    return computed(_itself, graphql_type=PageInfo, description="Where the page lies in the list.")


def columns_of(info: Info, node: str, sorted_by: str) -> frozenset[str] | None:
    """What is looked at of a connection's nodes, and the column that their cursors are made of."""
    in_edges, in_nodes = info.columns(node, "edges", "node"), info.columns(node, "nodes")
    return None if in_edges is None or in_nodes is None else in_edges | in_nodes | {sorted_by}


def columns_below(info: Info, type_name: str, field: str) -> frozenset[str]:
    """What is looked at of the objects in a field of a connection's nodes; nothing where it is not known or later."""
    in_edges = info.columns_at_once(type_name, "edges", "node", field)
    in_nodes = info.columns_at_once(type_name, "nodes", field)
    return frozenset() if in_edges is None or in_nodes is None else in_edges | in_nodes


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
        self._seed = int.from_bytes(seals.tag(b"%b:%b:%b" % (_FORM, name.encode(), scope.bytes)))

    def write(self, key: bytes) -> str:
        """An opaque cursor for a row's sort key."""
        return (crc32(key, self._seed).to_bytes(_CHECKSUM) + key).hex()

    def of_times(self, at: str) -> Callable[[Any], str]:
        """Writes the cursor of a row of a list that is sorted by this attribute, a time: `write` of its `time_key`.

        In one call, as there is one for each of many rows.
        """
        seed, pack, moment_of = self._seed, _TIME_KEY.pack, attrgetter(at)

        def write(row: Any) -> str:
            past = moment_of(row) - _EPOCH
            seconds = past.days * 86_400 + past.seconds
            key = pack(row.id.bytes, seconds * 1_000_000 + past.microseconds)
            return (crc32(key, seed).to_bytes(_CHECKSUM) + key).hex()

        return write

    def read(self, cursor: str) -> bytes:
        """The sort key; InvalidInputError for a cursor that is changed or of another list."""
        try:
            key = bytes.fromhex(cursor)[_CHECKSUM:]
        except ValueError:
            key = b""
        if not key or cursor != self.write(key):
            message = "must be a cursor that this list gave, in the same order"
            raise InvalidInputError(f"`after` {message}.", [FieldError(("after",), message)])
        return key


_CHECKSUM = 4
# Another one refuses the cursors of before, whose keys have another form.
_FORM = b"2"
# A time as Postgres sends it: microseconds since then.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME_KEY = Struct(">16sq")


def time_key(moment: datetime, id_: UUID) -> bytes:
    """The sort key of lists by time."""
    return _TIME_KEY.pack(id_.bytes, (moment - _EPOCH) // _MICROSECOND)


def read_time_key(key: bytes) -> tuple[datetime, UUID]:
    id_, past = _TIME_KEY.unpack(key)
    return _EPOCH + past * _MICROSECOND, UUID(bytes=id_)


async def pages_by_time(
    parents: Sequence[Any],
    info: Info,
    read: Callable[..., Awaitable[Sequence[T]]],
    *,
    name: str,
    of: str,
    at: str,
    first: int | None,
    after: str | None,
) -> list[Page[T]]:
    """A page of each parent's rows, the newest first; `name` is what the list is called in its cursors.

    `read` is given a reader, the viewer and the parents' ids, and answers up to `limit` rows of each that are older
    than `after`. A row's attribute `of` says whose it is, and its `at` when it was.
    """
    size, seals = page_size(first), info.context.services.seals
    cursors = {parent.id: Cursors(seals, name, parent.id) for parent in parents}
    # Of several lists it can be of one at most, and then the others refuse it.
    keys = [] if after is None else [of_list.read(after) for of_list in cursors.values()]
    async with info.context.reader() as reader:
        rows = await read(
            reader,
            info.context.viewer,
            list(cursors),
            limit=size + 1,
            after=read_time_key(keys[0]) if keys else None,
        )
    found: dict[UUID, list[T]] = {id_: [] for id_ in cursors}
    for row in rows:
        found[getattr(row, of)].append(row)
    return [
        Page(
            rows=found[parent.id][:size],
            has_next=len(found[parent.id]) > size,
            continued=after is not None,
            cursor=cursors[parent.id].of_times(at),
        )
        for parent in parents
    ]
