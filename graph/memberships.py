"""What people are to workspaces: read for all who ask at the same time, and watched for changes, anywhere."""

import asyncio
from uuid import UUID

from domain import workspace
from domain.viewer import Viewer
from graph.watchers import Told, Watchers
from persistence.database import Database

_AT_ONCE = 1_000

_Answer = asyncio.Future[str | None]


class Memberships:
    """Roles, and the watchers of each user's. Whoever follows the instance's events tells of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers = Watchers()
        self._asked: list[tuple[Viewer, UUID, _Answer]] = []
        self._reading: asyncio.Task[None] | None = None

    async def role(self, viewer: Viewer, workspace_id: UUID) -> str | None:
        """What the viewer is in the workspace now; None to strangers.

        Thousands come back at once after a restart, or look again when events were missed: while one statement is on
        its way, all who ask wait for the next one, together.
        """
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._asked.append((viewer, workspace_id, answer))
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await answer

    async def _read(self) -> None:
        try:
            while self._asked:
                await self._read_some()
        finally:
            self._reading = None

    async def _read_some(self) -> None:
        asked, self._asked = self._asked[:_AT_ONCE], self._asked[_AT_ONCE:]
        try:
            async with self._database.reader() as reader:
                roles = await workspace.roles_in(reader, [(who, where) for who, where, _ in asked])
        except Exception as error:  # noqa: BLE001 - everybody gets it
            for _, _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for who, where, answer in asked:
                if not answer.done():
                    answer.set_result(roles.get((who.id, where)))

    def watch(self, user: UUID, told: Told) -> None:
        """Call `told` when what the user may do has changed somewhere, until `unwatch`."""
        self._watchers.add(user, told)

    def unwatch(self, user: UUID, told: Told) -> None:
        self._watchers.remove(user, told)

    def changed(self, user: UUID) -> None:
        """What the user may do has changed."""
        self._watchers.tell(user)

    async def any_changed(self) -> None:
        """Events were missed: it may be anybody."""
        await self._watchers.tell_all()
