"""A world that may be small or large, and what the operations that visit its fields may ask with."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from domain import account, ids
from domain.account import About, Client
from domain.account.mails import LIFETIMES
from domain.ids import Kind
from domain.tokens import hash_token, new_mailed_token
from graph.context import Services
from persistence import account as account_store
from tests.callers import Caller
from tests.factories import PASSWORD, POSITIVE, Factory, Person, Tenant

VARIABLES = {
    "address": "String!",
    "alerts": "[ID!]!",
    "changing": "String!",
    "resetting": "String!",
    "verifying": "String!",
    "rule": "ID!",
    "rules": "[ID!]!",
    "deliveries": "[ID!]!",
    "delivery": "ID!",
    "email": "String!",
    "entries": "[ID!]!",
    "receipts": "[ID!]!",
    "export": "ID!",
    "exports": "[ID!]!",
    "failed": "ID!",
    "feedback": "[ID!]!",
    "file": "ID!",
    "files": "[ID!]!",
    "hook": "ID!",
    "identities": "[ID!]!",
    "identity": "ID!",
    "imported": "ID!",
    "invitation": "ID!",
    "invitations": "[ID!]!",
    "first": "ID!",
    "jobs": "[ID!]!",
    "key": "ID!",
    "keys": "[ID!]!",
    "members": "[ID!]!",
    "new": "String!",
    "note": "ID!",
    "notes": "[ID!]!",
    "newcomer": "ID!",
    "place": "ID!",
    "password": "String!",
    "queued": "ID!",
    "refresh": "String!",
    "schedules": "[ID!]!",
    "sessions": "[ID!]!",
    "slug": "String!",
    "sources": "[ID!]!",
    "spare": "ID!",
    "spareNote": "ID!",
    "spareView": "ID!",
    "table": "ID!",
    "tags": "[ID!]!",
    "texts": "[String!]!",
    "users": "[ID!]!",
    "view": "ID!",
    "views": "[ID!]!",
    "webhook": "ID!",
    "webhooks": "[ID!]!",
    "workspace": "ID!",
    "workspaces": "[ID!]!",
}
"""What an operation may ask with, and of which type it is."""


@dataclass(frozen=True, slots=True)
class World:
    """One user with so many of everything: workspaces, and in each of them a feedback and a job."""

    services: Services
    factory: Factory
    first: Tenant
    owner: Person
    variables: dict[str, Any]

    async def visitor(
        self, http: httpx.AsyncClient, wanted: Collection[str] = VARIABLES.keys()
    ) -> tuple[Caller, dict[str, Any]]:
        """The owner in a session of its own, and what an operation may ask with, some of it new if it is wanted."""
        client = Client("127.0.0.1", "tests")
        async with self.services.database.transaction() as uow:
            tokens = await account.open_session(uow, self.services.policy, client, self.owner.id)
        new = tokens.refresh.text[-20:].lower().translate(_PLAIN)
        fresh: dict[str, Callable[[], Awaitable[str]]] = {
            "changing": partial(self._mailed, About.CHANGE_EMAIL, f"changed.{new}@example.com"),
            "resetting": partial(self._mailed, About.RESET_PASSWORD),
            "verifying": partial(self._mailed, About.VERIFY_EMAIL),
            "newcomer": self._newcomer,
            "identity": partial(self.factory.identity, self.owner),
            "invitation": partial(self.factory.invitation, self.first, f"guest.{new}@example.com"),
            "export": self._spare_export,
            "rule": self._spare_rule,
            "webhook": self._spare_webhook,
            "delivery": self._spare_delivery,
            "queued": partial(self.factory.job, self.first),
            "key": self._spare_key,
            "spare": partial(self.factory.spare_source, self.first),
            "spareNote": partial(
                self.factory.note, self.first, self.variables["first"], "Visited."
            ),
            "spareView": self._spare_view,
            "failed": partial(self._ended_job, "FAILED"),
            "imported": partial(self._ended_job, "SUCCEEDED", "import"),
            "table": partial(self.factory.table, self.first),
        }
        made = {name: await make() for name, make in fresh.items() if name in wanted}
        return Caller(http, tokens.access.text), self.variables | made | {
            "new": f"n{new}n",
            "address": f"{new}@example.com",
            "refresh": tokens.refresh.text,
        }

    async def _newcomer(self) -> str:
        newcomer = await self.factory.member(self.first, "VIEWER")
        return await self.factory.membership(self.first, newcomer)

    async def _ended_job(self, status: str, *kind: str) -> str:
        job = await self.factory.job(self.first, *kind)
        await self.factory.job_changed(self.first, job, status)
        return job

    # Of these the one before is taken away, for a workspace has so many at most.

    async def _spare_rule(self) -> str:
        await self.factory.change("DELETE FROM alert_rule WHERE name <> 'Much'", within=self.first)
        rule, _ = await self.factory.alert(self.first)
        await self.factory.change(
            "UPDATE alert_rule SET name = 'Visited' WHERE id = :id",
            within=self.first,
            id=ids.read(Kind.ALERT_RULE, rule),
        )
        return rule

    async def _spare_export(self) -> str:
        await self.factory.change(
            "DELETE FROM export_schedule WHERE name = 'Visited'", within=self.first
        )
        return await self.factory.export_schedule(self.first, "Visited")

    async def _spare_view(self) -> str:
        await self.factory.change(
            "DELETE FROM saved_view WHERE name = 'Visited'", within=self.first
        )
        return await self.factory.saved_view(self.first, "Visited")

    async def _spare_webhook(self) -> str:
        await self.factory.change("DELETE FROM webhook WHERE name = 'Visited'", within=self.first)
        return await self.factory.webhook(self.first, name="Visited")

    async def _spare_delivery(self) -> str:
        return await self.factory.delivery(self.first, await self._spare_webhook())

    async def _spare_key(self) -> str:
        await self.factory.change("DELETE FROM api_key WHERE name = 'spare'", within=self.first)
        return (await self.factory.api_key(self.first, name="spare")).gid

    async def _mailed(self, about: About, email: str | None = None) -> str:
        """A token as in a mail to that address, or to their own, of somebody new."""
        person, token = await self.factory.member(self.first, "VIEWER"), new_mailed_token()
        async with self.services.database.transaction() as uow:
            await account_store.add_token(
                uow,
                token_hash=hash_token(token),
                user=person.id,
                purpose=about.value,
                email=email or person.email,
                expires_at=uow.now + LIFETIMES[about],
            )
        return token


_PLAIN = str.maketrans("-_", "00")


async def world(factory: Factory, services: Services, size: int) -> World:
    owner = await factory.person()
    tenants = [await factory.tenant(owner=owner) for _ in range(size)]
    first = tenants[0]
    feedback = [
        await factory.feedback(tenant, author_name="Ada", score=POSITIVE) for tenant in tenants
    ]
    files = [
        await factory.file(tenant, feedback=said)
        for tenant, said in zip(tenants, feedback, strict=True)
    ]
    people = [owner, *[await factory.member(first, "VIEWER") for _ in range(size - 1)]]
    await factory.change(_SESSIONS, user=owner.id, size=size - 1)
    members = await factory.rows(_MEMBERS, workspace=first.id)
    sessions = await factory.rows(_OF_USER, user=owner.id)
    alerts = [
        await factory.alert(tenant, said) for tenant, said in zip(tenants, feedback, strict=True)
    ]
    webhooks = [await factory.webhook(tenant) for tenant in tenants]
    deliveries = [
        await factory.delivery(tenant, webhook, said)
        for tenant, webhook, said in zip(tenants, webhooks, feedback, strict=True)
    ]
    for tenant, delivery in zip(tenants, deliveries, strict=True):
        await factory.webhook_attempt(tenant, delivery)
    for tenant in tenants:
        await factory.quarantined(tenant)
        await factory.change(_MASKING, within=tenant, source=tenant.source_id)
        await factory.change(_REVISED, within=tenant, workspace=tenant.id)
        await factory.change(_ASSIGNED, within=tenant, workspace=tenant.id)
    notes = [
        await factory.note(tenant, said) for tenant, said in zip(tenants, feedback, strict=True)
    ]
    views = [await factory.saved_view(tenant) for tenant in tenants]
    for tenant, said in zip(tenants, feedback, strict=True):
        await factory.original(tenant, said, body="It was ada@example.com.")
    variables = {
        "deliveries": deliveries,
        "note": notes[0],
        "notes": notes,
        "view": views[0],
        "views": views,
        "webhooks": webhooks,
        "alerts": [alert for _, alert in alerts],
        "rules": [rule for rule, _ in alerts],
        "email": owner.email,
        "entries": [await factory.entry(tenant) for tenant in tenants],
        "receipts": [await factory.receipt(tenant) for tenant in tenants],
        "exports": [await factory.export_schedule(tenant) for tenant in tenants],
        "place": await factory.membership(first, owner),
        "password": PASSWORD,
        "feedback": feedback,
        "file": files[0],
        "files": files,
        "hook": first.source_gid,
        "first": feedback[0],
        "identities": [await factory.identity(owner) for _ in tenants],
        "invitations": [await factory.invitation(tenant) for tenant in tenants],
        "jobs": [await factory.job(tenant) for tenant in tenants],
        "keys": [(await factory.api_key(tenant)).gid for tenant in tenants],
        "members": [ids.write(Kind.MEMBER, id_) for (id_,) in members],
        "schedules": [await factory.schedule(tenant) for tenant in tenants],
        "sessions": [ids.write(Kind.SESSION, id_) for (id_,) in sessions],
        "slug": first.slug,
        "sources": [tenant.source_gid for tenant in tenants],
        "tags": [await factory.tag(first, f"tag {i}", feedback[0]) for i in range(size)],
        "texts": ["Late again."] * size,
        "users": [person.gid for person in people],
        "workspace": first.gid,
        "workspaces": [tenant.gid for tenant in tenants],
    }
    return World(services, factory, first, owner, variables)


_MASKING = """
    UPDATE source SET masking = '{"kinds": ["EMAIL"], "authors": false, "reversible": true}'
    WHERE id = :source
"""
_REVISED = """
    INSERT INTO feedback_revision (id, feedback_id, workspace_id, body, replaced_at)
    SELECT gen_random_uuid(), id, workspace_id, body, now() FROM feedback
    WHERE workspace_id = :workspace
"""
_ASSIGNED = """
    UPDATE feedback SET assignee_id = member.id FROM member
    WHERE member.workspace_id = feedback.workspace_id AND member.role = 'OWNER'
        AND feedback.workspace_id = :workspace
"""
_MEMBERS = "SELECT id FROM member WHERE workspace_id = :workspace"
_OF_USER = "SELECT id FROM session WHERE user_id = :user"
_SESSIONS = """
    INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at)
    SELECT gen_random_uuid(), :user, now(), now(), now() + interval '1 day'
    FROM generate_series(1, :size)
"""
