"""Which sessions have been revoked while their access tokens are still good: known to every process at once."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain import account, events
from domain.viewer import Viewer
from graph.live.hub import Gap, Hub
from graph.memberships import Memberships
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
        self._watchers: dict[UUID, set[Callable[[], None]]] = {}

    def is_revoked(self, viewer: Viewer) -> bool:
        return viewer.session_id in self._revoked

    def revoke(self, session: UUID) -> None:
        """Refuse this session's tokens from now on, here; the outbox tells the other processes."""
        now = self._clock()
        self._revoked[session] = now
        for told in tuple(self._watchers.get(session, ())):
            told()
        if len(self._revoked) % 1000 == 0:
            alive = now - self._token_lifetime
            self._revoked = {id_: at for id_, at in self._revoked.items() if at > alive}

    def watch(self, viewer: Viewer, told: Callable[[], None]) -> None:
        """Call `told` when the viewer's session is revoked, until `unwatch`."""
        self._watchers.setdefault(viewer.session_id, set()).add(told)

    def unwatch(self, viewer: Viewer, told: Callable[[], None]) -> None:
        watchers = self._watchers.get(viewer.session_id)
        if watchers is not None:
            watchers.discard(told)
            if not watchers:
                del self._watchers[viewer.session_id]

    async def run(self, hub: Hub, memberships: Memberships) -> None:
        """Listen for revocations until cancelled, those of rights too; what was missed is read from the database."""
        while True:
            try:
                await self._follow(hub, memberships)
            except BusUnavailableError as error:
                # Each second of an outage: a traceback of it would take the loop longer than that to write.
                log.warning("revocations are not followed for the moment", error=str(error))
                await asyncio.sleep(1)
            except Exception:
                log.exception("revocations are not followed for the moment")
                await asyncio.sleep(1)

    async def _follow(self, hub: Hub, memberships: Memberships) -> None:
        topic = events.topic(events.INSTANCE, events.INSTANCE_TOPIC)
        cursor = await hub.position(topic)
        # Loaded after the position was taken: nothing falls between the two.
        await self.load()
        await memberships.any_changed()
        async with aclosing(hub.follow(topic, cursor)) as stream:
            async for item in stream:
                if isinstance(item, Gap):
                    await self.load()
                    await memberships.any_changed()
                    continue
                event = events.of_instance(item.entry.payload)
                if isinstance(event, events.SessionRevoked):
                    self.revoke(event.session_id)
                else:
                    memberships.changed(event.user_id)

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
