"""Public forms: the script, who may send, and what keeps others from sending much."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from app.forms import LARGEST_SCRIPT
from app.resources import Api
from app.settings import Settings
from app.stores import now, open_redis
from domain import form, ids
from domain.ids import Kind
from persistence.database import Database
from persistence.limits import Limiter
from tests.app.deliveries import rows
from tests.applications import client
from tests.factories import Factory, Tenant
from tests.graph.source_queries import change

PAGE = "https://www.example.com"
KEPT = {"stored": True}


class Form:
    """A form, and a visitor of a page who writes into it."""

    def __init__(self, api: Api, tenant: Tenant, key: str, source: str) -> None:
        self._api = api
        self.tenant = tenant
        self.key = key
        self.source = source

    def stamp(self, seconds: float) -> str:
        """Of a form that was opened so many seconds ago."""
        source = ids.read(Kind.SOURCE, self.source)
        assert source is not None
        return form.stamp(self._api.services.seals, source, now() - timedelta(seconds=seconds))

    async def send(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str | None = PAGE,
        opened: float = 5,
        **written: Any,
    ) -> httpx.Response:
        body = {"body": "It works.", "stamp": self.stamp(opened)} | written
        headers = {} if origin is None else {"origin": origin}
        return await http.post(f"/forms/{self.key}", json=body, headers=headers)


async def made(api: Api, factory: Factory, http: httpx.AsyncClient, **more: Any) -> Form:
    tenant = await factory.tenant()
    answer = await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="Form",
        kind="FORM",
        form={"origins": [PAGE]} | more,
    )
    return Form(api, tenant, answer["source"]["publishableKey"], answer["source"]["id"])


async def test_the_script_is_small_and_says_when_it_was_opened(
    api: Api, factory: Factory, http: httpx.AsyncClient
) -> None:
    form = await made(api, factory, http)

    response = await http.get(f"/forms/{form.key}.js")

    assert response.status_code == 200
    assert len(response.content) <= LARGEST_SCRIPT
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "__GIVEN__" not in response.text


async def test_what_a_visitor_writes_is_stored(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form = await made(api, factory, http)

    response = await form.send(
        http, rating=9, name="Ada", email="ada@example.com", page=f"{PAGE}/cart"
    )

    (row,) = await rows(database)
    assert (response.status_code, response.json()) == (202, KEPT)
    assert response.headers["access-control-allow-origin"] == PAGE
    assert ids.write(Kind.SOURCE, row["source_id"]) == form.source
    assert (row["body"], row["rating"], row["author_name"], row["author_email"]) == (
        "It works.",
        9,
        "Ada",
        "ada@example.com",
    )
    assert orjson.loads(row["metadata_text"]) == {"page": f"{PAGE}/cart"}


async def test_a_form_that_was_opened_once_is_stored_once(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form = await made(api, factory, http)
    stamp = form.stamp(5)

    responses = [await form.send(http, stamp=stamp) for _ in range(2)]

    assert [response.json() for response in responses] == [KEPT, KEPT]
    assert len(await rows(database)) == 1


async def test_the_browser_is_told_which_pages_may_send(
    api: Api, factory: Factory, http: httpx.AsyncClient
) -> None:
    form = await made(api, factory, http)

    ours, theirs = [
        await http.options(f"/forms/{form.key}", headers={"origin": origin})
        for origin in (PAGE, "https://evil.example.com")
    ]

    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == PAGE
    assert ours.headers["access-control-allow-headers"] == "content-type"
    assert theirs.status_code == 403
    assert "access-control-allow-origin" not in theirs.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "http://www.example.com", None]
)
async def test_other_pages_send_nothing(
    origin: str | None, api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form = await made(api, factory, http)

    response = await form.send(http, origin=origin)

    assert response.status_code == 403
    assert await rows(database) == []


async def test_all_pages_may_send_where_that_is_said(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form = await made(api, factory, http, origins=["*"])

    response = await form.send(http, origin="https://anybody.example.com")

    assert response.headers["access-control-allow-origin"] == "*"
    assert len(await rows(database)) == 1


async def test_before_it_is_set_nobody_may_send(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    answer = await change(
        tenant.owner, http, "createSource", workspaceId=tenant.gid, name="Form", kind="FORM"
    )
    unset = Form(api, tenant, answer["source"]["publishableKey"], answer["source"]["id"])

    response = await unset.send(http)

    assert response.status_code == 403
    assert await rows(database) == []


async def test_who_fills_in_what_nobody_sees_learns_nothing_and_stores_nothing(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form = await made(api, factory, http)

    response = await form.send(http, website="https://spam.example.com")

    assert (response.status_code, response.json()) == (202, KEPT)
    assert await rows(database) == []


@pytest.mark.parametrize(
    ("opened", "message"),
    [
        (1, "That was fast. Send it again in a moment."),
        (-60, "That was fast. Send it again in a moment."),
        (86_500, "This form was opened too long ago. Load the page again."),
    ],
)
async def test_who_writes_too_fast_or_too_late_is_refused(
    opened: float,
    message: str,
    api: Api,
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
) -> None:
    form = await made(api, factory, http)

    response = await form.send(http, opened=opened)

    assert (response.status_code, response.json()) == (400, {"error": {"message": message}})
    assert await rows(database) == []


async def test_a_stamp_of_another_form_or_of_ones_own_making_is_refused(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    form, other = await made(api, factory, http), await made(api, factory, http)
    good = form.stamp(5)

    responses = [
        await form.send(http, stamp=stamp)
        for stamp in (other.stamp(5), "B" + good[1:], good[:-2] + "-=", good[:-1], "", "x", "ä")
    ]

    assert {response.status_code for response in responses} == {400}
    assert await rows(database) == []


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"body": " "}, ["body"]),
        ({"body": 5}, ["body"]),
        ({"email": "ada"}, ["author", "email"]),
        ({"rating": 11}, ["rating"]),
        ({"rating": "5"}, ["rating"]),
    ],
)
async def test_what_cannot_be_stored_is_named(
    written: dict[str, Any],
    path: list[str],
    api: Api,
    factory: Factory,
    http: httpx.AsyncClient,
    database: Database,
) -> None:
    form = await made(api, factory, http)

    response = await form.send(http, **written)

    assert response.status_code == 400
    assert [field["path"] for field in response.json()["error"]["fields"]] == [path]
    assert response.headers["access-control-allow-origin"] == PAGE
    assert await rows(database) == []


@pytest.mark.parametrize("key", ["pk_" + "0" * 32, "pk_", "x"])
async def test_a_form_that_does_not_exist_is_not_found(key: str, http: httpx.AsyncClient) -> None:
    responses = [await http.get(f"/forms/{key}.js"), await http.post(f"/forms/{key}", json={})]

    assert [response.status_code for response in responses] == [404, 404]


@pytest.mark.parametrize(
    ("network", "another"), [("192.0.2.1", "192.0.2.2"), ("2001:db8:1::{}", "2001:db8:2::")]
)
async def test_an_address_may_send_so_often_in_an_hour(
    api: Api,
    factory: Factory,
    http: httpx.AsyncClient,
    settings: Settings,
    database: Database,
    network: str,
    another: str,
) -> None:
    form = await made(api, factory, http, perAddressPerHour=2)
    async with open_redis(settings) as redis:
        limited = replace(api, services=replace(api.services, limiter=Limiter(redis, scale=1)))
        statuses = []
        for n in range(3):
            async with client(settings, limited, address=network.format(n)) as one:
                statuses.append((await form.send(one, opened=5 + n)).status_code)
        async with client(settings, limited, address=another) as other:
            elsewhere = await form.send(other, opened=9)

    assert statuses == [202, 202, 429]
    assert elsewhere.status_code == 202
    assert len(await rows(database)) == 3
