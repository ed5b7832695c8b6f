"""The audits of GraphQL over HTTP that the npm package `graphql-http` makes (1.23.1, `serverAudits`), by their ids."""

import json
from typing import Any, NamedTuple

import httpx
import pytest

from tests.graph.posting import JSON, QUERY, RESPONSE_JSON

TYPE = "query Type($name: String!) { __type(name: $name) { name } }"
NAME = {"name": "sometype"}
UNKNOWN = "{ 8f31403dfe404bccbb0e835f2629c6a7 }"
UNFIT = {"query": "query CoerceFailure($id: ID!){ __typename }", "variables": {"id": None}}
NO_JSON = '{ "not a JSON'
TYPO = {"qeury": QUERY}
NAMED = {"operationName": "Query", "query": "query Query { __typename }"}


class Audit(NamedTuple):
    """A request, and what is expected of the answer where it is not None."""

    id: str
    body: Any = None
    accept: str | None = None
    status: int = 200
    method: str = "POST"
    content_type: str | None = JSON
    media: str | None = None
    without: str | None = None
    """What is no entry of the answer."""


def bad(prefix: str, parameter: str, values: tuple[Any, ...]) -> list[Audit]:
    return [
        Audit(f"{prefix}{index}", {"query": QUERY} | {parameter: value}, status=400)
        for index, value in enumerate(values)
    ]


NOT_STRINGS = ({"obj": "ect"}, 0, False, ["array"])
NOT_MAPS = ("string", 0, False, ["array"])

AUDITS = [
    # Media types
    Audit("22EB", {"query": QUERY}, RESPONSE_JSON, media=RESPONSE_JSON),
    Audit("4655", {"query": QUERY}, JSON, media=JSON),
    Audit("47DE", {"query": QUERY}, "*/*", media=JSON),
    Audit("80D8", {"query": QUERY}, media=JSON),
    Audit("82A3", {"query": QUERY}, media=f"{JSON}; charset=utf-8"),
    Audit(
        "BF61",
        {"query": '{ __type(name: "Run🏃Swim🏊") { name } }'},
        content_type="application/json; charset=utf-8",
    ),
    Audit("78D5", {"query": QUERY}),
    # Requests
    Audit("2C94", {"query": QUERY}),
    Audit("5A70", {"query": QUERY}, method="GET"),
    Audit("9C48", {"query": "mutation { __typename }"}, RESPONSE_JSON, 405, method="GET"),
    Audit("9ABE", {"query": QUERY}, status=415, content_type=None),
    Audit("03D4", {"query": QUERY}),
    Audit("A5BF", "", status=400),
    # Parameters
    Audit("423L", {"notquery": QUERY}, RESPONSE_JSON, 400),
    *bad("LKJ", "query", NOT_STRINGS),
    Audit("34A2", {"query": QUERY}, RESPONSE_JSON),
    Audit("13EE", {"query": QUERY}, JSON, without="errors"),
    *bad("6C0", "operationName", NOT_STRINGS),
    Audit("8161", NAMED, RESPONSE_JSON),
    Audit("B8B3", NAMED, JSON, without="errors"),
    *(
        Audit(f"{prefix}{index}", {"query": QUERY, parameter: None}, accept, without="errors")
        for index, parameter in enumerate(("variables", "operationName", "extensions"))
        for prefix, accept in (("94B", RESPONSE_JSON), ("022", JSON))
    ),
    *bad("476", "variables", NOT_MAPS),
    Audit("2EA1", {"query": TYPE, "variables": NAME}, RESPONSE_JSON),
    Audit("28B9", {"query": TYPE, "variables": NAME}, JSON, without="errors"),
    Audit(
        "D6D5", {"query": TYPE, "variables": NAME}, RESPONSE_JSON, method="GET", without="errors"
    ),
    Audit("6A70", {"query": TYPE, "variables": NAME}, JSON, method="GET", without="errors"),
    *bad("58B", "extensions", NOT_MAPS),
    Audit("428F", {"query": QUERY, "extensions": {"some": "value"}}, RESPONSE_JSON),
    Audit("1B7A", {"query": QUERY, "extensions": {"some": "value"}}, JSON, without="errors"),
    Audit("B6DC", NO_JSON, JSON, 400),
    Audit("BCF8", NO_JSON, JSON, 400),
    Audit("B7N8", NO_JSON, RESPONSE_JSON, 400),
    Audit("8764", TYPO, status=400),
    Audit("3E3A", TYPO, status=400),
    # Answers of application/json
    Audit("572B", {"query": "{"}, JSON),
    Audit("FDE2", {"query": UNKNOWN}, JSON),
    Audit("7B9B", UNFIT, JSON),
    # Answers of application/graphql-response+json
    Audit("865D", {"query": "{"}, RESPONSE_JSON, 400),
    Audit("556A", {"query": "{"}, RESPONSE_JSON, 400),
    Audit("D586", {"query": "{"}, RESPONSE_JSON, 400, without="data"),
    Audit("51FE", {"query": UNKNOWN}, RESPONSE_JSON, 400),
    Audit("74FF", {"query": UNKNOWN}, RESPONSE_JSON, 400),
    Audit("5E5B", {"query": UNKNOWN}, RESPONSE_JSON, 400, without="data"),
    Audit("86EE", UNFIT, RESPONSE_JSON, 400),
]


def request(http: httpx.AsyncClient, audit: Audit) -> httpx.Request:
    headers = {"accept": audit.accept, "content-type": audit.content_type}
    given = {name: value for name, value in headers.items() if value is not None}
    if audit.method == "GET":
        parameters = {k: v if isinstance(v, str) else json.dumps(v) for k, v in audit.body.items()}
        return http.build_request("GET", "/graphql", params=parameters, headers=given)
    content = audit.body if isinstance(audit.body, str) else json.dumps(audit.body)
    return http.build_request("POST", "/graphql", content=content, headers=given)


@pytest.mark.parametrize("audit", AUDITS, ids=[audit.id for audit in AUDITS])
async def test_an_audit_passes(http: httpx.AsyncClient, audit: Audit) -> None:
    del http.headers["accept"]

    response = await http.send(request(http, audit))

    assert response.status_code == audit.status
    assert audit.media is None or response.headers["content-type"].startswith(audit.media)
    assert audit.without not in json.loads(response.content.decode("utf-8"))


def test_no_audit_is_left_out() -> None:
    assert len({audit.id for audit in AUDITS}) == 61
