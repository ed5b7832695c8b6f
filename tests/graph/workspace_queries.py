"""What tests of workspaces ask over GraphQL."""

from typing import Any

import httpx

from tests.callers import JSON
from tests.factories import Person

PROBLEM = "__typename ... on Problem { message } ... on InvalidInput { fields { path message } }"
CREATE_SOURCE = f"""
    mutation($input: CreateSourceInput!) {{
      createSource(input: $input) {{
        {PROBLEM}
        ... on CreateSourceSuccess {{
          signingSecret source {{ id name kind provider ingestUrl lastReceivedAt }}
        }}
      }}
    }}
"""
CREATE_TAG = f"""
    mutation($input: CreateTagInput!) {{
      createTag(input: $input) {{
        {PROBLEM}
        ... on CreateTagSuccess {{ tag {{ id name color }} }}
      }}
    }}
"""


async def create_source(person: Person, http: httpx.AsyncClient, **input: Any) -> JSON:
    return (await person.on(http).ask(CREATE_SOURCE, input=input))["createSource"]


async def create_tag(person: Person, http: httpx.AsyncClient, **input: Any) -> JSON:
    return (await person.on(http).ask(CREATE_TAG, input=input))["createTag"]


def refusal(field: str, message: str) -> JSON:
    return {
        "__typename": "InvalidInput",
        "message": "Some fields are not valid.",
        "fields": [{"path": [field], "message": message}],
    }
