"""What a body would become, by a provider's meaning or a mapping, before anything is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from domain import receiving, source_settings
from domain import workspace as workspaces
from domain.checks import Checks
from domain.provider import PROVIDERS, Heard, Unheard
from domain.provider.generic import check_mapping
from domain.roles import Action
from domain.viewer import Viewer
from persistence.database import UnitOfWork

LARGEST_SAMPLE = 262_144
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PreviewSource:
    """`mapping` is for GENERIC, the others have their own."""

    workspace_id: UUID
    provider: str
    mapping: Mapping[str, str] | None
    body: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The first entries of a body, how many there are, the sender's id of it, and what it would be answered."""

    entries: Sequence[Heard | Unheard]
    count: int
    delivery: str | None
    answer: str | None


async def preview(uow: UnitOfWork, viewer: Viewer, command: PreviewSource) -> Preview:
    """Read a sample as if a webhook had brought it; nothing is stored."""
    await workspaces.enter(uow, viewer, command.workspace_id, Action.MANAGE_SOURCES)
    checks = Checks()
    checks.text(command.body, "body", longest=LARGEST_SAMPLE, required=True)
    if command.provider == "GENERIC" and command.mapping is None:
        checks.refuse(["mapping"], "is required for GENERIC")
    elif command.provider != "GENERIC" and command.mapping is not None:
        checks.refuse(["mapping"], "is for GENERIC only")
    if command.mapping is not None:
        check_mapping(command.mapping, checks, "mapping")
    checks.done()
    settings = orjson.loads(source_settings.Generic(command.mapping or {}).to_json())
    reading = PROVIDERS[command.provider].read(command.body.encode(), settings)
    shown = [receiving.looked_at(entry, uow.now) for entry in reading.entries[:MOST_SHOWN]]
    answer = None if reading.answer is None else orjson.dumps(reading.answer).decode()
    return Preview(shown, len(reading.entries), reading.delivery, answer)


def shown(heard: Heard) -> dict[str, Any]:
    """A feedback by the names that it is submitted with."""
    message, author = heard.message, heard.message.author
    return {
        "body": message.body,
        "externalId": message.external_id,
        "author": None
        if author is None
        else {"name": author.name, "email": author.email, "externalId": author.external_id},
        "rating": message.rating,
        "occurredAt": message.occurred_at,
        "metadata": message.metadata,
    }
