"""Many events in a body, packed bodies, and many bodies at once: each is answered for itself."""

import asyncio
import gzip
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import ids
from domain.ids import Kind
from persistence.database import Database
from persistence.limits import Limiter
from tests.app.deliveries import UNTOUCHED, deliver, event, post, rows, sign, traces
from tests.applications import client
from tests.factories import Factory, Tenant


def batch(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


async def packed(
    http: httpx.AsyncClient, tenant: Tenant, body: bytes, sent: bytes, encoding: str = "gzip"
) -> httpx.Response:
    """Signed as it is and sent as something else."""
    headers = sign(tenant.secret, body) | {"content-encoding": encoding}
    return await post(http, tenant.source_gid, sent, headers)


async def test_each_event_of_a_batch_has_a_result(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    body = batch(
        event(body="One."), event(rating=11), event(body="Two.", external_id="t"), b'{"type": 5}'
    )

    response = await deliver(http, tenant, body)

    stored = {row["body"]: ids.write(Kind.FEEDBACK, row["id"]) for row in await rows(database)}
    one, refused, two, misfit = response.json()["results"]
    assert response.status_code == 202
    assert one == {"status": 202, "id": stored["One."], "duplicate": False}
    assert two == {"status": 202, "id": stored["Two."], "duplicate": False}
    assert (refused["status"], refused["error"]["fields"][0]["path"]) == (400, ["data", "rating"])
    assert misfit["status"] == 400
    assert await factory.rows("SELECT raw, is_part FROM quarantined ORDER BY length(raw)") == [
        (b'{"type":5}', True),
        (orjson.dumps(orjson.loads(event(rating=11))), True),
    ]


@pytest.mark.usefixtures("kept_outbox")
async def test_a_batch_is_stored_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    body = batch(*(event(body=str(number)) for number in range(500)))

    responses = [await deliver(http, tenant, body) for _ in range(2)]

    assert [response.status_code for response in responses] == [202, 200]
    assert [len(response.json()["results"]) for response in responses] == [500, 500]
    assert {row["body"] for row in await rows(database)} == set(map(str, range(500)))
    assert await traces(database) == (500, 500, 500)


async def test_the_same_external_id_twice_in_a_batch_is_stored_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, batch(*[event(external_id="t-1")] * 3))

    statuses = sorted(result["status"] for result in response.json()["results"])
    assert (response.status_code, statuses) == (202, [200, 200, 202])
    assert len(await rows(database)) == 1


async def test_too_many_events_are_refused_together(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, batch(*[event()] * 501))

    assert response.status_code == 400
    assert response.json() == {
        "error": {"message": "A batch may have at most 500 events, has 501."}
    }
    assert await traces(database) == UNTOUCHED


async def test_a_batch_without_a_feedback_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, batch(b"1", b"{}"))

    assert response.status_code == 400
    assert [result["status"] for result in response.json()["results"]] == [400, 400]
    assert await traces(database) == UNTOUCHED


async def test_an_updated_event_changes_what_is_known(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    await deliver(http, tenant, event(external_id="t-1"), webhook_id="msg_1")
    body = event(external_id="t-1", body="Changed.").replace(b".created", b".updated")

    response = await deliver(http, tenant, body, webhook_id="msg_2")
    again = await deliver(http, tenant, body, webhook_id="msg_2")

    (row,) = await rows(database)
    assert (response.status_code, response.json()["updated"]) == (200, True)
    assert again.json() == {"duplicate": True}
    assert row["body"] == "Changed."


async def test_a_refused_body_is_kept_apart_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    body = b"\x00 no feedback \xff" + b"x" * 300_000

    for _ in range(2):
        await post(http, tenant.source_gid, b"{", sign(tenant.secret, b"{"))
    headers = sign(tenant.secret, body.decode("latin-1").encode(), webhook_id="msg_2")
    await post(http, tenant.source_gid, body.decode("latin-1").encode(), headers)

    kept = await factory.rows("SELECT length(raw), size, times FROM quarantined ORDER BY size")
    assert kept == [(1, 1, 2), (262_144, 300_016, 1)]


async def test_concurrent_deliveries_are_committed_together_and_answered_each(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    responses = await asyncio.gather(
        *(
            deliver(http, tenant, event(body=f"Text {n}", rating=n % 13), webhook_id=f"msg_{n}")
            for n in range(60)
        )
    )

    stored = {ids.write(Kind.FEEDBACK, row["id"]): row["body"] for row in await rows(database)}
    answered = {
        response.json()["id"]: f"Text {n}" for n, response in enumerate(responses) if n % 13 <= 10
    }
    assert answered == stored
    assert [r.status_code for r in responses] == [202 if n % 13 <= 10 else 400 for n in range(60)]
    ((transactions,),) = await factory.rows("SELECT count(DISTINCT received_at) FROM feedback")
    assert transactions < len(stored)


async def test_concurrent_edits_of_the_same_are_made_one_after_the_other(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    bodies = [
        event(body=str(n), external_id="t-1").replace(b".created", b".updated") for n in range(8)
    ]

    responses = await asyncio.gather(
        *(deliver(http, tenant, body, webhook_id=f"msg_{n}") for n, body in enumerate(bodies))
    )

    (row,) = await rows(database)
    revisions = await factory.rows("SELECT body FROM feedback_revision")
    assert sorted(response.status_code for response in responses) == [200] * 7 + [202]
    assert sorted([row["body"], *(body for (body,) in revisions)]) == list(map(str, range(8)))


async def test_concurrent_deliveries_to_several_sources_stay_apart(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenants = [await factory.tenant() for _ in range(3)]

    responses = await asyncio.gather(
        *(
            deliver(http, tenant, event(body=tenant.slug), webhook_id=f"msg_{n}")
            for n in range(5)
            for tenant in tenants
        )
    )

    assert {response.status_code for response in responses} == {202}
    assert sorted((row["workspace_id"], row["body"]) for row in await rows(database)) == sorted(
        (tenant.id, tenant.slug) for tenant in tenants for _ in range(5)
    )


async def test_a_packed_body_is_taken(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await packed(http, tenant, event(), gzip.compress(event()))

    assert response.status_code == 202
    assert [row["body"] for row in await rows(database)] == ["It works."]


@pytest.mark.parametrize(
    ("sent", "encoding", "status"),
    [
        (gzip.compress(b"x" * 1_048_577), "gzip", 413),
        (gzip.compress(event())[:-5], "gzip", 400),
        (gzip.compress(event()) + b"more", "gzip", 400),
        (b"no gzip", "gzip", 400),
        (event(), "br", 415),
    ],
    ids=["bomb", "cut", "longer", "none", "another"],
)
async def test_what_cannot_be_unpacked_is_refused(
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    sent: bytes,
    encoding: str,
    status: int,
) -> None:
    tenant = await factory.tenant()

    response = await packed(http, tenant, event(), sent, encoding)

    assert response.status_code == status
    assert await traces(database) == UNTOUCHED


async def test_the_events_of_a_batch_count_each(
    factory: Factory, api: Api, settings: Settings, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.change("UPDATE source SET deliveries_per_minute = 10", within=tenant)
    async with open_redis(settings) as redis:
        services = replace(api.services, limiter=Limiter(redis, scale=1))
        async with client(settings, replace(api, services=services)) as http:
            responses: list[Any] = [
                await deliver(http, tenant, batch(*[event()] * 6), webhook_id=f"msg_{n}")
                for n in range(2)
            ]

    assert [response.status_code for response in responses] == [202, 429]
    assert responses[1].headers["retry-after"] in {"12", "13"}  # it took a moment
    assert len(await rows(database)) == 6
