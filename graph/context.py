"""What a resolver may use: who asks, the stores, and the services of the process."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry

from clients.address import customer_of
from domain import account, file, webhook
from domain.account import Client, SessionPolicy
from domain.errors import DomainError, RateLimitedError, UnauthenticatedError
from domain.models import Library
from domain.seals import Seals
from domain.sentiment import Scorer
from domain.submission import Submissions
from domain.viewer import Viewer
from graph.caching import Cache, Slot
from graph.engine import Outline
from graph.fields import Batches
from graph.keys import Keys
from graph.live.hub import Hub
from graph.memberships import Memberships
from graph.sessions import Sessions
from graph.webhook_payload import Payloads
from persistence.credit import Purse
from persistence.database import Database, Reader, UnitOfWork
from persistence.limits import Limit, Limiter
from persistence.metering import Meter, Meters
from persistence.objects import Objects
from persistence.replica import Replica

POINTS = Limit("points", points=1_000_000, seconds=60)
ANONYMOUS_POINTS = Limit("anonymous-points", points=100_000, seconds=60)
"""What the operations of a caller may cost, in points; of those who have not signed in by their address."""

PENDING_COOKIE = "earful_pending"
LINK_COOKIE = "earful_link"


@dataclass(frozen=True, slots=True)
class Services:
    """What one process has once and every request shares."""

    database: Database
    hub: Hub
    limiter: Limiter
    scorer: Scorer
    models: Library
    seals: Seals
    sessions: Sessions
    keys: Keys
    memberships: Memberships
    policy: SessionPolicy
    clock: Callable[[], datetime]
    base_url: str
    secure_cookies: bool
    operation_seconds: float
    operators: frozenset[str]
    payloads: Payloads
    webhook_rules: webhook.Rules
    objects: Objects
    file_rules: file.Rules
    identity_providers: Sequence[account.IdentityProvider]
    submissions: Submissions = field(default_factory=Submissions)
    replica: Replica | None = None
    cache: Cache | None = None
    meters: Meters = field(default_factory=Meters)


@dataclass(slots=True)
class Cookie:
    """A cookie to be set, or with `value` None to be deleted."""

    name: str
    value: str | None
    expires_at: datetime | None = None


@dataclass(slots=True)
class Context:
    """One operation's view of the world; each event of a subscription gets a fresh one."""

    services: Services
    client: Client
    viewer_or_none: Viewer | None = None
    refused: DomainError | None = None
    """Why the token that came leaves nobody signed in."""
    key_secret: str | None = None
    """Of an API key that has still to be looked up."""
    refresh_cookie: str | None = None
    is_secure: bool = False
    """Whether the request came over https."""
    pending_cookie: str | None = None
    """Of who was signed in by a provider, and has still to give a code."""
    set_cookies: Sequence[Cookie] = ()
    _purse: Purse | None = None
    _batches: Batches | None = None
    _meter: Meter | None = None
    _replica: Replica | None = None
    """What is read from in place of the primary."""
    _slot: Slot | None = None
    """Where the answer is kept for others."""

    @property
    def batches(self) -> Batches:
        """What graphql-core has asked of batch resolvers, where it executes the operation."""
        if self._batches is None:
            self._batches = Batches()
        return self._batches

    @property
    def viewer(self) -> Viewer:
        """Who is signed in; UnauthenticatedError when nobody is."""
        if self.viewer_or_none is None:
            raise self.refused or UnauthenticatedError("Sign in first.")
        return self.viewer_or_none

    @property
    def caller_kind(self) -> str:
        """What kind of caller it is, and not who."""
        viewer = self.viewer_or_none
        if viewer is None:
            return "nobody"
        return "person" if viewer.key is None else "api_key"

    @property
    def reads_aside(self) -> bool:
        """Whether queries may be answered by something else than the primary."""
        return self.services.replica is not None or self.services.cache is not None

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        return (self._replica or self.services.database).joint_reader(self.meter)

    @property
    def meter(self) -> Meter:
        """How much the operation has read."""
        if self._meter is None:
            self._meter = self.services.meters.meter()
        return self._meter

    async def read_replica(self) -> None:
        """Read from the replica from here on, if there is one that has what the caller has written."""
        replica = self.services.replica
        if replica is not None and await replica.is_new_enough(self._names):
            self._replica = replica

    async def kept(self, question: Mapping[str, Any], seconds: int) -> Slot | None:
        """Where the response cache has the answer, or is to have it; None where there is no such place."""
        if self.services.cache is not None and self.viewer_or_none is not None:
            self._slot = await self.services.cache.slot(self.viewer_or_none, question, seconds)
        return self._slot

    async def tells_of(self, workspace: UUID) -> None:
        """The answer tells of this workspace, as it is from now on."""
        if self._slot is not None:
            await self._slot.about(workspace)

    async def see_no_older(self) -> None:
        """What the caller reads from now on is to be as new as it is now."""
        if self.services.replica is not None:
            await self.services.replica.mark(self._names[0])
        if self.services.cache is not None and self.viewer_or_none is not None:
            await self.services.cache.changed(self.viewer_or_none)

    @property
    def _names(self) -> list[str]:
        """What tells the caller from others: who has signed in a moment ago was known by the address alone."""
        viewer, address = self.viewer_or_none, customer_of(self.client.ip)
        return [address] if viewer is None else [viewer.id.hex, address]

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self.services.database.transaction()

    async def is_operator(self, reader: Reader) -> bool:
        """Whether the caller operates this server."""
        return await account.is_operator(reader, self.viewer, self.services.operators)

    async def spend(self, limit: Limit, caller: str, *, cost: int = 1) -> None:
        """Count towards a rate limit; RateLimitedError when it is used up. Addresses count by whose they are."""
        if wait := await self.services.limiter.wait(limit, customer_of(caller), cost=cost):
            raise RateLimitedError(wait)

    @property
    def purse(self) -> Purse:
        """Whose points the caller's operations cost: its own or, signed in or not at all, its address's."""
        if self._purse is None:
            viewer, limiter = self.viewer_or_none, self.services.limiter
            self._purse = (
                limiter.purse(ANONYMOUS_POINTS, customer_of(self.client.ip))
                if viewer is None
                else limiter.purse(POINTS, viewer.id.hex)
            )
        return self._purse

    @property
    def is_spent(self) -> bool:
        """Whether the caller has no points left, as far as this process knows."""
        return self.purse.known().left <= 0

    async def spend_points(self, points: int) -> None:
        """Count what an operation costs; RateLimitedError when the caller has spent all."""
        if wait := await self.purse.charge(points):
            raise RateLimitedError(wait)

    def renewed(self) -> Self:
        """The same caller with nothing remembered, for the next event of a subscription."""
        return replace(
            self,
            _purse=None,
            _batches=None,
            _meter=None,
            _replica=None,
            _slot=None,
            set_cookies=(),
        )


class Info(strawberry.Info[Context, None]):
    """What a resolver is told. The engine passes an Info of its own that has these four and no more."""

    def columns(self, type_name: str, *path: str) -> frozenset[str] | None:  # noqa: ARG002
        """Which attributes of such objects the operation looks at; None, as here, when it may be any."""
        return None

    def columns_at_once(self, type_name: str, *path: str) -> frozenset[str] | None:  # noqa: ARG002
        """The same, but None too where some of it is deferred."""
        return None

    def outline(self, *names: str) -> Outline | None:  # noqa: ARG002
        """What is selected of the field's objects, or of one field of theirs, where they may be answered written."""
        return None

    def weigh(self, weight: int) -> None:
        """Count what is answered written, which here nothing is."""
