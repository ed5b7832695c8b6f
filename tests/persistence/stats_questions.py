"""Feedback at random, and questions at random about how much there is of what."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import ids, stats
from domain.ids import Kind
from domain.stats import Interval
from persistence.database import Database, new_id
from persistence.feedback import Filter
from tests.factories import NOON, POSITIVE, Factory, Tenant

DAY = timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York")
LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


async def populated(factory: Factory, tenant: Tenant, seed: int) -> tuple[list[UUID], list[UUID]]:
    """300 feedback around NOON, of several sources and with several tags; answers their ids, and ids of nothing."""
    await factory.change(
        """INSERT INTO source (id, workspace_id, name, kind, provider, created_at)
            SELECT gen_random_uuid(), :workspace, 'Extra', 'API', 'STANDARD', now() FROM generate_series(1, 3)""",
        within=tenant,
        workspace=tenant.id,
    )
    given = [await factory.tag(tenant, name) for name in ("One", "Two")]
    tags = [ids.read(Kind.TAG, tag) or new_id() for tag in given]
    await factory.change("SELECT setseed(:seed)", seed=seed / 100)
    await factory.change(
        """INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at, rating,
                sentiment_label, sentiment_score)
            SELECT gen_random_uuid(), :workspace,
                (SELECT id FROM source WHERE workspace_id = :workspace ORDER BY md5(id::text || n) LIMIT 1),
                'Fine.', date_trunc(CASE WHEN n % 5 = 0 THEN 'hour' ELSE 'microseconds' END,
                    '2026-06-15 12:00Z'::timestamptz + (random() - 0.5) * interval '4 days', 'UTC'), now(),
                nullif(n % 12, 11), (ARRAY['NEGATIVE', 'NEUTRAL', 'POSITIVE'])[n % 4],
                (ARRAY[-0.75, 0.1, 0.123456789])[n % 4] FROM generate_series(1, 300) AS n""",
        within=tenant,
        workspace=tenant.id,
    )
    await factory.change(
        """INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)
            SELECT feedback.id, tag.id, :workspace FROM feedback, tag
            WHERE feedback.workspace_id = :workspace AND tag.workspace_id = :workspace AND random() < 0.4""",
        within=tenant,
        workspace=tenant.id,
    )
    rows = await factory.rows("SELECT id FROM source WHERE workspace_id = :of", of=tenant.id)
    return [*(id_ for (id_,) in rows), new_id()], [*tags, new_id()]


class Asking:
    """Questions at random."""

    def __init__(self, seed: int, sources: Sequence[UUID], tags: Sequence[UUID]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - of tests
        self._sources = sources
        self._tags = tags

    def _moment(self) -> datetime:
        precise = NOON + self._random.uniform(-3, 3) * DAY
        return self._random.choice([precise, precise.replace(minute=0, second=0, microsecond=0)])

    def _some(self, values: Sequence[Any], most: int) -> tuple[Any, ...] | None:
        some = tuple(self._random.sample(values, self._random.randint(0, most)))
        return self._random.choice([None, some])

    def _maybe(self, value: Any, odds: float = 0.25) -> Any:
        return self._random.choices([value, None], [odds, 1 - odds])[0]

    def question(self) -> dict[str, Any]:
        """What to ask of `counts`."""
        start, end = sorted([self._moment(), self._moment()])
        within = stats.period(
            start, end, self._random.choice(list(Interval)), self._random.choice(ZONES)
        )
        where = Filter(
            source_ids=self._some(self._sources, 3),
            tag_ids=self._some(self._tags, 2),
            sentiments=self._some(LABELS, 3),
            rating_gte=self._maybe(4, 0.1),
            occurred_after=self._maybe(self._moment()),
            occurred_before=self._maybe(self._moment()),
        )
        boundaries = self._random.choice([(), within.boundaries])
        return {
            "start": start,
            "end": self._random.choice([end, end, None]),
            "where": where,
            "boundaries": boundaries,
            "totals": not boundaries or self._random.choice([True, False]),
        }


@dataclass(frozen=True, slots=True)
class Crowd:
    """Two workspaces of one owner, and a stranger's, all with feedback; and what to ask of them."""

    owner: UUID
    own: set[UUID]
    workspaces: list[UUID]
    asking: Asking


async def crowd(factory: Factory, database: Database, seed: int) -> Crowd:
    """Much is folded into hours, and some of it has changed since."""
    first = await factory.tenant()
    second = await factory.tenant(owner=first.owner)
    stranger = await factory.tenant()
    sources, tags = await populated(factory, first, seed)
    await stats.compact(database)
    await factory.change(
        "UPDATE feedback SET rating = 1 WHERE workspace_id = :of AND random() < 0.3",
        within=first,
        of=first.id,
    )
    for tenant in (second, stranger):
        await factory.tag(tenant, "Borne", await factory.feedback(tenant, score=POSITIVE))
    asking = Asking(seed, sources, tags)
    own = {first.id, second.id}
    return Crowd(first.owner.id, own, [*own, stranger.id], asking)


def told(rows: Iterable[Any]) -> set[tuple[object, ...]]:
    """What the rows say; that there is nothing may be said by no row."""
    return {tuple(row.values()) for row in rows if row.total}
