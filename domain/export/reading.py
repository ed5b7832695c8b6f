"""Reading what is exported, batch by batch, from one snapshot."""

from collections.abc import AsyncIterator, Sequence

from domain import feedback, roles
from domain.errors import NotFoundError
from domain.export.asking import Wanted
from domain.feedback import After, Along, Feedback, Order
from domain.roles import Action
from domain.workspace import Workspace
from persistence import feedback as feedback_store
from persistence import workspace as workspace_store
from persistence.database import Reader

BATCH = 500
_NAMES = Along(frozenset({"name"}), frozenset({"name"}))


async def admit(reader: Reader, wanted: Wanted) -> Workspace:
    """The workspace, if whoever asked may still read it out."""
    rows = await workspace_store.by_ids(reader, wanted.viewer.id, [wanted.workspace_id])
    if not rows:
        raise NotFoundError("Who asked for this does not belong to the workspace any more.")
    roles.require(rows[0].viewer_role, Action.EXPORT_FEEDBACK)
    return rows[0]


async def total(reader: Reader, wanted: Wanted) -> int:
    """How many there are."""
    counts = await feedback.counts(reader, wanted.viewer, [wanted.workspace_id], wanted.where)
    return counts.get(wanted.workspace_id, 0)


async def batches(reader: Reader, wanted: Wanted) -> AsyncIterator[list[Feedback]]:
    """All of them, the oldest first, with their sources' and tags' names."""
    after: After | None = None
    while True:
        rows = await feedback.pages(
            reader,
            wanted.viewer,
            [wanted.workspace_id],
            where=wanted.where,
            order=Order.OLDEST_FIRST,
            limit=BATCH,
            after=after,
            along=_NAMES,
        )
        if rows:
            await _name_assignees(reader, wanted, rows)
            yield rows
        if len(rows) < BATCH:
            return
        after = After(rows[-1].occurred_at, rows[-1].id)


async def _name_assignees(reader: Reader, wanted: Wanted, rows: Sequence[Feedback]) -> None:
    """Give each row the name of whoever it is assigned to."""
    assigned = {row.assignee_id for row in rows}
    if members := [id_ for id_ in assigned if id_ is not None]:
        known = await feedback_store.assignees(reader, wanted.viewer.id, members)
        for row in rows:
            if row.assignee_id in known:
                row.assignee = known[row.assignee_id].name
