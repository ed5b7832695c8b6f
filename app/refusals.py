"""Counting what sources send in vain, without a transaction for each: a second's refusals are written together."""

import asyncio
from uuid import UUID

import structlog

from domain import source_health
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)

_SECONDS = 1
_LONGEST = 200


class Refusals:
    """What was refused is told in a source's health soon afterwards; what a crash takes along is not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[tuple[UUID, UUID], tuple[int, str]] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, workspace: UUID, source: UUID, message: str) -> None:
        """Count one."""
        times, _ = self._counts.get((workspace, source), (0, ""))
        self._counts[workspace, source] = (times + 1, message[:_LONGEST])
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            while self._counts:
                await asyncio.sleep(_SECONDS)
                counts, self._counts = self._counts, {}
                by_workspace: dict[UUID, list[tuple[UUID, int, str]]] = {}
                for (workspace, source), (times, message) in counts.items():
                    by_workspace.setdefault(workspace, []).append((source, times, message))
                for workspace, refused in by_workspace.items():
                    await self._record(workspace, refused)
        finally:
            self._writing = None

    async def _record(self, workspace: UUID, refused: list[tuple[UUID, int, str]]) -> None:
        # They are a measure of health and no ledger: a store that is away has other troubles.
        try:
            async with self._database.transaction() as uow:
                await source_health.record_refusals(uow, workspace, refused)
        except StoreUnavailableError:
            pass
        except Exception:
            log.exception("refusals cannot be counted", workspace=workspace.hex)
