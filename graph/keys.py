"""API keys as requests bring them: looked up once, kept in memory for a while, forgotten when they change anywhere."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from clients.address import customer_of
from domain import api_key
from domain.api_key import Known
from domain.errors import RateLimitedError, UnauthenticatedError
from domain.viewer import Viewer
from graph.watchers import Told, Watchers
from persistence.database import Database, StoreUnavailableError
from persistence.limits import Limit, Limiter

log = structlog.get_logger(__name__)

# Of one address: so many secrets that nobody has.
FAILED_KEYS = Limit("failed-key", points=30, seconds=60)
# As long as a process that hears of no changes may let in what was revoked.
KEPT = timedelta(seconds=30)
_MOST_KEPT = 10_000
_RECORD_SECONDS = 10


@dataclass(frozen=True, slots=True)
class _Entry:
    """What was found by a secret, if anything, and when."""

    known: Known | None
    read_at: datetime


class Keys:
    """The keys that were used lately, so that a busy key's requests ask no store."""

    def __init__(self, database: Database, limiter: Limiter, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._limiter = limiter
        self._clock = clock
        # Apart, so that nobody crowds out the good ones with others.
        self._good: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bad: OrderedDict[bytes, _Entry] = OrderedDict()
        self._reading: dict[bytes, asyncio.Task[None]] = {}
        self._changes = 0
        self._watchers = Watchers()
        self._noted: dict[UUID, datetime] = {}
        self._unrecorded: dict[UUID, UUID] = {}

    async def viewer(self, secret_hash: bytes, ip: str) -> Viewer:
        """Whom a secret with this hash speaks for; UnauthenticatedError when it is not good, or not from there.

        It holds until the event loop turns: watch it before that.
        """
        while (entry := self._entry(secret_hash)) is None:
            # What was good half a minute ago is no guess.
            if secret_hash not in self._good and (
                wait := await self._limiter.wait(FAILED_KEYS, customer_of(ip), spend=False)
            ):
                raise RateLimitedError(wait)
            # Others may have looked meanwhile.
            if self._entry(secret_hash) is None:
                await asyncio.shield(self._read(secret_hash))
            if secret_hash in self._bad:
                await self._limiter.wait(FAILED_KEYS, customer_of(ip))
        if entry.known is None:
            raise UnauthenticatedError("The API key is not valid.")
        viewer = entry.known.require(self._clock(), ip)
        self._note(viewer)
        return viewer

    def watch(self, viewer: Viewer, told: Told) -> None:
        """Call `told` when something about the viewer's key has changed, until `unwatch`."""
        self._watchers.add(viewer.id, told)

    def unwatch(self, viewer: Viewer, told: Told) -> None:
        self._watchers.remove(viewer.id, told)

    def holds(self, viewer: Viewer) -> bool:
        """Whether the viewer is known to be as it was when it was let in."""
        assert viewer.key is not None  # noqa: S101 - it was found by one
        entry = self._good.get(viewer.key.secret_hash)
        return entry is not None and entry.known is not None and entry.known.viewer == viewer

    def changed(self, key: UUID) -> None:
        """Look this key up again from now on, here; the outbox tells the other processes."""
        self._changes += 1
        for secret_hash, entry in list(self._good.items()):
            if entry.known is not None and entry.known.viewer.id == key:
                del self._good[secret_hash]
        self._watchers.tell(key)

    async def any_changed(self) -> None:
        """Events were missed: it may be any key."""
        self._changes += 1
        self._good.clear()
        await self._watchers.tell_all()

    async def run(self) -> None:
        """Record the uses of keys until cancelled."""
        while True:
            await asyncio.sleep(_RECORD_SECONDS)
            await self.record()

    async def record(self) -> None:
        """Write down which keys were used; what cannot be written now is next time."""
        uses, self._unrecorded = self._unrecorded, {}
        now = self._clock()
        recent = now - api_key.USE_RESOLUTION
        self._noted = {key: at for key, at in self._noted.items() if at > recent}
        try:
            await api_key.record_uses(self._database, uses, now)
        except StoreUnavailableError:
            self._unrecorded = uses | self._unrecorded
        except Exception:
            log.exception("uses of API keys were not recorded")

    def _entry(self, secret_hash: bytes) -> _Entry | None:
        """What is known of it, if that was read lately."""
        kept = self._good if secret_hash in self._good else self._bad
        entry = kept.get(secret_hash)
        if entry is None or entry.read_at <= self._clock() - KEPT:
            return None
        kept.move_to_end(secret_hash)
        return entry

    def _read(self, secret_hash: bytes) -> "asyncio.Task[None]":
        """Looks it up, for all who ask at the same time."""
        task = self._reading.get(secret_hash)
        if task is None:
            task = asyncio.ensure_future(self._find(secret_hash))
            self._reading[secret_hash] = task
            task.add_done_callback(lambda done: self._end_reading(secret_hash, done))
        return task

    def _end_reading(self, secret_hash: bytes, task: "asyncio.Task[None]") -> None:
        del self._reading[secret_hash]
        # Whoever asked may have gone.
        if not task.cancelled():
            task.exception()

    async def _find(self, secret_hash: bytes) -> None:
        changes = None
        # What was read while something changed may be from before.
        while changes != self._changes:
            changes = self._changes
            async with self._database.reader() as reader:
                known = await api_key.find(reader, secret_hash)
        entry = _Entry(known, self._clock())
        self._good.pop(secret_hash, None)
        self._bad.pop(secret_hash, None)
        kept = self._bad if known is None else self._good
        kept[secret_hash] = entry
        if len(kept) > _MOST_KEPT:
            kept.popitem(last=False)

    def _note(self, viewer: Viewer) -> None:
        assert viewer.key is not None  # noqa: S101 - it was found by one
        now = self._clock()
        noted = self._noted.get(viewer.id)
        if noted is None or noted <= now - api_key.USE_RESOLUTION:
            self._noted[viewer.id] = now
            self._unrecorded[viewer.id] = viewer.key.workspace_id
