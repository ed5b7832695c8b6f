"""The dashboard's files: what answers for which path, and what browsers are told of it."""

import gzip
import json
import re
from pathlib import Path

import pytest

from app.resources import Api
from app.settings import Settings
from domain import roles
from tests.applications import client

PAGE = b"<!doctype html><title>Earful</title>"
SCRIPT = b"console.log('" + b"Hello! " * 100 + b"')"
ID = "0" * 64
TABLE = Path(__file__).parents[2] / "web/dashboard/src/pages/members/table.ts"


@pytest.fixture
def built(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a small dashboard."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "sw.js").write_bytes(SCRIPT)
    (tmp_path / "manifest.webmanifest").write_bytes(b"{}")
    told = {
        "paths": ["/", "/login", "/w/:slug"],
        "documents": {ID: "query Q { viewer { user { id } } }"},
    }
    (tmp_path / "server.json").write_text(json.dumps(told))
    return settings.model_copy(update={"dashboard": tmp_path})


@pytest.mark.parametrize("path", ["/", "/login", "/w/demo"])
async def test_its_pages_are_one_page(built: Settings, api: Api, path: str) -> None:
    async with client(built, api) as http:
        response = await http.get(path)

    policy = response.headers["content-security-policy"]
    assert (response.status_code, response.content) == (200, PAGE)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert f"connect-src 'self' {built.s3_endpoint_url};" in policy


@pytest.mark.parametrize(
    "path", ["/nope", "/w/demo/nope", "/w/", "/server.json", "/index.html", "/assets/nope.js"]
)
async def test_what_is_no_page_is_not_found(built: Settings, api: Api, path: str) -> None:
    async with client(built, api) as http:
        response = await http.get(path, headers={"accept": "text/html"})

    assert response.status_code == 404
    is_file = path.endswith((".json", ".html", ".js"))
    assert response.content == (b"Not Found" if is_file else PAGE)


async def test_a_file_with_a_hash_in_its_name_is_kept_for_good(built: Settings, api: Api) -> None:
    async with client(built, api) as http:
        response = await http.get("/assets/index-1a2b.js", headers={"accept-encoding": "identity"})
        again = await http.get(
            "/assets/index-1a2b.js",
            headers={"accept-encoding": "identity", "if-none-match": response.headers["etag"]},
        )

    assert (response.status_code, response.content) == (200, SCRIPT)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")


async def test_its_service_worker_is_asked_for_again_and_bound_by_the_policy(
    built: Settings, api: Api
) -> None:
    async with client(built, api) as http:
        page = await http.get("/")
        worker = await http.get("/sw.js")

    policy = worker.headers["content-security-policy"]
    assert (worker.status_code, worker.content) == (200, SCRIPT)
    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["service-worker-allowed"] == "/"
    assert policy == page.headers["content-security-policy"]
    assert "worker-src 'self';" in policy
    assert "manifest-src 'self';" in policy


async def test_its_manifest_has_the_type_that_browsers_want(built: Settings, api: Api) -> None:
    async with client(built, api) as http:
        response = await http.get("/manifest.webmanifest")

    assert response.headers["content-type"] == "application/manifest+json"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "gzip"), ("gzip;q=0", None), ("br", None), ("identity", None)],
)
async def test_a_file_is_sent_compressed_to_those_who_take_it(
    built: Settings, api: Api, accepted: str, encoding: str | None
) -> None:
    async with client(built, api) as http:
        response = await http.get("/assets/index-1a2b.js", headers={"accept-encoding": accepted})

    assert response.headers.get("content-encoding") == encoding
    assert response.content == SCRIPT


async def test_its_documents_are_trusted(built: Settings, api: Api) -> None:
    async with client(built, api) as http:
        response = await http.post("/graphql", json={"documentId": ID})

    assert response.json()["data"] == {"viewer": None}


async def test_one_that_was_built_for_another_schema_is_not_served(
    built: Settings, api: Api
) -> None:
    told = {"paths": ["/"], "documents": {ID: "query Q { whatever }"}}
    (built.dashboard / "server.json").write_text(json.dumps(told))
    async with client(built, api) as http:
        response = await http.get("/")

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


async def test_only_reading_is_for_it(built: Settings, api: Api) -> None:
    async with client(built, api) as http:
        head = await http.head("/login")
        post = await http.post("/login")

    assert (head.status_code, head.content) == (200, b"")
    assert post.status_code == 404


def test_its_table_of_roles_is_the_one_that_every_use_case_goes_by() -> None:
    shown = re.findall(r"^  (\w+): '(\w+)',$", TABLE.read_text(), re.MULTILINE)

    assert shown == [(action.name, least.name) for action, least in roles.LEAST.items()]
