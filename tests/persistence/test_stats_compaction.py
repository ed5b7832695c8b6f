"""Folding changes into hours: nothing is lost or counted twice, whoever does it and whenever it is stopped."""

import asyncio

import pytest

from domain import stats
from persistence import stats as store
from persistence.database import Database
from tests.factories import NOON, POSITIVE, Factory, Tenant
from tests.graph.stats_queries import HOUR
from tests.persistence.recounting import CELLS, CHANGES, differences


class KilledError(Exception):
    """Raised where a process might end."""


async def fold_and_die(database: Database) -> None:
    async with database.transaction() as uow:
        await store.compact(uow, most=10)
        raise KilledError


@pytest.fixture
async def tenant(factory: Factory, database: Database) -> Tenant:
    """A workspace where nothing happened yet, when all that other tests left is folded."""
    await stats.compact(database)
    return await factory.tenant()


async def test_changes_become_hours_of_each_source_and_of_all(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    for number in range(3):
        await factory.feedback(tenant, score=POSITIVE, occurred_at=NOON + number * HOUR)

    folded = await stats.compact(database)

    assert folded == 9  # each was added, and then taken away unscored and added POSITIVE
    assert await factory.rows(CHANGES, workspace=tenant.id) == [(0,)]
    assert await factory.rows(CELLS, workspace=tenant.id) == [(6,)]
    assert await differences(factory) == []


async def test_compacting_again_does_nothing(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    await factory.feedback(tenant)

    folded = [await stats.compact(database) for _ in range(2)]

    assert folded == [1, 0]
    assert await differences(factory) == []


async def test_hours_that_come_to_nothing_are_taken_away(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    await factory.feedback(tenant, score=POSITIVE)
    await stats.compact(database)
    await factory.feedback(tenant, occurred_at=NOON + HOUR)

    await factory.change(
        "DELETE FROM feedback WHERE workspace_id = :workspace",
        within=tenant,
        workspace=tenant.id,
    )
    await stats.compact(database)

    assert await factory.rows(CELLS, workspace=tenant.id) == [(0,)]
    assert await factory.rows(CHANGES, workspace=tenant.id) == [(0,)]


async def test_a_part_of_the_changes_is_folded_by_itself(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    await factory.tag(tenant, "Borne", await factory.feedback(tenant, score=POSITIVE))

    for left in (3, 2, 1, 0):
        async with database.transaction() as uow:
            assert await store.compact(uow, most=1) == 1
        assert await factory.rows(CHANGES, workspace=tenant.id) == [(left,)]
        assert await differences(factory) == []


async def test_two_at_once_fold_each_change_once(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    for number in range(60):
        await factory.feedback(tenant, occurred_at=NOON + number % 3 * HOUR)

    async def fold() -> int:
        folded = 0
        for _ in range(10):
            async with database.transaction() as uow:
                folded += await store.compact(uow, most=7)
        return folded

    folded = await asyncio.gather(*(fold() for _ in range(4)))

    assert sum(folded) == 60
    assert await factory.rows(CELLS, workspace=tenant.id) == [(6,)]
    assert await differences(factory) == []


async def test_what_one_is_folding_another_leaves_out(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    await factory.feedback(tenant)

    async with database.transaction() as uow:
        first = await store.compact(uow, most=10)
        second = await stats.compact(database)

    assert (first, second) == (1, 0)
    assert await differences(factory) == []


async def test_who_is_killed_in_the_middle_has_done_nothing(
    tenant: Tenant, factory: Factory, database: Database
) -> None:
    await factory.feedback(tenant, score=POSITIVE)
    with pytest.raises(KilledError):
        await fold_and_die(database)

    assert await differences(factory) == []
    assert await stats.compact(database) == 3
    assert await differences(factory) == []
