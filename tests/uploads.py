"""What tests of files share: announcing them, sending their bytes to the real S3, and completing them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from domain import ids
from domain.ids import Kind
from persistence import file as store
from persistence.database import Database
from persistence.file import FileRow
from tests.callers import JSON, Caller
from tests.factories import Tenant

BODY = b"body,rating\nLate again.,2\n"

_FILE = "id name contentType size status reason downloadUrl"
_PROBLEM = "... on Problem { message } ... on InvalidInput { fields { path message } }"
_HEADERS = "headers { name value }"
_CREATE = f"""mutation($input: CreateUploadInput!) {{ result: createUpload(input: $input) {{
    __typename {_PROBLEM} ... on CreateUploadSuccess {{ upload {{
        method url {_HEADERS} expiresAt file {{ {_FILE} }}
        parts {{ number offset size url {_HEADERS} }}
    }} }}
}} }}"""
_COMPLETE = f"""mutation($input: CompleteUploadInput!) {{ result: completeUpload(input: $input) {{
    __typename {_PROBLEM} ... on CompleteUploadSuccess {{ file {{ {_FILE} }} job {{ id }} }}
}} }}"""


async def announce(caller: Caller, tenant: Tenant, body: bytes = BODY, **given: Any) -> JSON:
    """The answer of createUpload for these bytes, with their checksum, unless something else is given."""
    announced = {
        "workspaceId": tenant.gid,
        "name": "reviews.csv",
        "contentType": "text/csv",
        "size": len(body),
        "purpose": "IMPORT",
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return (await caller.ask(_CREATE, input=announced | given))["result"]


async def target(caller: Caller, tenant: Tenant, body: bytes = BODY, **given: Any) -> JSON:
    """Where to send these bytes."""
    answer = await announce(caller, tenant, body, **given)
    assert answer["__typename"] == "CreateUploadSuccess", answer
    return answer["upload"]


def headers(target: JSON) -> dict[str, str]:
    return {each["name"]: each["value"] for each in target["headers"]}


async def put(
    url: str, body: bytes, headers: Mapping[str, str], without: Sequence[str] = ()
) -> httpx.Response:
    """What S3 answers to whoever sends that."""
    sent = {name: value for name, value in headers.items() if name not in without}
    async with httpx.AsyncClient(timeout=60) as s3:
        return await s3.put(url, content=body, headers=sent)


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as s3:
        return await s3.get(url, headers=headers)


async def complete(caller: Caller, target: JSON) -> JSON:
    """The answer of completeUpload."""
    return (await caller.ask(_COMPLETE, input={"fileId": target["file"]["id"]}))["result"]


async def uploaded(caller: Caller, tenant: Tenant, body: bytes = BODY, **given: Any) -> JSON:
    """A file that was announced, sent and found to be right."""
    to = await target(caller, tenant, body, **given)
    assert (await put(to["url"], body, headers(to))).status_code == 200
    completed = await complete(caller, to)
    assert completed["file"]["status"] == "READY", completed
    return completed["file"]


async def row(database: Database, tenant: Tenant, file: JSON) -> FileRow:
    """A file as it is in the store."""
    id_ = ids.read(Kind.FILE, file["id"])
    assert id_ is not None
    async with database.reader() as reader:
        found = await store.in_workspace(reader, tenant.id, id_)
    assert found is not None
    return found
