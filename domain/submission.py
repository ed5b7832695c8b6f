"""Submitting messages one by one: who comes while one is being stored shares the next statement, and its commit."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

from domain import feedback, roles
from domain.feedback import SubmitFeedback, Submitted
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence.database import Database, StoreUnavailableError
from telemetry import trace
from telemetry.trace import Place

_MOST = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    command: SubmitFeedback
    carried: str | None
    place: Place | None
    stored: "asyncio.Future[Submitted | None]"


class Submissions:
    """What is being submitted in this process, by who submits it to where."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, list[_Asked]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def submit(
        self, database: Database, viewer: Viewer, command: SubmitFeedback, seals: Seals
    ) -> Submitted:
        """As `feedback.submit`, in a transaction of its own: at once, or with others as soon as that is over."""
        way = (
            database,
            viewer.id,
            tuple(roles.sufficient(viewer, Action.SUBMIT_FEEDBACK)),
            command.workspace_id,
            command.source_id,
        )
        waiting = self._waiting.get(way)
        if waiting is None:
            self._waiting[way] = []
            try:
                return await _alone(database, viewer, command, seals)
            finally:
                self._go_on(way, database, viewer)
        loop = asyncio.get_running_loop()
        asked = _Asked(command, trace.carried(), trace.here(), loop.create_future())
        waiting.append(asked)
        return await asked.stored or await _alone(database, viewer, command, seals)

    def _go_on(self, way: Hashable, database: Database, viewer: Viewer) -> None:
        if not self._waiting[way]:
            del self._waiting[way]
            return
        task = asyncio.ensure_future(self._store(way, database, viewer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _store(self, way: Hashable, database: Database, viewer: Viewer) -> None:
        """Store what waits, until nothing does."""
        some: list[_Asked] = []
        try:
            while waiting := self._waiting[way]:
                some, self._waiting[way] = waiting[:_MOST], waiting[_MOST:]
                await _together(database, viewer, some)
        finally:
            # Nobody is left waiting when the process ends.
            for each in (*some, *self._waiting.pop(way)):
                each.stored.cancel()


async def _alone(
    database: Database, viewer: Viewer, command: SubmitFeedback, seals: Seals
) -> Submitted:
    async with database.transaction() as uow:
        return await feedback.submit(uow, viewer, command, seals)


async def _together(database: Database, viewer: Viewer, asked: list[_Asked]) -> None:
    """What is not stored so, whoever asked for it finds out why."""
    stored: list[Submitted | None] = [None] * len(asked)
    error: StoreUnavailableError | None = None
    try:
        with trace.together("together", [each.place for each in asked], number=len(asked)):
            async with database.transaction() as uow:
                stored = await feedback.submit_together(
                    uow,
                    viewer,
                    [each.command for each in asked],
                    [each.carried for each in asked],
                )
    except StoreUnavailableError as away:
        error = away
    except Exception:  # noqa: BLE001 - none is to fail for another's sake
        stored = [None] * len(asked)
    for each, answer in zip(asked, stored, strict=True):
        if each.stored.done():
            continue
        if error is not None:
            each.stored.set_exception(error)
        else:
            each.stored.set_result(answer)
