"""Alert rules in tests: made as their owner makes them, and checked at moments that a test says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from domain import alert, ids
from domain.alert import Definition, Wanted
from domain.ids import Kind
from domain.seals import Seals
from domain.viewer import Viewer
from persistence.database import Database, UnitOfWork
from tests.factories import Factory, Tenant


@dataclass(frozen=True, slots=True)
class Raised:
    """What the store has of an alert."""

    state: str
    fired_at: datetime
    resolved_at: datetime | None
    value: float | None
    threshold: float | None
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Alerting:
    """Makes rules and checks them."""

    database: Database
    factory: Factory
    seals: Seals
    announced: list[tuple[UUID, str, str, str | None]] = field(default_factory=list)
    """The events of what was committed; a relay may have taken them away from the outbox."""

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[UnitOfWork]:
        async with self.database.transaction() as uow:
            yield uow
            events = list(uow._events)
        self.announced.extend(events)

    async def rule(
        self,
        tenant: Tenant,
        definition: Definition,
        channels: Wanted | None = None,
        *,
        name: str = "Rule",
        enabled: bool = True,
    ) -> UUID:
        command = alert.CreateRule(tenant.id, name, definition, channels or Wanted(), enabled)
        async with self._transaction() as uow:
            row = await alert.create(uow, viewer(tenant), command, self.seals, anything)
        return row.id

    async def change(self, tenant: Tenant, rule: UUID, **changes: Any) -> None:
        command = alert.UpdateRule(rule, **changes)
        async with self._transaction() as uow:
            await alert.update(uow, viewer(tenant), command, self.seals, anything)

    async def remove(self, tenant: Tenant, rule: UUID) -> None:
        async with self._transaction() as uow:
            await alert.remove(uow, viewer(tenant), rule)

    async def check(self, tenant: Tenant, at: datetime) -> int:
        """Check the workspace's rules as if it were that time; how many changed."""
        async with self._transaction() as uow:
            uow.now = at
            await uow.enter(tenant.id)
            return await alert.check(uow, tenant.id)

    async def match(self, tenant: Tenant, at: datetime, **happened: Sequence[str]) -> int:
        """What happened to feedback, by type; how many rules fired."""
        by_type = {type_: [read(id_) for id_ in of_type] for type_, of_type in happened.items()}
        async with self._transaction() as uow:
            uow.now = at
            await uow.enter(tenant.id)
            return await alert.match(uow, tenant.id, by_type)

    async def raised(self, tenant: Tenant) -> list[Raised]:
        """Its alerts, the oldest first."""
        rows = await self.factory.rows(
            "SELECT state, fired_at, resolved_at, value, threshold, baseline FROM alert"
            " WHERE workspace_id = :workspace ORDER BY fired_at, id",
            workspace=tenant.id,
        )
        return [Raised(*row) for row in rows]

    async def states(self, tenant: Tenant) -> list[str]:
        return [each.state for each in await self.raised(tenant)]

    def events(self, tenant: Tenant) -> list[tuple[str, str]]:
        """What was announced of its alerts: kind and state."""
        return [
            (kind, orjson.loads(payload)["state"])
            for workspace, kind, payload, _ in self.announced
            if workspace == tenant.id and kind.startswith("alert.")
        ]

    async def messages(self, tenant: Tenant) -> list[tuple[Mapping[str, Any], datetime]]:
        """The messages that were asked for, and when they are due."""
        rows = await self.factory.rows(
            "SELECT arguments::text, run_at FROM job"
            " WHERE workspace_id = :workspace AND kind = 'notify_alert' ORDER BY id",
            workspace=tenant.id,
        )
        return [(orjson.loads(arguments), run_at) for arguments, run_at in rows]


def viewer(tenant: Tenant) -> Viewer:
    return Viewer(tenant.owner.id, tenant.owner.session_id, datetime.max.replace(tzinfo=UTC))


def anything(_: str) -> str | None:
    """Every URL will do."""
    return None


def read(feedback: str) -> UUID:
    id_ = ids.read(Kind.FEEDBACK, feedback)
    assert id_ is not None
    return id_
