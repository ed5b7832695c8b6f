"""Sources of feedback and the secrets that webhook sources sign with."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import workspace as workspaces
from domain.checks import Checks
from domain.roles import Action
from domain.seals import Seals
from domain.viewer import Viewer
from persistence import feedback as feedback_store
from persistence import source as store
from persistence.database import Columns, Database, Reader, UnitOfWork, new_id

Source = store.SourceRow

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives its secrets
_SECRET_BYTES = 32
# Senders retry for days, not for weeks.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CreateSource:
    workspace_id: UUID
    name: str
    kind: str
    provider: str


@dataclass(frozen=True, slots=True)
class Created:
    """`secret` is shown this once; None for kinds that sign nothing."""

    source: Source
    secret: str | None


async def create(uow: UnitOfWork, viewer: Viewer, command: CreateSource, seals: Seals) -> Created:
    """A new source; a webhook source gets a signing secret."""
    await workspaces.enter(uow, viewer, command.workspace_id, Action.MANAGE_SOURCES)
    checks = Checks()
    checks.text(command.name, "name", longest=200, required=True)
    if command.provider != "STANDARD":
        checks.refuse(["provider"], f"{command.provider} is not yet available; use STANDARD")
    checks.done()
    signs = command.kind == "WEBHOOK"
    secret = new_secret() if signs else None
    source = new_id()
    row = await store.add(
        uow,
        workspace=command.workspace_id,
        source=source,
        name=command.name,
        kind=command.kind,
        provider=command.provider,
        sealed_secret=None if secret is None else seal_secret(seals, source, secret),
    )
    return Created(row, secret)


def new_secret() -> str:
    """A Standard Webhooks secret: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal_secret(seals: Seals, source: UUID, secret: str) -> bytes:
    """Sealed to its source: moved to another row it cannot be opened."""
    return seals.seal(secret.encode(), f"signing secret of {source.hex}")


async def signing_secret(reader: Reader, source: UUID, seals: Seals) -> tuple[Source, str] | None:
    """A webhook source and its secret, for checking a signature; None when there is no such source."""
    row = await store.secret(reader, source)
    if row is None or row.sealed_secret is None:
        return None
    return row, seals.open(row.sealed_secret, f"signing secret of {source.hex}").decode()


async def forget_deliveries(database: Database, now: datetime) -> None:
    """Forget the deliveries that no sender repeats any more, one workspace at a time."""
    before = now - REMEMBERED
    async with database.reader() as reader:
        stale = await store.with_old_deliveries(reader, before)
    for workspace in stale:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.forget_deliveries(uow, workspace, before)


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[Source]:
    """The sources of all these workspaces, the oldest first."""
    return await store.of_workspaces(reader, viewer.id, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> Mapping[UUID, Source]:
    return await store.by_ids(reader, viewer.id, ids, columns=columns)


async def last_received(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, datetime | None]:
    """When each source last sent something."""
    return await feedback_store.last_received(reader, viewer.id, ids)
