"""What tests of API keys ask over GraphQL."""

from typing import Any

import httpx

from tests.callers import JSON
from tests.factories import Person

PROBLEM = "__typename ... on Problem { message } ... on InvalidInput { fields { path message } }"
KEY = """
    id name prefix scopes createdAt lastUsedAt expiresAt allowedIps overlapEndsAt revokedAt createdById
"""
WHO = """
    { viewer { user { id } apiKey { id name } workspaces { id viewerRole } sessions { id } } }
"""


def _mutation(name: str, inside: str) -> str:
    kind = name[0].upper() + name[1:]
    return (
        f"mutation($input: {kind}Input!) {{ result: {name}(input: $input) {{"
        f" {PROBLEM} ... on {kind}Success {{ {inside} }} }} }}"
    )


CREATE = _mutation("createApiKey", f"secret apiKey {{ {KEY} }}")
UPDATE = _mutation("updateApiKey", f"apiKey {{ {KEY} }}")
ROTATE = _mutation("rotateApiKey", f"secret apiKey {{ {KEY} }}")
REVOKE = _mutation("revokeApiKey", f"apiKey {{ {KEY} }}")


async def change(person: Person, http: httpx.AsyncClient, mutation: str, **input: Any) -> JSON:
    return (await person.on(http).ask(mutation, input=input))["result"]
