"""Callers of the API, as tests see them."""

from dataclasses import dataclass, replace
from typing import Any

import httpx

JSON = Any


@dataclass(frozen=True, slots=True)
class Caller:
    """Speaks GraphQL to the application, as somebody or as nobody."""

    http: httpx.AsyncClient
    token: str | None = None

    def signed_in(self, token: str) -> "Caller":
        return replace(self, token=token)

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        """The HTTP response to an operation."""
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        return await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )

    async def ask(self, query: str, **variables: Any) -> JSON:
        """The data of an operation that must have no errors."""
        body = (await self.post(query, **variables)).json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def errors(self, query: str, **variables: Any) -> list[JSON]:
        """The errors of an operation that must have some."""
        errors: list[JSON] = (await self.post(query, **variables)).json()["errors"]
        return errors
