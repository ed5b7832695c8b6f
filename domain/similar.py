"""Feedback that is like another, in the same workspace."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.checks import Checks
from domain.feedback import Feedback
from domain.viewer import Viewer
from persistence import feedback as store
from persistence.database import Columns, Reader

MOST_SIMILAR = 20


def check(first: int) -> None:
    """InvalidInputError unless so many may be asked for."""
    checks = Checks()
    checks.number(first, "first", least=0, most=MOST_SIMILAR)
    checks.done(f"`first` must be from 0 to {MOST_SIMILAR}.")


async def to_feedback(
    reader: Reader,
    viewer: Viewer,
    ids: Sequence[UUID],
    *,
    limit: int,
    columns: Columns | None = None,
) -> Mapping[UUID, Sequence[Feedback]]:
    """The `limit` that are most like each of these: they share rare words, tags or the source."""
    pairs = await store.similar(reader, viewer.id, ids, limit=limit)
    others = list({pair.id for pair in pairs})
    rows = await store.by_ids(reader, viewer.id, others, columns=columns) if others else {}
    found: dict[UUID, list[Feedback]] = {id_: [] for id_ in ids}
    for pair in pairs:
        if pair.id in rows:  # it may have gone meanwhile
            found[pair.feedback_id].append(rows[pair.id])
    return found
