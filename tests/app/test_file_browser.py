"""A page in Chromium, to which both Earful and S3 are other origins, uploads a file and fetches it again."""

import asyncio
import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.buckets import origins
from app.main import create_app
from app.resources import Api
from app.settings import Settings
from tests.both_ways import BothWays
from tests.factories import Factory
from tests.graph.sockets import served
from tests.uploads import BODY, complete, headers, put, target

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 60

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

# A page of ours does all of it; each step says what the page was let know.
_PAGE = """<!doctype html><meta charset="utf-8"><title>Upload</title><script type="module">
const given = __GIVEN__, said = {}, bytes = new Blob([given.body], {type: "text/csv"});
const ask = async (query, input) => {
  const answer = await fetch(given.api, {method: "POST",
    headers: {"content-type": "application/json", authorization: `Bearer ${given.token}`},
    body: JSON.stringify({query, variables: {input}})});
  return (await answer.json()).data.result;
};
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await bytes.arrayBuffer()));
const {upload} = await ask(`mutation($input: CreateUploadInput!) { result: createUpload(input: $input) {
  ... on CreateUploadSuccess { upload { method url headers { name value } file { id } } } } }`,
  {workspaceId: given.workspace, name: "reviews.csv", contentType: bytes.type, size: bytes.size,
   purpose: "IMPORT", sha256: [...digest].map((each) => each.toString(16).padStart(2, "0")).join("")});
const headers = Object.fromEntries(upload.headers.map(({name, value}) => [name, value]));
const send = async (name, body, changed = {}, url = upload.url) => {
  try {
    const answer = await fetch(url, {method: upload.method, headers: {...headers, ...changed}, body});
    said[name] = [answer.status, answer.headers.has("etag")];
  } catch (error) { said[name] = error.name; }
};
await send("longer", given.body + "x");
await send("other bytes", given.body.toUpperCase());
await send("another type", bytes, {"Content-Type": "text/html"});
await send("tampered", bytes, {}, upload.url.replace("=900&", "=9000&"));
await send("expired", bytes, {}, given.expired);
await send("right", bytes);
await send("again", bytes);
const {file} = await ask(`mutation($input: CompleteUploadInput!) { result: completeUpload(input: $input) {
  ... on CompleteUploadSuccess { file { status downloadUrl } } } }`, {fileId: upload.file.id});
said.status = file.status;
said.fetched = await (await fetch(file.downloadUrl)).text();
await fetch("/said", {method: "POST", body: JSON.stringify(said)});
</script>"""
_SENDING = """<!doctype html><meta charset="utf-8"><title>Upload</title><script type="module">
const given = __GIVEN__;
let said;
try { said = (await fetch(given.url, {method: "PUT", headers: given.headers, body: given.body})).status; }
catch (error) { said = error.name; }
await fetch("/said", {method: "POST", body: JSON.stringify(said)});
</script>"""


@dataclass
class Site:
    """Serves one page, and takes what it says."""

    origin: str = ""
    page: str = ""
    said: "asyncio.Future[Any]" = field(default_factory=asyncio.Future)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = head.lower().partition("content-length:")[2].partition("\r\n")[0]
        sent = await reader.readexactly(int(length or 0))
        if head.startswith("POST /said"):
            self.said.set_result(json.loads(sent))
        body = self.page.encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """A site on a port of its own, and so an origin of its own."""
    serving = Site()
    server = await asyncio.start_server(serving.answer, "127.0.0.1", 0)
    serving.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield serving


async def visit(serving: Site, page: str, given: dict[str, Any], profile: Path) -> Any:
    """What the page says when Chromium shows it."""
    serving.page = page.replace("__GIVEN__", json.dumps(given))
    serving.said = asyncio.Future()
    assert CHROMIUM is not None
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        f"--user-data-dir={profile}",
        serving.origin,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS):
            return await serving.said
    finally:
        with contextlib.suppress(ProcessLookupError):
            browser.terminate()
        await browser.wait()


async def expired(api: Api) -> str:
    """An URL for such an upload that has worked for a second and does no more."""
    signed = (await api.objects.signer()).put(
        f"files/expired/{secrets.token_hex(4)}",
        size=len(BODY),
        content_type="text/csv",
        sha256=hashlib.sha256(BODY).digest(),
        seconds=1,
    )
    async with asyncio.timeout(SECONDS):
        while (await put(signed.url, BODY, signed.headers)).status_code != 403:
            await asyncio.sleep(0.1)
    return signed.url


async def test_a_page_of_another_origin_uploads_a_file_and_fetches_it(
    factory: Factory, settings: Settings, api: Api, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    async with site() as ours:
        await api.objects.allow_origins([ours.origin])
        shared = settings.model_copy(update={"cors_origins": (ours.origin,)})
        application = create_app(shared, BothWays)
        application.open(api)
        async with served(application) as address:
            given = {
                "api": f"http://{address}/graphql",
                "token": tenant.owner.token,
                "workspace": tenant.gid,
                "body": BODY.decode(),
                "expired": await expired(api),
            }

            said = await visit(ours, _PAGE, given, tmp_path)

    assert said == {
        "longer": [403, False],
        "other bytes": [400, False],
        "another type": [403, False],
        "tampered": [403, False],
        "expired": [403, False],
        "right": [200, True],
        "again": [412, False],
        "status": "READY",
        "fetched": BODY.decode(),
    }


async def test_a_page_whose_origin_the_bucket_does_not_know_sends_nothing(
    factory: Factory, http: httpx.AsyncClient, api: Api, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    to = await target(caller, tenant)
    await api.objects.allow_origins(["https://earful.example.com"])

    async with site() as theirs:
        given = {"url": to["url"], "headers": headers(to), "body": BODY.decode()}
        said = await visit(theirs, _SENDING, given, tmp_path)

    assert said == "TypeError"
    assert (await complete(caller, to))["__typename"] == "Conflict"


def test_ours_are_the_pages_of_the_server_and_those_that_are_set() -> None:
    local = Settings(port=8000, cors_origins=("https://app.example.com",))
    public = Settings(public_url="https://earful.example.com/here/")

    assert origins(local) == [
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "https://app.example.com",
    ]
    assert origins(public) == ["https://earful.example.com"]
