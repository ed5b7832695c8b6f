"""Pages of feedback that Postgres writes: each as one text, with what is in it only once beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Text, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from persistence import source, tag
from persistence.database import Reader, Record, Statement, only
from persistence.feedback import triage
from persistence.feedback.listing import Filter, by_value
from persistence.feedback.paging import (
    SORTED_BY,
    After,
    Order,
    asked_for,
    first_of_each,
    in_order,
)
from persistence.feedback.row import COLUMNS
from persistence.spelling import (
    ASSIGNEE,
    CURSOR,
    ID_BYTES,
    MARK,
    SOURCE,
    TAGS,
    Mark,
    Outline,
    Written,
    cut,
    written,
)

_KEY_BYTES = ID_BYTES + 8
_NO_BYTES = "''::bytea"
_KNOWN = frozenset(column.key for column in COLUMNS)
_NOBODY = bytes(ID_BYTES)
_IS_WRITABLE = {
    SOURCE: source.is_writable,
    ASSIGNEE: triage.is_writable,
    TAGS: tag.is_writable,
}
# Where a row says which it is.
_POINTERS = {SOURCE: "source_id", ASSIGNEE: "assignee_id"}
# Sort keys by score are not all of one length.
BY_TIME = {Order.NEWEST_FIRST, Order.OLDEST_FIRST}


class PageRow(Record):
    workspace_id: UUID
    rows: int
    written: str
    weight: int
    sort_keys: bytes
    # Where the outline has a place for them.
    source_ids: bytes
    sources: Sequence[tuple[bytes, str]]
    assignee_ids: bytes
    assignees: Sequence[tuple[bytes, str]]
    tags: Sequence[tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page as JSON, in pieces: what belongs between two of them is `filled` in, but for the cursors.

    `keys` are what the cursors are made of: each one's id, and behind it the time that they are sorted by, as eight
    bytes: microseconds since 2000. `weight` is that of all objects.
    """

    workspace_id: UUID
    has_next: bool = False
    keys: Sequence[bytes] = ()
    weight: int = 0
    pieces: Sequence[str] = ("",)
    filled: Sequence[tuple[Mark, Sequence[str]]] = ()

    def json(self, cursors: Sequence[str]) -> str:
        """The list of all objects, with these cursors where they are selected."""
        marks = len(self.filled)
        text = [""] * (2 * len(self.pieces) - 1)
        text[::2] = self.pieces
        for place, (mark, texts) in enumerate(self.filled):
            text[1 + 2 * place :: 2 * marks] = cursors if mark is CURSOR else texts
        return f"[{''.join(text)}]"


async def written_pages(
    reader: Reader,
    viewer: UUID,
    workspaces: Sequence[UUID],
    outline: Outline,
    *,
    where: Filter,
    order: Order,
    size: int,
    after: After | None,
) -> dict[UUID, WrittenPage] | None:
    """The first `size` feedback after `after` of each workspace that has any, written; None where it cannot be."""
    how = _how(outline) if order in BY_TIME and size else None
    if how is None:
        return None
    kind, values = asked_for(where, after)
    statement = _statement(tuple(where.values()), order, size, kind, how)
    rows = await reader.fetch(statement, viewer=viewer, workspaces=workspaces, **values)
    return {row.workspace_id: _page(row, how, size) for row in rows}


@lru_cache(maxsize=1024)
def _how(outline: Outline) -> Written | None:
    how = written(outline, _KNOWN)
    if how is None:
        return None
    nested = [(mark, below) for mark, below in how.marks.items() if mark is not CURSOR]
    if all(below is not None and _IS_WRITABLE[mark](below) for mark, below in nested):
        return how
    return None


@lru_cache(maxsize=256)
def _statement(
    names: tuple[str, ...], order: Order, size: int, after: str | None, how: Written
) -> Statement[PageRow]:
    """One row a workspace."""
    keys = ["id", "workspace_id", SORTED_BY[order]]
    keys += [name for mark, name in _POINTERS.items() if mark in how.marks]
    read = only(how.columns, COLUMNS, keys=keys)
    pages = first_of_each(names, order, size + 1, after, read)
    _, *ordered = in_order(pages, order)
    place = func.row_number().over(partition_by=pages.c.workspace_id, order_by=ordered)
    placed = select(*pages.c, place.label("place")).subquery("placed").c
    on_page = placed.place <= literal_column(str(size))

    def one_behind_the_other(each: ColumnElement[Any], between: str, type_: Any) -> Any:
        last = aggregate_order_by(literal_column(between, type_), placed.place)
        return func.string_agg(each, last, type_=type_).filter(on_page)

    sort_key = func.uuid_send(placed.id).op("||")(func.timestamptz_send(placed[SORTED_BY[order]]))
    columns = [
        placed.workspace_id,
        func.count().label("rows"),
        one_behind_the_other(how.text(placed), "','", Text()).label("written"),
        sql_cast(func.sum(how.weight(placed)).filter(on_page), Integer).label("weight"),
        one_behind_the_other(sort_key, _NO_BYTES, LargeBinary()).label("sort_keys"),
    ]
    if (outline := how.marks.get(SOURCE)) is not None:
        source_id = func.uuid_send(placed.source_id)
        ids = one_behind_the_other(source_id, _NO_BYTES, LargeBinary())
        sources = source.nested_written(select(pages.c.source_id), outline)
        columns += [ids.label("source_ids"), sources.label("sources")]
    if (outline := how.marks.get(ASSIGNEE)) is not None:
        nobody = literal_column(f"'\\x{_NOBODY.hex()}'::bytea", LargeBinary())
        assignee_id = func.coalesce(func.uuid_send(placed.assignee_id), nobody)
        ids = one_behind_the_other(assignee_id, _NO_BYTES, LargeBinary())
        assignees = triage.nested_written(select(pages.c.assignee_id), outline)
        columns += [ids.label("assignee_ids"), assignees.label("assignees")]
    if (outline := how.marks.get(TAGS)) is not None:
        columns.append(tag.nested_written(select(pages.c.id), outline).label("tags"))
    return Statement(
        select(*columns).group_by(placed.workspace_id),
        PageRow,
        planned_by_value=by_value(names),
    )


def _page(row: PageRow, how: Written, size: int) -> WrittenPage:
    keys, weight, filled = cut(row.sort_keys, _KEY_BYTES), row.weight, []
    for mark in how.marks:
        texts: Sequence[str] = ()
        if mark is SOURCE:
            sources = dict(row.sources)
            texts = [sources[id_] for id_ in cut(row.source_ids, ID_BYTES)]
            weight += how.weight_of(mark) * len(texts)
        elif mark is ASSIGNEE:
            assignees = dict(row.assignees)
            texts = [assignees.get(id_, "null") for id_ in cut(row.assignee_ids, ID_BYTES)]
            weight += how.weight_of(mark) * (len(texts) - texts.count("null"))
        elif mark is TAGS:
            borne = tag.written_by_bearer(row.tags)
            of_each = [borne.get(key[:ID_BYTES], ()) for key in keys]
            texts = [f"[{','.join(its)}]" for its in of_each]
            weight += how.weight_of(mark) * sum(map(len, of_each))
        filled.append((mark, texts))
    pieces = row.written.split(MARK)
    return WrittenPage(row.workspace_id, row.rows > size, keys, weight, pieces, filled)
