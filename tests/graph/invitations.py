"""Who invites, and what was mailed, for the tests of invitations."""

from typing import Any

from tests.callers import JSON, Caller
from tests.factories import Factory, Person, Tenant
from tests.graph.account_queries import change, mailed
from tests.working import Worker

LETTER = "You are invited to a workspace"
INVITED = "invitation { id email role invitedBy { id } }"
JOINED = "workspace { slug viewerRole } user { id email emailVerified } tokens { accessToken refreshToken }"
GONE = {
    "__typename": "InvalidCredentials",
    "message": "This invitation is not valid any more. Ask for a new one.",
}
NAME, PASSWORD = "Grace", "another good password"


async def fresh(factory: Factory, tenant: Tenant, role: str) -> Person:
    """Somebody with this role whose address is proven."""
    person = await factory.member(tenant, role)
    await factory.change('UPDATE "user" SET email_verified_at = now() WHERE id = :id', id=person.id)
    return person


async def inviter(factory: Factory, role: str = "ADMIN") -> tuple[Tenant, Person]:
    """A workspace, and such a member of it."""
    tenant = await factory.tenant()
    return tenant, await fresh(factory, tenant, role)


async def invite(
    caller: Caller, tenant: Tenant, email: str = "guest@example.com", role: str = "VIEWER"
) -> JSON:
    return await change(
        caller, "inviteMember", INVITED, workspaceId=tenant.gid, email=email, role=role
    )


async def accept(caller: Caller, token: str, **input: Any) -> JSON:
    return await change(caller, "acceptInvitation", JOINED, token=token, **input)


async def letters(worker: Worker) -> list[tuple[str, str]]:
    """To whom invitations went by now, and the tokens in them."""
    return await mailed(worker, LETTER)


async def token_for(worker: Worker) -> str:
    """The token in the latest invitation."""
    return (await letters(worker))[-1][1]


async def invitations(factory: Factory) -> list[tuple[Any, ...]]:
    return await factory.rows("SELECT i::text FROM invitation i ORDER BY id")
