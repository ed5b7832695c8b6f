"""The upload flow: announced, sent straight to S3, checked; what is not what was announced is refused."""

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.buckets import objects
from app.resources import Api
from app.settings import Settings
from domain import file
from domain.file import Rules
from domain.file.uploading import LARGEST_IN_ONE
from persistence.database import Database
from tests.applications import client
from tests.callers import Caller
from tests.factories import Factory
from tests.uploads import BODY, announce, complete, get, headers, put, row, target, uploaded

OTHER = BODY.swapcase()
AWAY = "http://127.0.0.1:1"


async def test_a_file_is_announced_sent_and_ready(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)

    to = await target(caller, tenant)
    sent = await put(to["url"], BODY, headers(to))
    completed = await complete(caller, to)

    assert to["method"] == "PUT"
    assert to["parts"] is None
    assert sorted(headers(to)) == [
        "Content-Length",
        "Content-Type",
        "If-None-Match",
        "x-amz-checksum-sha256",
    ]
    assert to["file"] | {"id": ...} == {
        "id": ...,
        "name": "reviews.csv",
        "contentType": "text/csv",
        "size": len(BODY),
        "status": "PENDING",
        "reason": None,
        "downloadUrl": None,
    }
    assert sent.status_code == 200
    assert completed["job"] is None
    assert completed["file"]["status"] == "READY"
    assert (await get(completed["file"]["downloadUrl"])).content == BODY


async def test_the_url_works_for_a_quarter_of_an_hour(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    before = datetime.now(UTC)

    to = await target(tenant.owner.on(http), tenant)

    after = datetime.now(UTC)
    expires_at = datetime.fromisoformat(to["expiresAt"])
    assert before <= expires_at - timedelta(minutes=15) <= after
    assert "X-Amz-Expires=900&" in to["url"]


@pytest.mark.parametrize(
    ("body", "changed", "without", "status", "code"),
    [
        (BODY + b"x", {}, ["Content-Length"], 403, "SignatureDoesNotMatch"),
        (BODY[:-1], {}, ["Content-Length"], 403, "SignatureDoesNotMatch"),
        (OTHER, {}, [], 400, "BadDigest"),
        (
            OTHER,
            {"x-amz-checksum-sha256": b64encode(hashlib.sha256(OTHER).digest()).decode()},
            [],
            403,
            "SignatureDoesNotMatch",
        ),
        (BODY, {}, ["x-amz-checksum-sha256"], 403, "SignatureDoesNotMatch"),
        (BODY, {"Content-Type": "text/html"}, [], 403, "SignatureDoesNotMatch"),
        (BODY, {}, ["Content-Type"], 403, "SignatureDoesNotMatch"),
    ],
    ids=[
        "longer",
        "shorter",
        "other bytes",
        "other bytes with their checksum",
        "no checksum",
        "another type",
        "no type",
    ],
)
async def test_s3_refuses_what_was_not_announced(
    factory: Factory,
    http: httpx.AsyncClient,
    body: bytes,
    changed: dict[str, str],
    without: list[str],
    status: int,
    code: str,
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)

    refused = await put(to["url"], body, headers(to) | changed, without)

    assert (refused.status_code, code in refused.text) == (status, True), refused.text
    assert (await complete(caller, to))["__typename"] == "Conflict"
    assert (await put(to["url"], BODY, headers(to))).status_code == 200
    assert (await complete(caller, to))["file"]["status"] == "READY"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Expires=900", "X-Amz-Expires=90000"),
        ("X-Amz-SignedHeaders=content-length%3B", "X-Amz-SignedHeaders="),
        ("/files/", "/files/0"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Date=20", "X-Amz-Date=21"),
    ],
    ids=["expiry", "signed headers", "key", "signature", "date"],
)
async def test_s3_refuses_tampered_urls(
    factory: Factory, http: httpx.AsyncClient, old: str, new: str
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)
    assert to["url"].count(old) == 1

    refused = await put(to["url"].replace(old, new), BODY, headers(to))

    assert refused.status_code in {400, 403}
    assert (await complete(caller, to))["__typename"] == "Conflict"


async def test_s3_refuses_an_expired_url(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    to = await target(tenant.owner.on(http), tenant)
    stored = await row(database, tenant, to["file"])
    signer = await api.objects.signer()

    signed = signer.put(
        stored.key, size=len(BODY), content_type="text/csv", sha256=stored.sha256, seconds=1
    )

    async with asyncio.timeout(20):
        while (refused := await put(signed.url, BODY, signed.headers)).status_code != 403:
            await asyncio.sleep(0.1)
    assert "Request has expired" in refused.text


async def test_what_is_there_cannot_be_replaced(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant, sha256=None)
    await put(to["url"], BODY, headers(to))
    ready = await complete(caller, to)

    refused = await put(to["url"], OTHER, headers(to))

    assert refused.status_code == 412
    assert (await get(ready["file"]["downloadUrl"])).content == BODY


async def test_of_many_who_send_at_once_one_does(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    to = await target(tenant.owner.on(http), tenant)

    sent = await asyncio.gather(*(put(to["url"], BODY, headers(to)) for _ in range(5)))

    assert sorted(each.status_code for each in sent) == [200, 412, 412, 412, 412]


@pytest.mark.parametrize(
    "sha256",
    [hashlib.sha256(BODY).hexdigest().upper(), b64encode(hashlib.sha256(BODY).digest()).decode()],
    ids=["hex", "base64"],
)
async def test_a_checksum_is_taken_in_hex_and_in_base64(
    factory: Factory, http: httpx.AsyncClient, sha256: str
) -> None:
    tenant = await factory.tenant()

    assert await uploaded(tenant.owner.on(http), tenant, sha256=sha256)


async def test_completing_again_answers_the_same(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)
    await put(to["url"], BODY, headers(to))

    answers = await asyncio.gather(*(complete(caller, to) for _ in range(5)))
    later = await complete(caller, to)

    assert [each["file"]["status"] for each in [*answers, later]] == ["READY"] * 6


async def test_nothing_sent_is_a_conflict(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)

    answer = await complete(caller, to)

    assert answer == {
        "__typename": "Conflict",
        "message": "The bytes have not all arrived: send them first.",
    }


# What S3 lets pass, completeUpload refuses: as if the endpoint knew less of what was signed.


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (BODY + b"x", "text/csv", "26 bytes were announced, 27 were sent."),
        (BODY, "text/html", "text/csv was announced, text/html was sent."),
        (OTHER, "text/csv", "The bytes have another SHA-256 than was announced."),
    ],
    ids=["size", "type", "checksum"],
)
async def test_another_object_than_was_announced_is_rejected_and_deleted(
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
    api: Api,
    body: bytes,
    content_type: str,
    reason: str,
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)
    stored = await row(database, tenant, to["file"])
    await api.objects.put(stored.key, body, content_type)

    completed = await complete(caller, to)
    again = await complete(caller, to)

    assert completed["file"] | {"id": ...} == to["file"] | {
        "id": ...,
        "status": "REJECTED",
        "reason": reason,
    }
    assert again == completed
    assert await api.objects.find(stored.key) is None
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(0,)]


async def test_bytes_that_s3_has_no_checksum_of_are_read(
    factory: Factory, http: httpx.AsyncClient, database: Database, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)
    stored = await row(database, tenant, to["file"])
    await api.objects.put(stored.key, BODY, "text/csv")
    kept = await api.objects.find(stored.key)
    assert kept is not None
    assert kept.sha256 is None

    assert (await complete(caller, to))["file"]["status"] == "READY"


# Who and what


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb.csv"}, "name"),
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "a\\b.csv"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "fdp.\u202egpj"}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"contentType": "text/html"}, "contentType"),
        ({"contentType": "image/svg+xml", "purpose": "ATTACHMENT"}, "contentType"),
        ({"contentType": "application/pdf", "purpose": "AVATAR"}, "contentType"),
        ({"contentType": "text/csv\r\nx: y"}, "contentType"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": 25 * 2**20 + 1, "purpose": "ATTACHMENT"}, "size"),
        ({"size": 5 * 2**20 + 1, "purpose": "AVATAR", "contentType": "image/png"}, "size"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": "z" * 64}, "sha256"),
    ],
)
async def test_what_breaks_a_rule_is_named(
    factory: Factory, http: httpx.AsyncClient, given: dict[str, Any], path: str
) -> None:
    tenant = await factory.tenant()

    answer = await announce(tenant.owner.on(http), tenant, **given)

    assert answer["__typename"] == "InvalidInput"
    assert [field["path"] for field in answer["fields"]] == [[path]]
    assert await factory.rows("SELECT 1 FROM file") == []


async def test_parameters_of_a_type_are_left_out(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    to = await target(tenant.owner.on(http), tenant, contentType="Text/CSV; charset=utf-8")

    assert to["file"]["contentType"] == "text/csv"
    assert headers(to)["Content-Type"] == "text/csv"


async def test_strangers_find_no_workspace(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant, stranger = await factory.tenant(), await factory.person()

    answer = await announce(stranger.on(http), tenant)

    assert answer == {"__typename": "NotFound", "message": "There is no such workspace."}
    assert await factory.rows("SELECT 1 FROM file") == []


@pytest.mark.parametrize("purpose", ["IMPORT", "ATTACHMENT"])
async def test_viewers_upload_nothing(
    factory: Factory, http: httpx.AsyncClient, purpose: str
) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")

    answer = await announce(viewer.on(http), tenant, purpose=purpose)

    assert answer == {
        "__typename": "Forbidden",
        "message": "You need the role ANALYST to upload files; yours is VIEWER.",
    }
    assert await factory.rows("SELECT 1 FROM file") == []


async def test_viewers_upload_pictures_of_themselves(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")

    assert await target(viewer.on(http), tenant, purpose="AVATAR", contentType="image/png")


@pytest.mark.parametrize("role", ["VIEWER", "OWNER"])
async def test_only_who_announced_a_file_completes_it(
    factory: Factory, http: httpx.AsyncClient, role: str
) -> None:
    tenant = await factory.tenant()
    other = await factory.member(tenant, role)
    to = await target(tenant.owner.on(http), tenant)
    await put(to["url"], BODY, headers(to))

    answer = await complete(other.on(http), to)

    assert answer == {"__typename": "NotFound", "message": "There is no such file."}
    assert await factory.rows("SELECT status FROM file") == [("PENDING",)]


async def test_members_see_files_and_strangers_do_not(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.person()
    viewer = await factory.member(tenant, "VIEWER")
    ready = await uploaded(tenant.owner.on(http), tenant)
    query = "query($id: ID!) { node(id: $id) { ... on File { name downloadUrl } } }"

    seen = await viewer.on(http).ask(query, id=ready["id"])
    unseen = await stranger.on(http).ask(query, id=ready["id"])

    assert seen["node"]["name"] == "reviews.csv"
    assert (await get(seen["node"]["downloadUrl"])).content == BODY
    assert unseen == {"node": None}


async def test_keys_tell_nothing_and_cannot_be_guessed(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    files = [(await target(tenant.owner.on(http), tenant))["file"] for _ in range(2)]

    keys = [(await row(database, tenant, each)).key for each in files]

    assert [key.startswith(f"files/{tenant.id.hex}/") for key in keys] == [True, True]
    assert len({key.rpartition("-")[2] for key in keys}) == 2
    assert [len(key.rpartition("-")[2]) for key in keys] == [32, 32]
    assert "reviews" not in "".join(keys)


# Room


def with_quota(settings: Settings, api: Api, quota: int) -> httpx.AsyncClient:
    rules = Rules(largest_import=2**20, quota=quota)
    return client(settings, replace(api, services=replace(api.services, file_rules=rules)))


async def test_a_workspace_has_room_for_so_much_however_many_ask_at_once(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    async with with_quota(settings, api, 100) as http:
        caller = tenant.owner.on(http)

        answers = await asyncio.gather(*(announce(caller, tenant, size=30) for _ in range(10)))

    kinds = [answer["__typename"] for answer in answers]
    assert sorted(kinds) == ["CreateUploadSuccess"] * 3 + ["InvalidInput"] * 7
    refused = answers[kinds.index("InvalidInput")]
    assert refused["message"] == "The workspace's files take all the room that they may."
    assert [field["path"] for field in refused["fields"]] == [["size"]]
    assert await factory.rows("SELECT count(*) FROM file") == [(3,)]
    assert await factory.rows("SELECT file_bytes FROM workspace") == [(90,)]


async def test_what_there_is_no_room_for_is_not_begun_in_parts_either(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    rules = Rules(largest_import=LARGEST_IN_ONE + 1, quota=100)
    with_rules = replace(api, services=replace(api.services, file_rules=rules))
    async with client(settings, with_rules) as http:
        answer = await announce(tenant.owner.on(http), tenant, size=LARGEST_IN_ONE + 1)

    assert answer["message"] == "The workspace's files take all the room that they may."
    assert await api.objects.begun(f"files/{tenant.id.hex}/") == []


async def test_one_workspace_takes_no_room_from_another(
    factory: Factory, settings: Settings, api: Api
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    async with with_quota(settings, api, 100) as http:
        await target(tenant.owner.on(http), tenant, size=100)

        assert await target(other.owner.on(http), other, size=100)


async def test_nobody_signed_in_is_told_to(nobody: Caller, factory: Factory) -> None:
    tenant = await factory.tenant()
    query = "mutation($input: CreateUploadInput!) { createUpload(input: $input) { __typename } }"

    errors = await nobody.errors(
        query,
        input={
            "workspaceId": tenant.gid,
            "name": "a.csv",
            "contentType": "text/csv",
            "size": 1,
            "purpose": file.Purpose.IMPORT,
        },
    )

    assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]


# Without S3


async def test_while_s3_is_away_nothing_is_settled(
    factory: Factory, http: httpx.AsyncClient, settings: Settings, api: Api
) -> None:
    tenant = await factory.tenant()
    to = await target(tenant.owner.on(http), tenant)
    await put(to["url"], BODY, headers(to))
    query = (
        "mutation($input: CompleteUploadInput!) { completeUpload(input: $input) { __typename } }"
    )
    async with objects(settings.model_copy(update={"s3_endpoint_url": AWAY})) as away:
        services = replace(api.services, objects=away)
        async with client(settings, replace(api, services=services)) as cut_off:
            errors = await tenant.owner.on(cut_off).errors(
                query, input={"fileId": to["file"]["id"]}
            )

    later = await complete(tenant.owner.on(http), to)

    assert [(error["message"], error["extensions"]["code"]) for error in errors] == [
        ("A part of the server is away for the moment. Try again.", "INTERNAL")
    ]
    assert later["file"]["status"] == "READY"
