"""The counts that are kept are what a recount says, whoever changes feedback in whatever way and at whatever time."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.stores import now
from domain import feedback, ids, stats, tag
from domain.errors import NotFoundError
from domain.feedback import Message, SubmitFeedback
from domain.ids import Kind
from domain.sentiment import Judgement, Unscored
from domain.viewer import Viewer
from persistence.database import (
    Database,
    Record,
    Statement,
    UniqueViolationError,
    UnitOfWork,
    new_id,
)
from tests.factories import NEGATIVE, NEUTRAL, NOON, POSITIVE, UNKNOWN, Factory, Tenant
from tests.persistence.recounting import CELLS, CHANGES, differences

# As any code might write, now or later: several rows at once, several tables at once, columns in any combination.
RAW = {
    "store several": """
        INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at, rating,
            sentiment_label, sentiment_score)
        SELECT gen_random_uuid(), source.workspace_id, source.id, 'Fine.', '2026-06-15 11:50Z'::timestamptz
            + n * interval '7 minutes', now(), n % 12, (ARRAY['NEGATIVE', 'POSITIVE'])[n % 3],
            (ARRAY[-0.123456789, 0.987654321])[n % 3]
        FROM source, generate_series(1, 5) AS n WHERE workspace_id = :workspace AND random() < 0.5""",
    "score again": """
        UPDATE feedback SET sentiment_label = (ARRAY['NEGATIVE', 'NEUTRAL', 'POSITIVE', NULL])[1 + random() * 3],
            sentiment_score = random() * 2 - 1
        WHERE workspace_id = :workspace AND random() < 0.3""",
    "score all in a row": """
        UPDATE feedback SET sentiment_label = 'POSITIVE', sentiment_score = 0.5 WHERE workspace_id = :workspace""",
    "unscore": """
        UPDATE feedback SET sentiment_label = NULL, sentiment_score = NULL
        WHERE workspace_id = :workspace AND random() < 0.1""",
    "rate": """
        UPDATE feedback SET rating = nullif((random() * 11)::int, 11)
        WHERE workspace_id = :workspace AND random() < 0.3""",
    "move in time": """
        UPDATE feedback SET occurred_at = occurred_at + (random() - 0.5) * interval '3 hours'
        WHERE workspace_id = :workspace AND random() < 0.2""",
    "move to another source": """
        UPDATE feedback SET source_id = (
            SELECT id FROM source WHERE workspace_id = :workspace ORDER BY random() LIMIT 1
        ) WHERE workspace_id = :workspace AND random() < 0.2""",
    "rewrite": "UPDATE feedback SET body = 'Better.' WHERE workspace_id = :workspace",
    "erase": "DELETE FROM feedback WHERE workspace_id = :workspace AND random() < 0.15",
    "upsert": """
        INSERT INTO feedback (id, workspace_id, source_id, external_id, body, occurred_at, received_at, rating)
        SELECT gen_random_uuid(), workspace_id, id, 'once', 'Fine.', '2026-06-15 12:00Z', now(), 3
        FROM source WHERE workspace_id = :workspace
        ON CONFLICT (source_id, external_id) WHERE external_id IS NOT NULL DO UPDATE SET rating = random() * 10""",
    "link": """
        INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
        SELECT feedback.id, tag.id, :workspace FROM feedback, tag
        WHERE feedback.workspace_id = :workspace AND tag.workspace_id = :workspace AND random() < 0.2
        ORDER BY feedback.id ON CONFLICT DO NOTHING""",
    "unlink": "DELETE FROM feedback_tag WHERE workspace_id = :workspace AND random() < 0.2",
    "put another tag on": """
        WITH fresh AS (
            INSERT INTO tag (id, workspace_id, name, color, created_at)
            VALUES (gen_random_uuid(), :workspace, 'Fresh ' || random(), '#000000', now()) RETURNING id
        ) UPDATE feedback_tag SET tag_id = fresh.id FROM fresh
        WHERE workspace_id = :workspace AND tag_id = (SELECT tag_id FROM feedback_tag
            WHERE workspace_id = :workspace ORDER BY random() LIMIT 1)""",
    "store and link at once": """
        WITH added AS (
            INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)
            SELECT gen_random_uuid(), workspace_id, id, 'Fine.', '2026-06-15 12:59:59Z', now()
            FROM source WHERE workspace_id = :workspace RETURNING id
        ) INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
        SELECT added.id, tag.id, :workspace FROM added, tag WHERE tag.workspace_id = :workspace""",
    "score and link at once": """
        WITH scored AS (
            UPDATE feedback SET sentiment_label = 'NEUTRAL', sentiment_score = random() / 10
            WHERE workspace_id = :workspace AND random() < 0.2 RETURNING id
        ) INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
        SELECT scored.id, tag.id, :workspace FROM scored, tag WHERE tag.workspace_id = :workspace
        ON CONFLICT DO NOTHING""",
    "score and unlink at once": """
        WITH scored AS (
            UPDATE feedback SET rating = 7 WHERE workspace_id = :workspace AND random() < 0.3 RETURNING id
        ) DELETE FROM feedback_tag USING scored WHERE feedback_id = scored.id AND random() < 0.5""",
    "unlink and erase at once": """
        WITH unlinked AS (
            DELETE FROM feedback_tag WHERE workspace_id = :workspace AND random() < 0.1 RETURNING feedback_id
        ) DELETE FROM feedback USING unlinked WHERE feedback.id = unlinked.feedback_id""",
    "add a tag": """
        INSERT INTO tag (id, workspace_id, name, color, created_at)
        VALUES (gen_random_uuid(), :workspace, 'Tag ' || random(), '#000000', now())""",
    "delete a tag": """
        DELETE FROM tag WHERE id = (SELECT id FROM tag WHERE workspace_id = :workspace ORDER BY random() LIMIT 1)""",
    "add a source": """
        INSERT INTO source (id, workspace_id, name, kind, provider, created_at)
        VALUES (gen_random_uuid(), :workspace, 'Extra', 'API', 'STANDARD', now())""",
    "delete a source": """
        DELETE FROM source WHERE id = (SELECT id FROM source WHERE workspace_id = :workspace AND name = 'Extra'
            ORDER BY random() LIMIT 1)""",
}
SCORES: list[Judgement | Unscored] = [NEGATIVE, NEUTRAL, POSITIVE, UNKNOWN]
# What concurrent changes may end in; then nothing of them may count.
LOST = (
    asyncpg.DeadlockDetectedError,
    asyncpg.IntegrityConstraintViolationError,
    UniqueViolationError,
    NotFoundError,
)


class RolledBackError(Exception):
    """Raised to take a change back."""


class Changes:
    """Random changes of some workspaces, and how often each was made."""

    def __init__(
        self, database: Database, factory: Factory, tenants: list[Tenant], seed: int
    ) -> None:
        self._database = database
        self._factory = factory
        self._tenants = tenants
        self._random = random.Random(seed)  # noqa: S311 - of tests
        self.made: Counter[str] = Counter()
        self.lost = 0
        self._ways: dict[str, Callable[[Tenant], Awaitable[object]]] = {
            "submit": self._submit,
            "receive": self._receive,
            "score": self._score,
            "set tags": self._set_tags,
            "roll back": self._roll_back,
            "compact": self._compact,
            **{name: self._raw(sql) for name, sql in RAW.items()},
        }

    @property
    def names(self) -> set[str]:
        return set(self._ways)

    async def make(self, name: str) -> None:
        """Make the change in one of the workspaces; it may be lost to others that are made at the same time."""
        try:
            await self._ways[name](self._random.choice(self._tenants))
            self.made[name] += 1
        except LOST:
            self.lost += 1

    async def make_some(self, number: int) -> None:
        """Make so many at once."""
        names = self._random.choices(sorted(self.names), k=number)
        await asyncio.gather(*(self.make(name) for name in names))

    def _message(self) -> Message:
        return Message(
            body="It works.",
            rating=self._random.choice([None, 0, 3, 10]),
            occurred_at=NOON + self._random.randrange(-9_000, 9_000) * timedelta(seconds=1),
        )

    async def _submit(self, tenant: Tenant) -> None:
        command = SubmitFeedback(tenant.id, None, self._message())
        async with self._database.transaction() as uow:
            await feedback.submit(uow, viewer(tenant), command)

    async def _receive(self, tenant: Tenant) -> None:
        async with self._database.transaction() as uow:
            await feedback.receive(uow, tenant.source_id, new_id().hex, self._message())

    async def _score(self, tenant: Tenant) -> None:
        found = await self._feedback(tenant)
        scores = [(id_, self._random.choice(SCORES)) for id_ in found]
        async with self._database.transaction() as uow:
            await feedback.record_scores(uow, tenant.id, scores, "test-model-1")

    async def _set_tags(self, tenant: Tenant) -> None:
        found = await self._feedback(tenant)
        tags = await self._factory.rows(
            "SELECT id FROM tag WHERE workspace_id = :workspace AND random() < 0.5 LIMIT 9",
            workspace=tenant.id,
        )
        async with self._database.transaction() as uow:
            await tag.set_on_feedback(
                uow,
                viewer(tenant),
                feedback_id=[*found, new_id()][0],
                tag_ids=[id_ for (id_,) in tags],
            )

    async def _feedback(self, tenant: Tenant) -> list[UUID]:
        rows = await self._factory.rows(
            "SELECT id FROM feedback WHERE workspace_id = :workspace ORDER BY random() LIMIT 20",
            workspace=tenant.id,
        )
        return [id_ for (id_,) in rows]

    async def _roll_back(self, tenant: Tenant) -> None:
        with pytest.raises(RolledBackError):
            await self._change_and_fail(tenant)

    async def _change_and_fail(self, tenant: Tenant) -> None:
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await run(uow, RAW["score again"], tenant)
            await run(uow, RAW["store and link at once"], tenant)
            await run(uow, RAW["erase"], tenant)
            raise RolledBackError

    async def _compact(self, tenant: Tenant) -> None:
        await stats.compact(self._database)

    def _raw(self, sql: str) -> Callable[[Tenant], Awaitable[object]]:
        async def change(tenant: Tenant) -> None:
            async with self._database.transaction() as uow:
                await uow.enter(tenant.id)
                await run(uow, sql, tenant)

        return change


def viewer(tenant: Tenant) -> Viewer:
    owner = tenant.owner
    return Viewer(owner.id, owner.session_id, now() + timedelta(hours=1))


async def run(uow: UnitOfWork, sql: str, tenant: Tenant) -> int:
    return await uow.execute(Statement(text(sql), Record), workspace=tenant.id)


# At random


@pytest.mark.parametrize("seed", range(3))
async def test_the_counts_are_those_of_a_recount_after_random_changes_one_by_one(
    seed: int, factory: Factory, database: Database
) -> None:
    changes = Changes(database, factory, [await factory.tenant() for _ in range(2)], seed)
    order = [*sorted(changes.names)] * 4
    random.Random(seed).shuffle(order)  # noqa: S311 - of tests

    for name in order:
        await changes.make(name)
        assert (name, await differences(factory)) == (name, [])

    assert set(changes.made) == changes.names


@pytest.mark.parametrize("seed", range(3))
async def test_the_counts_are_those_of_a_recount_at_any_moment_of_concurrent_changes(
    seed: int, factory: Factory, database: Database
) -> None:
    changes = Changes(database, factory, [await factory.tenant() for _ in range(2)], seed)

    for _ in range(25):
        *_, meanwhile = await asyncio.gather(changes.make_some(7), differences(factory))
        assert meanwhile == []
        assert await differences(factory) == []

    assert changes.made.total() + changes.lost == 175


async def test_nothing_is_left_of_a_workspace_that_is_deleted(
    factory: Factory, database: Database
) -> None:
    kept, gone = [await factory.tenant() for _ in range(2)]
    changes = Changes(database, factory, [gone, kept], 1)
    for name in ("add a source", "store several", "add a tag", "score", "link", "compact", "rate"):
        for _ in range(4):
            await changes.make(name)

    await factory.change("DELETE FROM workspace WHERE id = :id", within=gone, id=gone.id)

    assert await differences(factory) == []
    await stats.compact(database)
    assert await factory.rows(CELLS, workspace=gone.id) == [(0,)]
    assert await factory.rows(CHANGES, workspace=gone.id) == [(0,)]
    assert await differences(factory) == []


# Two at once


WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()"""


async def done_or_waiting(other: "asyncio.Future[int]", factory: Factory) -> None:
    async with asyncio.timeout(10):
        while not other.done() and await factory.rows(WAITING) == [(0,)]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", ["link", "score all in a row", "unlink", "erase all"])
@pytest.mark.parametrize("second", ["link", "score all in a row", "erase all"])
async def test_tagging_scoring_and_erasing_at_once_are_counted(
    first: str, second: str, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    borne = await factory.feedback(tenant)
    await factory.tag(tenant, "Borne", borne)
    await factory.tag(tenant, "Not borne")
    ways = RAW | {
        "link": RAW["link"].replace("0.2", "1"),
        "unlink": RAW["unlink"].replace("0.2", "1"),
        "erase all": "DELETE FROM feedback WHERE workspace_id = :workspace",
    }

    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await run(uow, ways[first], tenant)
        other = asyncio.ensure_future(
            factory.change(ways[second], within=tenant, workspace=tenant.id)
        )
        await done_or_waiting(other, factory)
        assert await differences(factory) == []
    (ended,) = await asyncio.gather(other, return_exceptions=True)

    # Where the feedback is gone, it can bear no tag.
    assert isinstance(ended, int | asyncpg.NotNullViolationError)
    assert await differences(factory) == []


# What is written


async def test_a_change_of_what_is_not_counted_writes_nothing(
    factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.tag(tenant, "Borne", await factory.feedback(tenant, rating=3, score=POSITIVE))
    await stats.compact(database)

    for sql in (
        "UPDATE feedback SET body = 'Other words.' WHERE workspace_id = :workspace",
        "UPDATE feedback SET rating = rating, source_id = source_id WHERE workspace_id = :workspace",
        "UPDATE feedback SET occurred_at = occurred_at + interval '1 minute' WHERE workspace_id = :workspace",
        "UPDATE feedback_tag SET tag_id = tag_id WHERE workspace_id = :workspace",
    ):
        assert await factory.change(sql, within=tenant, workspace=tenant.id) == 1

    assert await factory.rows(CHANGES, workspace=tenant.id) == [(0,)]


async def test_rows_that_change_places_are_counted_under_their_tags(
    factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    good = await factory.feedback(tenant, score=POSITIVE)
    await factory.feedback(tenant, score=NEGATIVE)
    await factory.tag(tenant, "Borne", good)

    await factory.change(
        """UPDATE feedback SET sentiment_score = -sentiment_score, sentiment_label =
            CASE sentiment_label WHEN 'POSITIVE' THEN 'NEGATIVE' ELSE 'POSITIVE' END
            WHERE workspace_id = :workspace""",
        within=tenant,
        workspace=tenant.id,
    )

    assert await differences(factory) == []


async def test_a_link_to_feedback_of_another_workspace_is_refused(
    factory: Factory, database: Database
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    tag_id = ids.read(Kind.TAG, await factory.tag(tenant, "Ours"))
    theirs = ids.read(Kind.FEEDBACK, await factory.feedback(stranger))

    with pytest.raises(asyncpg.NotNullViolationError):
        await factory.change(
            "INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id) VALUES (:theirs, :tag, :ours)",
            within=tenant,
            theirs=theirs,
            tag=tag_id,
            ours=tenant.id,
        )

    assert await differences(factory) == []
