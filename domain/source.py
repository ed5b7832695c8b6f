"""Sources of feedback and the secrets that webhook sources sign with."""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import audit, feedback, job, roles, source_settings
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError
from domain.job import Job, Kind, Once, Priority
from domain.masker import Rules
from domain.provider import PROVIDERS
from domain.roles import Action
from domain.seals import SealBrokenError, Seals
from domain.source_settings import Form, Generic
from domain.viewer import Viewer
from persistence import delivery as deliveries
from persistence import feedback as feedback_store
from persistence import source as store
from persistence import tag as tag_store
from persistence.database import Columns, Database, Reader, UnitOfWork, new_id

Source = store.SourceRow

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives its secrets
_SECRET_BYTES = 32
KEY_PREFIX = "pk_"
_KEY_BYTES = 16
_KEY = re.compile(KEY_PREFIX + "[0-9a-f]{32}")
_SHORTEST, _LONGEST = 8, 512
_STANDARD_BYTES = range(24, 65)
MOST_SECRETS = 5
LONGEST_OVERLAP = 168
DELETE_SOURCE = Kind(
    "delete_source", priority=Priority.BULK, timeout=timedelta(hours=12), most_failures=10
)
_BATCH = 500
# Senders retry for days, not for weeks.
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CreateSource:
    """`secret` is the sender's own; one is made where it is missing and the sender takes ours."""

    workspace_id: UUID
    name: str
    kind: str
    provider: str
    secret: str | None = None
    generic: Generic | None = None
    form: Form | None = None
    deliveries_per_minute: int | None = None
    masking: Rules | None = None


@dataclass(frozen=True, slots=True)
class UpdateSource:
    """What is to be other than it is: some of name, generic, form, deliveries_per_minute and masking."""

    source_id: UUID
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Created:
    """`secret` is shown this once; None for kinds that sign nothing, and where the sender makes it."""

    source: Source
    secret: str | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook source and the secrets that it may sign with, the newest first."""

    source: Source
    secrets: Sequence[str]


async def create(uow: UnitOfWork, viewer: Viewer, command: CreateSource, seals: Seals) -> Created:
    """A new source; a webhook source gets a signing secret, a form a publishable key."""
    await workspaces.enter(uow, viewer, command.workspace_id, Action.MANAGE_SOURCES)
    checks = Checks()
    checks.text(command.name, "name", longest=200, required=True)
    _check_rate(command.deliveries_per_minute, checks)
    masking = _checked(command.masking, checks)
    settings = source_settings.check(
        command.kind, command.provider, command.generic, command.form, checks
    )
    signs = command.kind == "WEBHOOK"
    if not signs and command.provider != "STANDARD":
        checks.refuse(["provider"], "is for webhooks; leave it out")
    if command.secret is not None:
        if not signs:
            checks.refuse(["secret"], "is for webhooks only")
        _check_secret(command.provider, command.secret, checks)
    checks.done()
    secret = command.secret
    if signs and secret is None and not PROVIDERS[command.provider].keeps_secret:
        secret = new_secret()
    source = new_id()
    row = await store.add(
        uow,
        workspace=command.workspace_id,
        source=source,
        name=command.name,
        kind=command.kind,
        provider=command.provider,
        sealed_secret=None if secret is None else seal_secret(seals, source, secret),
        settings=settings,
        publishable_key=new_key() if command.kind == "FORM" else None,
        deliveries_per_minute=command.deliveries_per_minute,
        masking=masking,
    )
    what = audit.Action.SOURCE_CREATED
    await audit.record(uow, viewer, what, command.workspace_id, row.id, after=row)
    return Created(row, secret)


async def enter(uow: UnitOfWork, viewer: Viewer, source_id: UUID) -> store.SecretRow:
    """The source, locked, for changing something of it; NotFoundError to strangers, ForbiddenError by role."""
    entered = await store.enter_as_member(uow, viewer.id, source_id)
    if entered is not None:
        roles.require(entered.role, Action.MANAGE_SOURCES)
        row = await store.lock(uow, entered.workspace_id, source_id)
        if row is not None:
            return row
    raise NotFoundError("There is no such source.")


async def update(uow: UnitOfWork, viewer: Viewer, command: UpdateSource) -> Source:
    """Change what is set of a source; its secret and its key stay.

    What it had masked so that it can be had again is masked for good once it does not say so any more.
    """
    row = await enter(uow, viewer, command.source_id)
    name: str | None = command.values.get("name", row.name)
    rate: int | None = command.values.get("deliveries_per_minute", row.deliveries_per_minute)
    checks = Checks()
    checks.text(name, "name", longest=200, required=True)
    _check_rate(rate, checks)
    masking = row.masking
    if "masking" in command.values:
        masking = _checked(command.values["masking"], checks)
    settings = row.settings
    generic, form = (command.values.get(each) for each in ("generic", "form"))
    if generic is not None or form is not None:
        settings = source_settings.check(row.kind, row.provider, generic, form, checks)
    elif row.kind == "IMPORT":
        # Whoever made it, it is theirs now: undoing an import does not take it away.
        settings = "{}"
    checks.done()
    changed = await store.change(
        uow,
        row,
        name=name or "",
        settings=settings,
        deliveries_per_minute=rate,
        masking=masking,
    )
    if _keeps_originals(row.masking) and not _keeps_originals(masking):
        await feedback_store.forget_originals_of(uow, row.workspace_id, row.id)
    what = audit.Action.SOURCE_UPDATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row, after=changed)
    return changed


async def rotate_secret(
    uow: UnitOfWork,
    viewer: Viewer,
    source_id: UUID,
    *,
    secret: str | None,
    overlap_hours: int,
    seals: Seals,
) -> Created:
    """Another secret, made here where none is given; those before are good for so many hours more.

    A form gets another publishable key, and the one before is void.
    """
    row = await enter(uow, viewer, source_id)
    checks = Checks()
    checks.number(overlap_hours, "overlapHours", least=0, most=LONGEST_OVERLAP)
    if row.kind == "WEBHOOK":
        if secret is None and PROVIDERS[row.provider].keeps_secret:
            checks.refuse(["secret"], f"is required: {row.provider} makes it")
        if secret is not None:
            _check_secret(row.provider, secret, checks)
    elif row.kind == "FORM":
        if secret is not None:
            checks.refuse(["secret"], "is for webhooks only")
    else:
        raise ConflictError("This source has no secret.")
    checks.done()
    await audit.record(uow, viewer, audit.Action.SOURCE_SECRET_ROTATED, row.workspace_id, row.id)
    if row.kind == "FORM":
        return Created(await store.set_key(uow, row, new_key()), None)
    if overlap_hours == 0:
        await store.forget_older_secrets(uow, row)
    elif await store.count_older_secrets(uow, row) >= MOST_SECRETS - 1:
        raise ConflictError(f"At most {MOST_SECRETS} secrets are good at once.")
    chosen = secret or new_secret()
    until = uow.now + timedelta(hours=overlap_hours)
    sealed = seal_secret(seals, row.id, chosen)
    return Created(await store.replace_secret(uow, row, sealed, until=until), chosen)


async def delete(uow: UnitOfWork, viewer: Viewer, source_id: UUID) -> tuple[UUID, Job | None]:
    """Nothing comes in from it any more. Its feedback is deleted with it, by a job where it has any."""
    row = await enter(uow, viewer, source_id)
    await audit.record(
        uow, viewer, audit.Action.SOURCE_DELETED, row.workspace_id, row.id, before=row
    )
    if not await feedback_store.some_of_source(uow, row.workspace_id, row.id, limit=1):
        await store.remove(uow, row.workspace_id, row.id)
        return row.id, None
    await store.close(uow, row)
    asked = await job.enqueue(
        uow,
        DELETE_SOURCE,
        workspace=row.workspace_id,
        arguments={"source": row.id.hex},
        once=Once(row.id.hex),
        created_by=None if viewer.key is not None else viewer.id,
    )
    return row.id, asked


async def take_away(uow: UnitOfWork, workspace: UUID, source_id: UUID) -> int:
    """Delete some feedback of a source that is deleted, and tell of it; at 0 the source is gone too."""
    ids = await feedback_store.some_of_source(uow, workspace, source_id, limit=_BATCH)
    if not ids:
        await store.remove(uow, workspace, source_id)
        return 0
    tags: dict[UUID, list[UUID]] = {}
    for link in await tag_store.links(uow, workspace, ids):
        tags.setdefault(link.feedback_id, []).append(link.tag_id)
    for row in await feedback_store.remove(uow, workspace, ids):
        feedback.announce(uow, "DELETED", row, tuple(tags.get(row.id, ())))
    return len(ids)


async def left_of(reader: Reader, workspace: UUID, source_id: UUID) -> int:
    """How much feedback a source has."""
    return await feedback_store.count_of_source(reader, workspace, source_id)


async def in_workspace(reader: Reader, workspace: UUID, source_id: UUID) -> Source | None:
    """The source of a workspace that was entered."""
    return await store.in_workspace(reader, workspace, source_id)


async def form(reader: Reader, key: str) -> Source | None:
    """The form with this publishable key, which is no secret."""
    return await store.form(reader, key)


def new_secret() -> str:
    """A Standard Webhooks secret: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def new_key() -> str:
    """A publishable key: pages show it to everybody."""
    return KEY_PREFIX + secrets.token_hex(_KEY_BYTES)


def is_key(text: str) -> bool:
    """Whether this may be a publishable key."""
    return _KEY.fullmatch(text) is not None


def seal_secret(seals: Seals, source: UUID, secret: str) -> bytes:
    """Sealed to its source: moved to another row it cannot be opened."""
    return seals.seal(secret.encode(), _purpose(source))


async def receivers(
    reader: Reader, ids: Sequence[UUID], seals: Seals, now: datetime
) -> dict[UUID, Receiver | SealBrokenError]:
    """Webhook sources with the secrets that are good, for checking signatures; a missing one is none."""
    found: dict[UUID, Receiver | SealBrokenError] = {}
    for row in await store.secrets(reader, ids, now):
        if row.kind != "WEBHOOK":
            continue
        sealed = [each for each in (row.sealed_secret, *row.older_secrets) if each is not None]
        try:
            opened = [seals.open(each, _purpose(row.id)).decode() for each in sealed]
        except SealBrokenError as error:
            found[row.id] = error
        else:
            found[row.id] = Receiver(row, opened)
    return found


def _purpose(source: UUID) -> str:
    return f"signing secret of {source.hex}"


def _check_rate(value: int | None, checks: Checks) -> None:
    checks.number(value, "deliveriesPerMinute", least=1, most=source_settings.FASTEST)


def _checked(rules: Rules | None, checks: Checks) -> str | None:
    if rules is None:
        return None
    rules.check(checks)
    return rules.to_json()


def _keeps_originals(masking: str | None) -> bool:
    return masking is not None and Rules.from_json(masking).reversible


def _check_secret(provider: str, secret: str, checks: Checks) -> None:
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        checks.refuse(["secret"], "must be printable ASCII without spaces")
    elif not _SHORTEST <= len(secret) <= _LONGEST:
        checks.refuse(["secret"], f"must have {_SHORTEST} to {_LONGEST} characters")
    elif provider == "STANDARD" and not _is_standard(secret):
        checks.refuse(["secret"], "must be `whsec_` and 24 to 64 bytes in base64")


def _is_standard(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(SECRET_PREFIX) and len(key) in _STANDARD_BYTES


async def forget_deliveries(database: Database, now: datetime) -> None:
    """Forget the deliveries that no sender repeats any more, one workspace at a time."""
    before = now - REMEMBERED
    async with database.reader() as reader:
        stale = await deliveries.with_old(reader, before)
    for workspace in stale:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await deliveries.forget(uow, workspace, before)


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
