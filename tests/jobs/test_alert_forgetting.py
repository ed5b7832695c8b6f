"""Alerts that were over long ago are taken away."""

from datetime import UTC, datetime, timedelta

from domain import alert
from domain.alert import Definition, Kind
from domain.alert.checking import KEPT
from persistence.database import Database
from tests.alerting import Alerting
from tests.factories import Factory

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COUNT = Definition(Kind.COUNT, threshold=1, cool_down_minutes=0)


async def test_what_was_over_long_ago_is_forgotten_in_every_workspace(
    alerting: Alerting, factory: Factory, database: Database
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant in tenants:
        await alerting.rule(tenant, COUNT)
        for start in (NOON, NOON + 3 * HOUR, NOON + 6 * HOUR):
            await factory.feedback(tenant, occurred_at=start - timedelta(minutes=1))
            await alerting.check(tenant, start)
            await alerting.check(tenant, start + HOUR)
        await factory.feedback(tenant, occurred_at=NOON + 9 * HOUR)
        await alerting.check(tenant, NOON + 9.5 * HOUR)

    await alert.forget(database, NOON + 4 * HOUR + KEPT)

    for tenant in tenants:
        left = [(each.fired_at, each.state) for each in await alerting.raised(tenant)]
        assert left == [
            (NOON + 3 * HOUR, "RESOLVED"),
            (NOON + 6 * HOUR, "RESOLVED"),
            (NOON + 9.5 * HOUR, "FIRING"),
        ]
