"""Lists of a workspace's feedback: a page of rows or, where Postgres can write what is selected, of JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from domain import feedback
from domain.workspace import Workspace
from graph.context import Info
from graph.engine import Outline
from graph.feedback_filter import FeedbackFilter, where
from graph.pagination import (
    Cursors,
    Page,
    WrittenPage,
    columns_below,
    columns_of,
    page_size,
    read_time_key,
)

FEWEST_WRITTEN = 10
"""Smaller pages are as cheap as rows."""

SELDOM = 8
"""What was not asked for more often is read as rows: the statement that writes it takes ten milliseconds to make."""


@dataclass(frozen=True, slots=True)
class FeedbackPage(Page[feedback.Feedback]):
    workspace_id: UUID
    where: feedback.Filter


@dataclass(frozen=True, slots=True)
class WrittenFeedbackPage(WrittenPage):
    workspace_id: UUID
    where: feedback.Filter


AnyFeedbackPage = FeedbackPage | WrittenFeedbackPage


async def total_counts(parents: Sequence[AnyFeedbackPage], info: Info) -> Sequence[int]:
    async with info.context.reader() as reader:
        counts = await feedback.counts(
            reader,
            info.context.viewer,
            [parent.workspace_id for parent in parents],
            parents[0].where,
        )
    return [counts.get(parent.workspace_id, 0) for parent in parents]


async def feedback_of(
    parents: Sequence[Workspace],
    info: Info,
    first: int | None = 20,
    after: str | None = None,
    filter: FeedbackFilter | None = None,
    order_by: feedback.Order = feedback.Order.NEWEST_FIRST,
) -> Sequence[AnyFeedbackPage]:
    """A page of feedback of each workspace."""
    size = page_size(first)
    asked = _Asked(where(filter), order_by, size)
    cursors = {
        parent.id: Cursors(info.context.services.seals, f"feedback {order_by}", parent.id)
        for parent in parents
    }
    # Of several workspaces' lists it can be of one at most, and then the others refuse it.
    keys = [] if after is None else [of_list.read(after) for of_list in cursors.values()]
    position = _position(keys[0], order_by) if keys else None
    outline = info.outline("edges", "nodes")
    if (
        outline is not None
        and outline.asked > SELDOM
        and size >= FEWEST_WRITTEN
        # Postgres would write a long text as often as it has names.
        and info.context.meter.times == 1
    ):
        written = await _written(info, cursors, asked, position, outline)
        if written is not None:
            return written
    async with info.context.reader() as reader:
        rows = await feedback.pages(
            reader,
            info.context.viewer,
            list(cursors),
            where=asked.where,
            order=order_by,
            limit=size + 1,
            after=position,
            columns=columns_of(info, "Feedback", _SORTED_BY[order_by]),
            along=feedback.Along(
                columns_below(info, "Source", "source"), columns_below(info, "Tag", "tags")
            ),
        )
    found: dict[UUID, list[feedback.Feedback]] = {workspace: [] for workspace in cursors}
    for row in rows:
        found[row.workspace_id].append(row)
    return [
        FeedbackPage(
            rows=found[parent.id][:size],
            has_next=len(found[parent.id]) > size,
            continued=after is not None,
            cursor=_cursor(cursors[parent.id], order_by),
            workspace_id=parent.id,
            where=asked.where,
        )
        for parent in parents
    ]


class _Asked(NamedTuple):
    """Which feedback a list has, how it is sorted, and how many are on a page."""

    where: feedback.Filter
    order: feedback.Order
    size: int


async def _written(
    info: Info,
    cursors: Mapping[UUID, Cursors],
    asked: _Asked,
    after: feedback.After | None,
    outline: Outline,
) -> Sequence[WrittenFeedbackPage] | None:
    """The pages as Postgres writes them; None where it cannot."""
    async with info.context.reader() as reader:
        pages = await feedback.written_pages(
            reader, info.context.viewer, list(cursors), outline, **asked._asdict(), after=after
        )
    if pages is None:
        return None
    found = [pages.get(workspace) or feedback.WrittenPage(workspace) for workspace in cursors]
    info.weigh(sum(page.weight for page in found))
    return [
        WrittenFeedbackPage(
            keys=page.keys,
            has_next=page.has_next,
            continued=after is not None,
            cursor=cursors[page.workspace_id].write,
            text=page.json,
            workspace_id=page.workspace_id,
            where=asked.where,
        )
        for page in found
    ]


_BY_TIME = {feedback.Order.NEWEST_FIRST, feedback.Order.OLDEST_FIRST}
_SORTED_BY = {
    order: "occurred_at" if order in _BY_TIME else "sentiment_score" for order in feedback.Order
}
_SCORE = Struct(">d")


def _cursor(cursors: Cursors, order: feedback.Order) -> Callable[[feedback.Feedback], str]:
    return cursors.of_times("occurred_at") if order in _BY_TIME else partial(_score_cursor, cursors)


def _score_cursor(cursors: Cursors, row: feedback.Feedback) -> str:
    score = row.sentiment_score
    return cursors.write(row.id.bytes + (b"" if score is None else _SCORE.pack(score)))


def _position(key: bytes, order: feedback.Order) -> feedback.After:
    if order in _BY_TIME:
        return feedback.After(*read_time_key(key))
    id_, score = key[:16], key[16:]
    return feedback.After(_SCORE.unpack(score)[0] if score else None, UUID(bytes=id_))
