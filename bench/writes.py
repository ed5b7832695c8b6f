"""What one stored feedback costs: a SQLModel session against our unit of work on the same asyncpg.

Both write the same feedback row and its outbox event in one transaction and read the row back. CPU of this
process a write, medians of interleaved rounds.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.stores import now
from bench.stores import postgres
from domain import feedback
from domain.feedback import Message
from persistence import database as databases
from persistence import source as source_store
from persistence import workspace as workspace_store
from persistence.database import Database, new_id
from persistence.feedback import Feedback
from persistence.outbox import OutboxEvent

ROUNDS = 15
WRITES = 100

Write = Callable[[], Awaitable[object]]


async def main() -> None:
    """Measure and print."""
    async with postgres() as url:
        database = await databases.connect(url, clock=now)
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        try:
            workspace, source = await _tenant(database)
            ours, theirs = await _measure(
                _unit_of_work(database, source), _session(engine, workspace, source)
            )
        finally:
            await engine.dispose()
            await database.close()
    print("Storing one feedback with its event: CPU of the process, a write")
    print(f"  unit of work on asyncpg  {ours * 1e6:7.0f} us   1.0")
    print(f"  SQLModel session         {theirs * 1e6:7.0f} us   {theirs / ours:.1f}")


async def _tenant(database: Database) -> tuple[UUID, UUID]:
    async with database.transaction() as uow:
        workspace = await workspace_store.add(uow, name="Bench", slug="bench")
        row = await source_store.add(
            uow, workspace=workspace, name="API", kind="API", provider="STANDARD"
        )
    return workspace, row.id


def _unit_of_work(database: Database, source: UUID) -> Write:
    async def write() -> object:
        async with database.transaction() as uow:
            return await feedback.receive(
                uow, source, new_id().hex, Message(body="It works.", rating=5)
            )

    return write


def _session(engine: object, workspace: UUID, source: UUID) -> Write:
    async def write() -> object:
        async with AsyncSession(engine, expire_on_commit=False) as session:  # type: ignore[arg-type]
            await session.exec(  # type: ignore[call-overload]
                text("SELECT set_config('earful.workspace_id', :id, true)").bindparams(
                    id=str(workspace)
                )
            )
            at = datetime.now(UTC)
            row = Feedback(
                id=new_id(),
                workspace_id=workspace,
                source_id=source,
                external_id=new_id().hex,
                body="It works.",
                rating=5,
                status="OPEN",
                occurred_at=at,
                received_at=at,
            )
            session.add(row)
            session.add(
                OutboxEvent(
                    workspace_id=workspace,
                    kind="feedback.added",
                    payload={"id": row.id.hex},
                    created_at=at,
                )
            )
            await session.commit()
            return row

    return write


async def _measure(*writes: Write) -> list[float]:
    costs: list[list[float]] = [[] for _ in writes]
    for _ in range(ROUNDS + 1):
        for write, cost in zip(writes, costs, strict=True):
            began = time.process_time()
            for _ in range(WRITES):
                await write()
            cost.append((time.process_time() - began) / WRITES)
    return [statistics.median(cost[1:]) for cost in costs]  # the first round warms up
