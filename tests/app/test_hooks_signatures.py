"""Who may send inbound webhooks: only a source that signs, with its own secret and in time."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain import ids
from domain.ids import Kind
from persistence import source as source_store
from persistence.database import Database, new_id
from tests.app.deliveries import UNTOUCHED, deliver, event, post, rows, sign, traces
from tests.factories import Factory


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_missing_header_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, missing: str
) -> None:
    tenant = await factory.tenant()
    headers = sign(tenant.secret, event())
    del headers[missing]

    response = await post(http, tenant.source_gid, event(), headers)

    assert response.status_code == 401
    assert response.json() == {
        "error": {"message": "Webhook-id, webhook-timestamp and webhook-signature are required."}
    }
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize(
    "signature",
    ["v1,", "v1,AAAA", "v1,not base64!", "v2,{good}", "v1a,{good}", "{good}", "v1,{good}=", "ä"],
)
async def test_a_bad_signature_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, signature: str
) -> None:
    tenant = await factory.tenant()
    headers = sign(tenant.secret, event())
    good = headers["webhook-signature"].removeprefix("v1,")

    response = await http.post(
        f"/hooks/{tenant.source_gid}",
        content=event(),
        headers=[
            (b"webhook-id", headers["webhook-id"].encode()),
            (b"webhook-timestamp", headers["webhook-timestamp"].encode()),
            (b"webhook-signature", signature.format(good=good).encode()),
        ],
    )

    assert response.status_code == 401
    assert response.json() == {"error": {"message": "Webhook-signature does not match."}}
    assert await traces(database) == UNTOUCHED


async def test_another_sources_secret_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()

    response = await post(http, tenant.source_gid, event(), sign(other.secret, event()))

    assert response.status_code == 401
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize("minutes", [-6, 6], ids=["stale", "future"])
async def test_a_time_more_than_five_minutes_away_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, minutes: int
) -> None:
    tenant = await factory.tenant()
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    response = await deliver(http, tenant, event(), at=at)

    assert response.status_code == 401
    assert response.json() == {
        "error": {"message": "Webhook-timestamp is more than five minutes away."}
    }
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize("minutes", [-4, 4])
async def test_a_time_within_five_minutes_is_taken(
    factory: Factory, http: httpx.AsyncClient, database: Database, minutes: int
) -> None:
    tenant = await factory.tenant()

    response = await deliver(
        http, tenant, event(), at=datetime.now(UTC) + timedelta(minutes=minutes)
    )

    assert response.status_code == 202
    assert len(await rows(database)) == 1


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1e9", "1781517600.5", "9" * 13])
async def test_a_timestamp_that_is_none_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database, timestamp: str
) -> None:
    tenant = await factory.tenant()
    headers = sign(tenant.secret, event()) | {"webhook-timestamp": timestamp}

    response = await post(http, tenant.source_gid, event(), headers)

    assert response.status_code == 401
    assert await traces(database) == UNTOUCHED


async def test_one_right_signature_among_several_is_enough(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    headers = sign(tenant.secret, event())
    wrong = sign(other.secret, event())["webhook-signature"]
    headers["webhook-signature"] = f"v1a,abc {wrong} {headers['webhook-signature']} v1,"

    response = await post(http, tenant.source_gid, event(), headers)

    assert response.status_code == 202
    assert len(await rows(database)) == 1


async def test_a_flipped_bit_is_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    body = event()
    flipped = body[:-4] + bytes([body[-4] ^ 1]) + body[-3:]

    response = await post(http, tenant.source_gid, flipped, sign(tenant.secret, body))

    assert response.status_code == 401
    assert await traces(database) == UNTOUCHED


async def test_a_signature_is_of_its_delivery(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    headers = sign(tenant.secret, event()) | {"webhook-id": "msg_2"}

    response = await post(http, tenant.source_gid, event(), headers)

    assert response.status_code == 401
    assert await traces(database) == UNTOUCHED


async def test_a_webhook_id_of_any_length_is_not_kept(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    response = await deliver(http, tenant, event(), webhook_id="m" * 257)

    assert response.status_code == 401
    assert response.json() == {"error": {"message": "Webhook-id is not usable."}}
    assert await traces(database) == UNTOUCHED


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x",
        "source_",
        "source_0",
        "source_" + "0" * 32,
        "source_" + "G" * 32,
        "workspace_" + "0" * 32,
        "source_" + "0" * 32 + "/",
    ],
)
async def test_an_unknown_source_is_not_found(
    factory: Factory, http: httpx.AsyncClient, database: Database, source: str
) -> None:
    tenant = await factory.tenant()
    headers = sign(tenant.secret, event())
    url = httpx.URL("http://earful.test").copy_with(raw_path=f"/hooks/{source}".encode())

    response = await http.post(url, content=event(), headers=headers)

    assert response.status_code == 404
    assert response.json() == {"error": {"message": "There is no such source."}}
    assert await traces(database) == UNTOUCHED


async def test_a_source_that_signs_nothing_is_not_found(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    source = new_id()
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await source_store.add(
            uow, workspace=tenant.id, source=source, name="Api", kind="API", provider="STANDARD"
        )

    response = await post(
        http, ids.write(Kind.SOURCE, source), event(), sign(tenant.secret, event())
    )

    assert response.status_code == 404
    assert await traces(database) == UNTOUCHED
