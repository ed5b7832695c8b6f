"""Large files: sent in parts, joined by the server, their checksum found out by a job."""

import asyncio
import hashlib
import os

import httpx
import pytest

from app.resources import Api
from domain import file
from persistence.database import Database
from tests.callers import JSON
from tests.factories import Factory
from tests.uploads import complete, get, headers, put, row, target
from tests.working import Worker

MIB = 2**20
BODY = os.urandom(MIB) * 70


async def send(to: JSON, body: bytes) -> list[int]:
    """Send every part of this body; answers S3's statuses."""
    sent = await asyncio.gather(
        *(
            put(part["url"], body[part["offset"] : part["offset"] + part["size"]], headers(part))
            for part in to["parts"]
        )
    )
    return [each.status_code for each in sent]


async def test_a_large_file_is_sent_in_parts_and_its_checksum_found_out(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)

    to = await target(caller, tenant, BODY)
    sent = await send(to, BODY)
    completed = await complete(caller, to)
    await worker.work()
    checked = await complete(caller, to)

    assert [(part["number"], part["offset"], part["size"]) for part in to["parts"]] == [
        (1, 0, 32 * MIB),
        (2, 32 * MIB, 32 * MIB),
        (3, 64 * MIB, 6 * MIB),
    ]
    assert sent == [200, 200, 200]
    assert completed["file"]["status"] == "PENDING"
    assert completed["job"] is not None
    assert (checked["file"]["status"], checked["job"]) == ("READY", None)
    got = (await get(checked["file"]["downloadUrl"])).content
    assert hashlib.sha256(got).digest() == hashlib.sha256(BODY).digest()


async def test_a_large_file_of_other_bytes_is_rejected_by_the_job(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant, BODY, sha256=hashlib.sha256(b"other").hexdigest())
    await send(to, BODY)

    await complete(caller, to)
    await worker.work()
    checked = await complete(caller, to)

    assert checked["file"]["status"] == "REJECTED"
    assert checked["file"]["reason"] == "The bytes have another SHA-256 than was announced."
    stored = await row(database, tenant, to["file"])
    assert await api.objects.find(stored.key) is None
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(0,)]


async def test_parts_that_are_missing_are_a_conflict_and_the_rest_may_come(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant, BODY, sha256=None)
    first, *rest = to["parts"]

    await send(to | {"parts": rest}, BODY)
    early = await complete(caller, to)
    await send(to | {"parts": [first]}, BODY)
    completed = await asyncio.gather(complete(caller, to), complete(caller, to))
    again = await complete(caller, to)

    assert early["__typename"] == "Conflict"
    assert "READY" in [each.get("file", {}).get("status") for each in completed]
    assert again["file"]["status"] == "READY"


@pytest.mark.parametrize(
    ("old", "new", "length"),
    [("partNumber=3", "partNumber=3", 1), ("partNumber=3", "partNumber=4", 0)],
    ids=["another size", "another number"],
)
async def test_s3_refuses_another_part_than_was_signed(
    factory: Factory, http: httpx.AsyncClient, old: str, new: str, length: int
) -> None:
    tenant = await factory.tenant()
    to = await target(tenant.owner.on(http), tenant, BODY)
    part = to["parts"][2]

    refused = await put(part["url"].replace(old, new), BODY[: part["size"] - length], {})

    assert refused.status_code == 403
    assert "SignatureDoesNotMatch" in refused.text


async def test_parts_are_signed_for_six_hours(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    to = await target(tenant.owner.on(http), tenant, size=2**31 - 1)

    assert len(to["parts"]) == 64
    assert sum(part["size"] for part in to["parts"]) == 2**31 - 1
    assert {"X-Amz-Expires=21600&" in part["url"] for part in to["parts"]} == {True}
    assert to["url"] == to["parts"][0]["url"]


async def test_sixty_four_mebibytes_are_sent_at_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    to = await target(tenant.owner.on(http), tenant, size=file.LARGEST_IN_ONE)

    assert to["parts"] is None
