"""People, tenants and partners for tests, and any SQL within a tenant."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from domain import api_key as api_keys
from domain import ids, passwords
from domain import source as sources
from domain.ids import Kind
from domain.viewer import Viewer
from graph.context import Services
from persistence import account as account_store
from persistence import invitation as invitation_store
from persistence import source as source_store
from persistence import workspace as workspace_store
from persistence.database import Database, Record, Statement, new_id
from tests.callers import Caller

PASSWORD = "correct horse battery staple"
_PASSWORD_HASH = passwords.hash(PASSWORD)
_NUMBERS = count(1)
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an open session."""

    id: UUID
    email: str
    session_id: UUID
    token: str

    @property
    def gid(self) -> str:
        return ids.write(Kind.USER, self.id)

    def on(self, http: httpx.AsyncClient) -> Caller:
        return Caller(http, self.token)


@dataclass(frozen=True, slots=True)
class Partner:
    """Who holds an API key."""

    id: UUID
    token: str

    @property
    def gid(self) -> str:
        return ids.write(Kind.API_KEY, self.id)

    def on(self, http: httpx.AsyncClient) -> Caller:
        return Caller(http, self.token)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace with its owner and a webhook source."""

    id: UUID
    slug: str
    owner: Person
    source_id: UUID
    secret: str

    @property
    def gid(self) -> str:
        return ids.write(Kind.WORKSPACE, self.id)

    @property
    def source_gid(self) -> str:
        return ids.write(Kind.SOURCE, self.source_id)


class PeopleFactory:
    """Inserts people and what is theirs through the persistence layer, and commits them."""

    def __init__(self, database: Database, services: Services) -> None:
        self._database = database
        self._services = services

    async def person(self, email: str | None = None, name: str = "Somebody") -> Person:
        """A user, signed in."""
        email = email or f"person{next(_NUMBERS)}@example.com"
        async with self._database.transaction() as uow:
            user = await account_store.add_user(
                uow, email=email, name=name, password_hash=_PASSWORD_HASH
            )
            session = await account_store.add_session(
                uow,
                user=user.id,
                user_agent="tests",
                ip="127.0.0.1",
                expires_at=uow.now + timedelta(days=1),
            )
            token = self._services.policy.access.issue(user.id, session, uow.now).text
        return Person(user.id, email, session, token)

    async def tenant(self, slug: str | None = None, owner: Person | None = None) -> Tenant:
        """A workspace with an owner, an API source and a webhook source."""
        slug = slug or f"tenant-{next(_NUMBERS)}"
        owner = owner or await self.person()
        secret = sources.new_secret()
        async with self._database.transaction() as uow:
            workspace = await workspace_store.add(uow, name=slug.title(), slug=slug)
            await workspace_store.add_member(uow, workspace=workspace, user=owner.id, role="OWNER")
            await source_store.add(
                uow, workspace=workspace, name="API", kind="API", provider="STANDARD"
            )
            source = new_id()
            await source_store.add(
                uow,
                workspace=workspace,
                source=source,
                name="Hook",
                kind="WEBHOOK",
                provider="STANDARD",
                sealed_secret=sources.seal_secret(self._services.seals, source, secret),
            )
        return Tenant(workspace, slug, owner, source, secret)

    async def member(self, tenant: Tenant, role: str) -> Person:
        """Somebody with this role in the workspace."""
        person = await self.person()
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await workspace_store.add_member(uow, workspace=tenant.id, user=person.id, role=role)
        return person

    async def membership(self, tenant: Tenant, person: Person) -> str:
        """The id of somebody's place in the workspace, as the outside sees it."""
        ((id_,),) = await self.rows(
            "SELECT id FROM member WHERE workspace_id = :workspace AND user_id = :user",
            workspace=tenant.id,
            user=person.id,
        )
        return ids.write(Kind.MEMBER, id_)

    async def invitation(self, tenant: Tenant, email: str = "guest@example.com") -> str:
        """An invitation as a VIEWER from the workspace's owner; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await invitation_store.put(
                uow,
                workspace=tenant.id,
                email=email,
                role="VIEWER",
                invited_by=tenant.owner.id,
                expires_at=uow.now + timedelta(days=7),
            )
            await invitation_store.add_token(
                uow, token_hash=row.id.bytes, workspace=tenant.id, invitation=row.id
            )
        return ids.write(Kind.INVITATION, row.id)

    async def identity(self, person: Person, issuer: str = "https://login.example") -> str:
        """That a provider signs somebody in; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            id_ = await account_store.add_identity(
                uow, user=person.id, issuer=issuer, subject=new_id().hex, email=person.email
            )
        return ids.write(Kind.IDENTITY, id_)

    async def api_key(self, tenant: Tenant, *scopes: str, **values: Any) -> Partner:
        """A key with these scopes that the workspace's owner has made, and who holds it."""
        given = {"name": "Partner", "expires_at": None, "allowed_ips": ()} | values
        command = api_keys.CreateApiKey(tenant.id, scopes=scopes, **given)
        owner = Viewer(tenant.owner.id, tenant.owner.session_id, NOON)
        async with self._database.transaction() as uow:
            made = await api_keys.create(uow, owner, command)
        return Partner(made.api_key.id, made.secret)

    async def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the store holds: the rows that a SELECT finds in all workspaces."""
        async with self._database.reader() as reader:
            return [
                tuple(row.values())
                for row in await reader.fetch(Statement(text(sql), Record), **values)
            ]

    async def change(self, sql: str, *, within: Tenant | None = None, **values: Any) -> int:
        """Make time pass or rows appear as no use case would; answers how many rows were touched."""
        async with self._database.transaction() as uow:
            if within is not None:
                await uow.enter(within.id)
            return await uow.execute(Statement(text(sql), Record), **values)
