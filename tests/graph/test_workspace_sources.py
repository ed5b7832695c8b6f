"""The sources of a workspace over GraphQL: listing and making them."""

import base64

import httpx
import pytest

from tests.factories import Factory
from tests.graph.workspace_queries import create_source

# Listing


async def test_sources_are_listed_with_when_they_last_brought_something(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant)
    await factory.feedback(tenant)
    ((newest,),) = await factory.rows("SELECT max(received_at) FROM feedback")

    answer = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { sources { name kind provider ingestUrl lastReceivedAt } } }'
    )

    assert answer["workspace"]["sources"] == [
        {
            "name": "API",
            "kind": "API",
            "provider": "STANDARD",
            "ingestUrl": None,
            "lastReceivedAt": None,
        },
        {
            "name": "Hook",
            "kind": "WEBHOOK",
            "provider": "STANDARD",
            "ingestUrl": f"http://127.0.0.1:8000/hooks/{tenant.source_gid}",
            "lastReceivedAt": newest.isoformat().replace("+00:00", "Z"),
        },
    ]


# Making


@pytest.mark.parametrize("role", ["ADMIN", "OWNER"])
async def test_a_webhook_source_tells_its_secret_once(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant("acme")
    member = await factory.member(tenant, role)

    answer = await create_source(member, http, workspaceId=tenant.gid, name="Shop")

    source, secret = answer["source"], answer["signingSecret"]
    assert source == {
        "id": source["id"],
        "name": "Shop",
        "kind": "WEBHOOK",
        "provider": "STANDARD",
        "ingestUrl": f"http://127.0.0.1:8000/hooks/{source['id']}",
        "lastReceivedAt": None,
    }
    prefix, _, encoded = secret.partition("_")
    raw = base64.b64decode(encoded, validate=True)
    assert (prefix, len(raw)) == ("whsec", 32)
    ((sealed,),) = await factory.rows("SELECT sealed_secret FROM source WHERE name = 'Shop'")
    assert raw not in sealed
    assert encoded.encode() not in sealed


async def test_every_source_has_a_secret_of_its_own(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answers = [
        await create_source(tenant.owner, http, workspaceId=tenant.gid, name="Shop")
        for _ in range(2)
    ]

    assert len({answer["signingSecret"] for answer in answers}) == 2
    assert len({answer["source"]["id"] for answer in answers}) == 2


@pytest.mark.parametrize("kind", ["API", "FORM", "IMPORT"])
async def test_other_kinds_of_source_have_no_secret_and_no_url(
    factory: Factory, http: httpx.AsyncClient, kind: str
) -> None:
    tenant = await factory.tenant()

    answer = await create_source(
        tenant.owner, http, workspaceId=tenant.gid, name="Other", kind=kind
    )

    assert answer["signingSecret"] is None
    assert (answer["source"]["kind"], answer["source"]["ingestUrl"]) == (kind, None)
    assert await factory.rows("SELECT sealed_secret FROM source WHERE name = 'Other'") == [(None,)]


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_who_is_no_admin_makes_no_source(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    member = await factory.member(tenant, role)

    answer = await create_source(member, http, workspaceId=tenant.gid, name="Shop")

    assert answer == {
        "__typename": "Forbidden",
        "message": f"You need the role ADMIN to manage sources; yours is {role}.",
    }
    assert await factory.rows("SELECT count(*) FROM source") == [(2,)]
