"""Documents that are known before anybody asks for them."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.main import Application, create_app
from app.resources import Api
from app.settings import Settings, SettingsError
from tests.graph.watching import connected

ID = "5a1b"
TEXT = "query Named($with: Boolean!) { viewer { __typename } a: __typename @include(if: $with) }"


def with_documents(api: Api, settings: Settings, path: Path, documents: object) -> Application:
    path.write_bytes(orjson.dumps(documents))
    application = create_app(settings.model_copy(update={"trusted_documents": path}))
    application.open(api)
    return application


def caller(api: Api, settings: Settings, path: Path, documents: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(with_documents(api, settings, path, documents))
    return httpx.AsyncClient(transport=transport, base_url="http://earful.test")


@pytest.fixture
def http(api: Api, settings: Settings, tmp_path: Path) -> httpx.AsyncClient:
    return caller(api, settings, tmp_path / "documents.json", {ID: TEXT})


async def test_it_is_executed_by_its_id(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"documentId": ID, "variables": {"with": True}})

    assert answer.json()["data"] == {"viewer": None, "a": "Query"}


async def test_it_is_executed_by_its_id_over_get(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"documentId": ID, "variables": '{"with": false}'})

    assert answer.json()["data"] == {"viewer": None}


@pytest.mark.parametrize(
    ("payload", "heard"),
    [
        ({"documentId": ID}, {"data": {"viewer": None}}),
        ({"documentId": ID, "query": TEXT}, 4400),
        ({"documentId": 1}, 4400),
    ],
)
async def test_it_is_executed_by_its_id_on_a_socket(
    api: Api, settings: Settings, tmp_path: Path, payload: dict[str, Any], heard: Any
) -> None:
    application = with_documents(api, settings, tmp_path / "documents.json", {ID: TEXT})

    async with connected(application, None) as client:
        await client.say(id="1", type="subscribe", payload=payload | {"variables": {"with": False}})

        if isinstance(heard, int):
            assert (await client.ended())[0] == heard
        else:
            assert await client.hear() == {"id": "1", "type": "next", "payload": heard}


async def test_its_text_is_known_too(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": TEXT, "variables": {"with": True}})

    assert answer.json()["data"] == {"viewer": None, "a": "Query"}


async def test_an_id_that_is_not_known_is_a_request_error(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/graphql",
        json={"documentId": "other"},
        headers={"accept": "application/graphql-response+json"},
    )

    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "message": "There is no document 'other'.",
                "extensions": {"code": "BAD_REQUEST"},
            }
        ]
    }


@pytest.mark.parametrize("parameters", [{"documentId": 7}, {"documentId": ID, "query": TEXT}])
async def test_an_id_is_a_string_and_stands_alone(
    parameters: dict[str, object], http: httpx.AsyncClient
) -> None:
    answer = await http.post("/graphql", json=parameters)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == (
        "`documentId` must be a string, and `query` left out."
    )


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ({ID: "{ nothing }"}, "TRUSTED_DOCUMENTS: The trusted document '5a1b' is not valid: "),
        ([TEXT], "TRUSTED_DOCUMENTS: expected a JSON object of documents by id"),
    ],
)
def test_what_cannot_be_trusted_stops_the_start(
    documents: object, message: str, api: Api, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=message):
        caller(api, settings, tmp_path / "documents.json", documents)
