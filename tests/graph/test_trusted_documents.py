"""Documents that are known before anybody asks for them."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import parse

from app.main import Application, create_app
from app.resources import Api
from app.settings import Settings, SettingsError
from graph.engine import Engine
from graph.engine.plan import MOST_WARM
from graph.schema import schema
from graph.shape import MOST_TOKENS
from tests.graph.watching import connected

APOLLO = "apollo-persisted-query-manifest"
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


@pytest.mark.parametrize("name", ["documentId", "id", "doc_id"])
@pytest.mark.parametrize("prefix", ["", "sha256:"])
async def test_it_is_known_by_what_clients_call_an_id(
    http: httpx.AsyncClient, name: str, prefix: str
) -> None:
    asked = {name: prefix + ID}
    posted = await http.post("/graphql", json=asked | {"variables": {"with": False}})
    got = await http.get("/graphql", params=asked | {"variables": '{"with": false}'})

    assert [posted.json()["data"], got.json()["data"]] == [{"viewer": None}] * 2


async def test_an_id_beside_a_text_is_the_clients_own(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"id": "its own", "query": "{ __typename }"})

    assert answer.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("prefix", ["", "sha256:"])
async def test_it_is_known_by_its_hash(
    api: Api, settings: Settings, tmp_path: Path, prefix: str
) -> None:
    sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    strict = settings.model_copy(update={"persisted_queries": 0})
    async with caller(api, strict, tmp_path / "documents.json", {prefix + sha256: TEXT}) as http:
        answer = await http.post(
            "/graphql", json={"extensions": persisted, "variables": {"with": False}}
        )

    assert answer.json()["data"] == {"viewer": None}


UNTRUSTED = [
    {
        "message": "This server executes trusted documents only: send the id of one.",
        "extensions": {"code": "DOCUMENT_NOT_TRUSTED"},
    }
]


async def test_others_are_refused_where_that_is_set(
    api: Api, settings: Settings, tmp_path: Path
) -> None:
    strict = settings.model_copy(update={"only_trusted_documents": True})
    application = with_documents(api, strict, tmp_path / "documents.json", {ID: TEXT})
    transport = httpx.ASGITransport(application)
    other = "query Other { __typename }"
    sha256 = hashlib.sha256(other.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        refused = [
            (await http.post("/graphql", json={"query": text} | more)).json()
            for text, more in (
                (other, {}),
                ("{", {}),
                ("{ __schema { queryType { name } } }", {}),
                (other, {"extensions": persisted}),
            )
        ]
        unregistered = await http.post("/graphql", json={"extensions": persisted})
        trusted = [
            (await http.post("/graphql", json=asked | {"variables": {"with": False}})).json()
            for asked in ({"documentId": ID}, {"query": TEXT})
        ]
    async with connected(application, None) as client:
        await client.say(id="1", type="subscribe", payload={"query": other})
        heard = await client.hear()

    assert refused == [{"errors": UNTRUSTED}] * 4
    assert heard == {"id": "1", "type": "error", "payload": UNTRUSTED}
    (error,) = unregistered.json()["errors"]
    assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert [answer["data"] for answer in trusted] == [{"viewer": None}] * 2


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
        (
            {ID: "{ ...F } fragment F on Query { ...F }"},
            "TRUSTED_DOCUMENTS: The trusted document '5a1b' is not valid: Cannot spread fragment",
        ),
        ([TEXT], "TRUSTED_DOCUMENTS: expected a JSON object of documents by id"),
        ({ID: 1}, "TRUSTED_DOCUMENTS: expected a JSON object of documents by id"),
        ({ID: "{"}, "TRUSTED_DOCUMENTS: The trusted document '5a1b' is not valid: Syntax Error"),
        ({"format": APOLLO, "version": 2}, "expected version 1 of Apollo's manifest"),
        ({"format": APOLLO, "version": 1}, "expected `operations` with an `id` and a `body` each"),
        (
            {"format": APOLLO, "version": 1, "operations": [{"id": "a"}]},
            "expected `operations` with an `id` and a `body` each",
        ),
    ],
)
def test_what_cannot_be_trusted_stops_the_start(
    documents: object, message: str, api: Api, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=message):
        caller(api, settings, tmp_path / "documents.json", documents)


async def test_a_folder_has_manifests_of_all_kinds(
    api: Api, settings: Settings, tmp_path: Path
) -> None:
    relay, apollo, ours = "query Relay { a: __typename }", "query Apollo { b: __typename }", TEXT
    (tmp_path / "deep").mkdir()
    (tmp_path / "relay.json").write_bytes(orjson.dumps({"1": relay, ID: ours}))
    entry = {"id": "2", "name": "Apollo", "type": "query", "body": apollo}
    manifest = {"format": APOLLO, "version": 1, "operations": [entry]}
    (tmp_path / "deep" / "apollo.json").write_bytes(orjson.dumps(manifest))
    application = create_app(settings.model_copy(update={"trusted_documents": tmp_path}))
    application.open(api)
    transport = httpx.ASGITransport(application)

    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        answers = [
            (await http.post("/graphql", json={"documentId": id_})).json()["data"]
            for id_ in ("1", "2")
        ]

    assert answers == [{"a": "Query"}, {"b": "Query"}]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "TRUSTED_DOCUMENTS: there is no manifest"),
        ({"a.json": {ID: TEXT}, "b.json": {ID: "{ __typename }"}}, "another document has the id"),
    ],
)
def test_a_folder_that_cannot_be_trusted_stops_the_start(
    api: Api, settings: Settings, tmp_path: Path, files: dict[str, object], message: str
) -> None:
    for name, manifest in files.items():
        (tmp_path / name).write_bytes(orjson.dumps(manifest))
    application = create_app(settings.model_copy(update={"trusted_documents": tmp_path}))

    with pytest.raises(SettingsError, match=message):
        application.open(api)


def test_what_is_compiled_at_start_is_bounded() -> None:
    """Each level of `nodes` may be of every type, and each of these leads on."""
    engine = Engine(schema._schema)
    spreads = " ".join(
        f"... on {type_.name} {{ id }}"
        for type_ in schema._schema.get_possible_types(schema._schema.type_map["Node"])  # type: ignore[arg-type]
    )
    aliases = " ".join(f'n{i}: node(id: "{i}") {{ {spreads} }}' for i in range(40))
    plan = engine.plan(parse(f"{{ {aliases} }}"))

    assert plan.warm(100) == 100
    assert plan.warm(0) == 0
    assert plan.warm() <= MOST_WARM


async def test_beyond_what_is_compiled_at_start_documents_are_executed_all_the_same(
    api: Api, settings: Settings, tmp_path: Path
) -> None:
    aliases = " ".join(f'n{i}: node(id: "x") {{ id }}' for i in range(40))
    texts = {str(i): f"query Q{i} {{ {aliases} }}" for i in range(20)}
    async with caller(api, settings, tmp_path / "documents.json", texts) as http:
        answer = await http.post("/graphql", json={"documentId": "19"})

    assert answer.json()["data"] == {f"n{i}": None for i in range(40)}


async def test_one_may_be_longer_than_what_strangers_may_send(
    api: Api, settings: Settings, tmp_path: Path
) -> None:
    text = 'query Q { node(id: "x") { ... on Node {' + " id" * (MOST_TOKENS + 1) + " } } }"
    async with caller(api, settings, tmp_path / "documents.json", {"1": text}) as http:
        answer = await http.post("/graphql", json={"documentId": "1"})

    assert answer.json()["data"] == {"node": None}
