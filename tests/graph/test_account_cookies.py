"""Accounts over GraphQL: what a foreign page can do with a visitor's cookies, which is nothing."""

from urllib.parse import urlencode

import orjson
import pytest

from tests.callers import Caller
from tests.factories import PASSWORD, Factory
from tests.graph.account_queries import LOGIN

RENAME = 'mutation { updateProfile(input: {name: "Mallory"}) { __typename } }'
BODY = orjson.dumps({"query": RENAME})


@pytest.fixture
async def browser(nobody: Caller, factory: Factory) -> Caller:
    """Ada's browser: all that it holds is cookies."""
    person = await factory.person(name="Ada")
    await nobody.post(LOGIN, input={"email": person.email, "password": PASSWORD, "cookies": True})
    return nobody


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (BODY, {"content-type": "text/plain"}),
        (BODY, {"content-type": "text/plain; charset=application/json"}),
        (BODY, {"content-type": "application/x-www-form-urlencoded"}),
        (
            urlencode({"query": RENAME}).encode(),
            {"content-type": "application/x-www-form-urlencoded"},
        ),
        (BODY, {"content-type": "multipart/form-data; boundary=application/json"}),
        (BODY, {}),
    ],
)
async def test_what_a_form_can_send_is_refused(
    browser: Caller, factory: Factory, content: bytes, headers: dict[str, str]
) -> None:
    origin = {"origin": "https://evil.example"}

    response = await browser.http.post("/graphql", content=content, headers=headers | origin)

    assert response.status_code == 415
    assert await factory.rows('SELECT name FROM "user"') == [("Ada",)]


async def test_what_a_link_can_send_changes_nothing(browser: Caller, factory: Factory) -> None:
    response = await browser.http.get("/graphql", params={"query": RENAME})

    assert response.status_code == 405
    assert await factory.rows('SELECT name FROM "user"') == [("Ada",)]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_no_other_method_executes_anything(
    browser: Caller, factory: Factory, method: str
) -> None:
    response = await browser.http.request(
        method, "/graphql", content=BODY, headers={"content-type": "application/json"}
    )

    assert response.status_code == 405
    assert await factory.rows('SELECT name FROM "user"') == [("Ada",)]


async def test_a_foreign_page_is_never_allowed_to_send_json(browser: Caller) -> None:
    """The preflight that browsers send before: without its consent they send nothing."""
    asked = {
        "origin": "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }

    preflight = await browser.http.options("/graphql", headers=asked)
    plain = await browser.http.get(
        "/graphql", params={"query": "{ viewer { user { id } } }"}, headers=asked
    )

    for response in (preflight, plain):
        assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_a_page_of_ours_changes_things(browser: Caller, factory: Factory) -> None:
    response = await browser.http.post(
        "/graphql", content=BODY, headers={"content-type": "application/json"}
    )

    assert response.json()["data"] == {"updateProfile": {"__typename": "UpdateProfileSuccess"}}
    assert await factory.rows('SELECT name FROM "user"') == [("Mallory",)]


@pytest.mark.parametrize(
    "beside",
    [
        "a b=c",
        "theirs={[,]}",
        'theirs="' + "\\\\" * 10_000 + '"',
        "=; ;;",
        "theirs=\xff",
        "x" * 10_000,
    ],
)
async def test_ours_are_read_whatever_stands_beside_them(browser: Caller, beside: str) -> None:
    ours = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    browser.http.cookies.clear()
    body = orjson.dumps({"query": "{ viewer { user { name } } }"})

    response = await browser.http.post(
        "/graphql",
        content=body,
        headers=[
            (b"content-type", b"application/json"),
            (b"cookie", f"{beside}; {ours};{beside}".encode("latin-1")),
        ],
    )

    assert response.json()["data"] == {"viewer": {"user": {"name": "Ada"}}}
