"""Counting by source and by tag: the hours and all rows have the same answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from persistence.database import Database, Reader
from persistence.feedback import Filter
from persistence.stats import Group, GroupRow, grouped
from persistence.stats.grouped import _raw
from tests.factories import NOON, POSITIVE, Factory
from tests.persistence.stats_questions import DAY, crowd, told


async def raw(
    reader: Reader, viewer: UUID, workspaces: Sequence[UUID], by: Group, **question: Any
) -> list[GroupRow]:
    """As `grouped`, row by row."""
    values = question["where"].values()
    statement = _raw(by, tuple(values), bounded=True, columns=None)
    period = {name: question[name] for name in ("start", "end")}
    return await reader.fetch(statement, viewer=viewer, workspaces=workspaces, **period, **values)


@pytest.mark.parametrize("by", Group)
@pytest.mark.parametrize("seed", range(2))
async def test_the_hours_and_all_rows_have_the_same_answer(
    seed: int, by: Group, factory: Factory, database: Database
) -> None:
    all_ = await crowd(factory, database, seed)
    seen = set()

    async with database.reader() as reader:
        for _ in range(150):
            question = all_.asking.question()
            asked = {
                "start": question["start"],
                "end": question["end"] or question["start"] + DAY,
                "where": question["where"],
            }
            by_hours = await grouped(reader, all_.owner, all_.workspaces, by, **asked)
            one_by_one = await raw(reader, all_.owner, all_.workspaces, by, **asked)
            assert (asked, told(by_hours)) == (asked, told(one_by_one))
            seen |= {row.workspace_id for row in by_hours}

    assert seen == all_.own


@pytest.mark.parametrize("by", Group)
async def test_only_what_is_wanted_is_counted(
    by: Group, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.tag(tenant, "Borne", await factory.feedback(tenant, score=POSITIVE, rating=3))

    async with database.reader() as reader:
        (row,) = await grouped(
            reader,
            tenant.owner.id,
            [tenant.id],
            by,
            start=NOON,
            end=NOON + DAY,
            where=Filter(sentiments=("POSITIVE",)),
            columns=frozenset({"total", "average_rating"}),
        )

    assert set(dict(row.items())) == {"workspace_id", "group_id", "total", "average_rating"}
    assert (row.total, row.average_rating) == (1, 3.0)
