"""What tests ask of sources over GraphQL."""

from typing import Any

import httpx

from tests.callers import JSON
from tests.factories import Person

_PROBLEM = "__typename ... on Problem { message } ... on InvalidInput { fields { path message } }"
_SOURCE = "source { id name publishableKey formScriptUrl deliveriesPerMinute settings }"
_SELECTIONS = {
    "createSource": f"signingSecret {_SOURCE}",
    "updateSource": _SOURCE,
    "rotateSourceSecret": f"signingSecret {_SOURCE}",
    "deleteSource": "sourceId job { id kind }",
    "replayQuarantined": "stored duplicates failed job { id }",
    "previewSource": "entries { feedback reason problems { path message } } count deliveryId answer",
    "submitFeedbackBatch": "stored duplicates refused results { index duplicate message"
    " feedback { id body source { id } } fields { path message } }",
}


async def change(person: Person, http: httpx.AsyncClient, mutation: str, **input: Any) -> JSON:
    """What a mutation of sources answers."""
    name = mutation[0].upper() + mutation[1:]
    query = (
        f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {_PROBLEM}"
        f" ... on {name}Success {{ {_SELECTIONS[mutation]} }} }} }}"
    )
    answer: JSON = (await person.on(http).ask(query, input=input))[mutation]
    return answer


async def look(person: Person, http: httpx.AsyncClient, source: str, selection: str) -> JSON:
    """What is selected of a source."""
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on Source {{ {selection} }} }} }}"
    answer: JSON = (await person.on(http).ask(query, id=source))["node"]
    return answer
