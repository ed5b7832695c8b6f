"""GraphQL requests over HTTP as clients send them, and how a refusal of one looks."""

import httpx

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
NOT_PROVIDED = (
    "Variable '$id' has invalid value: Expected a value of non-null type 'ID!' to be provided."
)
QUERY = "{ __typename }"


async def post(
    http: httpx.AsyncClient, body: object, *, accept: str = RESPONSE_JSON, **headers: str
) -> httpx.Response:
    return await http.post("/graphql", json=body, headers={"accept": accept} | headers)


async def send(
    http: httpx.AsyncClient, content: bytes, content_type: str = JSON, **headers: str
) -> httpx.Response:
    given = {"content-type": content_type, "accept": RESPONSE_JSON}
    return await http.post("/graphql", content=content, headers=given | headers)


def assert_refused(response: httpx.Response, status: int, message: str) -> None:
    """A request error: one message, the code, and no data."""
    assert response.status_code == status
    assert response.json() == {
        "errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]
    }
