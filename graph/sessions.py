"""Which sessions have been revoked while their access tokens are still good: known to every process at once.

Who follows the revocations follows the other events of the instance too.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain import account, events
from domain.viewer import Viewer
from graph.keys import Keys
from graph.live.hub import Gap, Hub
from graph.memberships import Memberships
from graph.watchers import Told, Watchers
from persistence.bus import BusUnavailableError
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)


class Sessions:
    """The revoked sessions whose tokens have not run out, kept in memory so that a request asks no store."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], *, token_lifetime: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._token_lifetime = token_lifetime
        self._revoked: dict[UUID, datetime] = {}
        self._watchers = Watchers()

    def is_revoked(self, viewer: Viewer) -> bool:
        return viewer.session_id in self._revoked

    def holds(self, viewer: Viewer) -> bool:
        """Whether what let the viewer in is as it was."""
        return viewer.session_id not in self._revoked

    def revoke(self, session: UUID) -> None:
        """Refuse this session's tokens from now on, here; the outbox tells the other processes."""
        now = self._clock()
        self._revoked[session] = now
        self._watchers.tell(session)
        if len(self._revoked) % 1000 == 0:
            alive = now - self._token_lifetime
            self._revoked = {id_: at for id_, at in self._revoked.items() if at > alive}

    def revoke_all(self, sessions: Iterable[UUID]) -> None:
        """The same for several."""
        for session in sessions:
            self.revoke(session)

    def watch(self, viewer: Viewer, told: Told) -> None:
        """Call `told` when the viewer's session is revoked, until `unwatch`."""
        self._watchers.add(viewer.session_id, told)

    def unwatch(self, viewer: Viewer, told: Told) -> None:
        self._watchers.remove(viewer.session_id, told)

    async def run(self, hub: Hub, memberships: Memberships, keys: Keys) -> None:
        """Listen for revocations until cancelled, those of rights too; what was missed is read from the database."""
        while True:
            try:
                await self._follow(hub, memberships, keys)
            except BusUnavailableError as error:
                # Each second of an outage: a traceback of it would take the loop longer than that to write.
                log.warning("revocations are not followed for the moment", error=str(error))
                await asyncio.sleep(1)
            except Exception:
                log.exception("revocations are not followed for the moment")
                await asyncio.sleep(1)

    async def _follow(self, hub: Hub, memberships: Memberships, keys: Keys) -> None:
        topic = events.topic(events.INSTANCE, events.INSTANCE_TOPIC)
        cursor = await hub.position(topic)
        # Loaded after the position was taken: nothing falls between the two.
        await self._look_again(memberships, keys)
        async with aclosing(hub.follow(topic, cursor)) as stream:
            async for item in stream:
                if isinstance(item, Gap):
                    await self._look_again(memberships, keys)
                    continue
                match events.of_instance(item.entry.payload):
                    case events.SessionRevoked(session_id):
                        self.revoke(session_id)
                    case events.MemberChanged(_, user_id):
                        memberships.changed(user_id)
                    case events.ApiKeyChanged(api_key_id):
                        keys.changed(api_key_id)

    async def _look_again(self, memberships: Memberships, keys: Keys) -> None:
        """Events were missed."""
        await self.load()
        await keys.any_changed()
        await memberships.any_changed()

    async def load(self) -> None:
        """Read the revocations of the last token lifetime; waits for the database if need be."""
        while True:
            try:
                async with self._database.reader() as reader:
                    since = self._clock() - self._token_lifetime
                    for session in await account.revoked_since(reader, since):
                        self.revoke(session)
            except StoreUnavailableError:
                await asyncio.sleep(1)
            else:
                return
