"""Partners' API keys: made, changed, rotated and revoked by a workspace's ADMINs, and known by their secrets."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from uuid import UUID

from domain import audit, roles, scopes
from domain import workspace as workspaces
from domain.checks import Checks
from domain.errors import ConflictError, NotFoundError, UnauthenticatedError
from domain.events import INSTANCE, ApiKeyChanged
from domain.roles import Action
from domain.scopes import Scope
from domain.viewer import Key, Viewer
from persistence import api_key as store
from persistence.database import Columns, Database, Reader, UnitOfWork

ApiKey = store.ApiKeyRow

MOST_KEYS = 100
MOST_NETWORKS = 100
LONGEST_OVERLAP = 168
# A revoked key is listed for so long.
REMEMBERED = timedelta(days=90)
# What is said of a use is exact to this.
USE_RESOLUTION = timedelta(minutes=1)

_ALPHABET = string.digits + string.ascii_letters
_BEGIN = "earful_"
_SECRET = re.compile(r"earful_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}")
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    workspace_id: UUID
    name: str
    scopes: Sequence[str]
    expires_at: datetime | None
    allowed_ips: Sequence[str]


@dataclass(frozen=True, slots=True)
class UpdateApiKey:
    """What is to be other than it is: some of name, scopes, expires_at and allowed_ips."""

    api_key_id: UUID
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A key with a new secret, shown this once."""

    api_key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class Known:
    """A key whose secret was sent; whether it is good is asked at each use."""

    viewer: Viewer
    networks: Sequence[IPv4Network | IPv6Network]

    def require(self, now: datetime, ip: str) -> Viewer:
        """Whom it speaks for; UnauthenticatedError when it has expired, or may not be used from there."""
        if self.viewer.expires_at <= now:
            raise UnauthenticatedError("The API key has expired.")
        if self.networks and not _is_within(self.networks, ip):
            raise UnauthenticatedError("The API key may not be used from this address.")
        return self.viewer


def is_secret(token: str) -> bool:
    """Whether the token is written as our keys' secrets are; no other token of ours is."""
    return token.startswith(_BEGIN) and _SECRET.fullmatch(token) is not None


def hash_secret(secret: str) -> bytes:
    """What is stored. A fast hash is enough for 190 random bits."""
    return hashlib.sha256(secret.encode()).digest()


async def find(reader: Reader, secret_hash: bytes) -> Known | None:
    """The key with this secret; None for one that never was, or was revoked."""
    row = await store.known(reader, secret_hash)
    if row is None:
        return None
    key = Key(row.workspace_id, frozenset(row.scopes), scopes.role(row.scopes), secret_hash)
    viewer = Viewer(row.id, row.id, row.expires_at or _NEVER, key)
    return Known(viewer, [ip_network(each) for each in row.allowed_ips])


async def create(uow: UnitOfWork, viewer: Viewer, command: CreateApiKey) -> Made:
    """A new key to a workspace. Who makes it need not stay for it to go on."""
    viewer.require_person()
    workspace = command.workspace_id
    await workspaces.enter(uow, viewer, workspace, Action.MANAGE_API_KEYS)
    values = _checked(
        {
            "name": command.name,
            "scopes": command.scopes,
            "expires_at": command.expires_at,
            "allowed_ips": command.allowed_ips,
        },
        uow.now,
    )
    await store.forget(uow, workspace, uow.now - REMEMBERED)
    checks = Checks()
    if await store.count(uow, workspace) >= MOST_KEYS:
        checks.refuse(["workspaceId"], f"has {MOST_KEYS} API keys, which is the most: revoke one")
    checks.done()
    prefix, secret = _new_secret()
    row = await store.add(
        uow,
        workspace=workspace,
        prefix=prefix,
        created_by=viewer.user_id,
        role=scopes.role(values["scopes"]),
        secret_hash=hash_secret(secret),
        **values,
    )
    await audit.record(uow, viewer, audit.Action.API_KEY_CREATED, workspace, row.id, after=row)
    return Made(row, secret)


async def update(uow: UnitOfWork, viewer: Viewer, command: UpdateApiKey) -> ApiKey:
    """Change a key, which holds for those who use it at once."""
    row = await _enter(uow, viewer, command.api_key_id)
    before = {
        "name": row.name,
        "scopes": row.scopes,
        "expires_at": row.expires_at,
        "allowed_ips": row.allowed_ips,
    }
    after = before | _checked(command.values, uow.now)
    changed = await store.change(uow, row, role=scopes.role(after["scopes"]), **after)
    if before | {"name": after["name"]} != after:
        _announce(uow, row)
    what = audit.Action.API_KEY_UPDATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row, after=changed)
    return changed


async def rotate(uow: UnitOfWork, viewer: Viewer, api_key_id: UUID, *, overlap_hours: int) -> Made:
    """A new secret; the one before is good for so many hours more at most."""
    row = await _enter(uow, viewer, api_key_id)
    checks = Checks()
    checks.number(overlap_hours, "overlapHours", least=0, most=LONGEST_OVERLAP)
    checks.done()
    prefix, secret = _new_secret()
    until = uow.now + timedelta(hours=overlap_hours)
    rotated = await store.rotate(
        uow, row, prefix=prefix, secret_hash=hash_secret(secret), until=until
    )
    _announce(uow, row)
    what = audit.Action.API_KEY_ROTATED
    await audit.record(uow, viewer, what, row.workspace_id, row.id, before=row, after=rotated)
    return Made(rotated, secret)


async def revoke(uow: UnitOfWork, viewer: Viewer, api_key_id: UUID) -> ApiKey:
    """End a key for good: all of its secrets, and whatever is open by them."""
    row = await _enter(uow, viewer, api_key_id, of_revoked=True)
    if row.revoked_at is not None:
        return row
    revoked = await store.revoke(uow, row)
    _announce(uow, row)
    await audit.record(
        uow, viewer, audit.Action.API_KEY_REVOKED, row.workspace_id, row.id, before=row
    )
    return revoked


async def of_workspaces(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[ApiKey]:
    """The keys of those of the workspaces whose keys the viewer manages, the oldest first."""
    managers = roles.sufficient(viewer, Action.MANAGE_API_KEYS)
    return await store.of_workspaces(reader, viewer.user_id, managers, ids, columns=columns)


async def by_ids(
    reader: Reader, viewer: Viewer, ids: Sequence[UUID], *, columns: Columns | None = None
) -> list[ApiKey]:
    managers = roles.sufficient(viewer, Action.MANAGE_API_KEYS)
    return await store.by_ids(reader, viewer.user_id, managers, ids, columns=columns)


async def own(reader: Reader, viewer: Viewer, *, columns: Columns | None = None) -> ApiKey | None:
    """The key that the caller is; None for people."""
    return None if viewer.key is None else await store.own(reader, viewer.id, columns=columns)


async def record_uses(database: Database, uses: Mapping[UUID, UUID], now: datetime) -> None:
    """Note that these keys, each with its workspace, were used; at most once a minute each."""
    by_workspace: dict[UUID, list[UUID]] = {}
    for key, workspace in uses.items():
        by_workspace.setdefault(workspace, []).append(key)
    for workspace, keys in by_workspace.items():
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await store.used(uow, workspace, keys, now, before=now - USE_RESOLUTION)


async def _enter(
    uow: UnitOfWork, viewer: Viewer, api_key_id: UUID, *, of_revoked: bool = False
) -> ApiKey:
    """The key, for changing it; NotFoundError to strangers, ForbiddenError by role, ConflictError if it is revoked."""
    entered = await store.enter(uow, viewer.user_id, api_key_id)
    if entered is None:
        raise NotFoundError("There is no such API key.")
    workspace, role = entered
    roles.require(role, Action.MANAGE_API_KEYS)
    row = await store.lock(uow, workspace, api_key_id)
    if row is None:
        raise NotFoundError("There is no such API key.")
    if row.revoked_at is not None and not of_revoked:
        raise ConflictError("This API key is revoked; make another one.")
    return row


def _checked(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What is given, as it is stored; InvalidInputError for what is not right."""
    checks = Checks()
    checked = dict(values)
    if "name" in values:
        checks.line(values["name"], "name", longest=200, required=True)
    if "scopes" in values:
        for index, scope in enumerate(values["scopes"]):
            if scope not in scopes.ALL:
                checks.refuse(["scopes", str(index)], f"must be one of {', '.join(Scope)}")
        checked["scopes"] = sorted(set(values["scopes"]))
    if values.get("expires_at") is not None and values["expires_at"] <= now:
        checks.refuse(["expiresAt"], "must be in the future")
    if "allowed_ips" in values:
        checked["allowed_ips"] = _networks(values["allowed_ips"], checks)
    checks.done()
    return checked


def _networks(texts: Sequence[str], checks: Checks) -> list[str]:
    networks: list[str] = []
    if len(texts) > MOST_NETWORKS:
        checks.refuse(["allowedIps"], f"must be at most {MOST_NETWORKS}")
        return networks
    for index, text in enumerate(texts):
        try:
            networks.append(str(ip_network(text)))
        except ValueError:
            message = "must be an IP address or a network such as 203.0.113.0/24"
            checks.refuse(["allowedIps", str(index)], message)
    return networks


def _is_within(networks: Iterable[IPv4Network | IPv6Network], ip: str) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def _new_secret() -> tuple[str, str]:
    """The first characters of a new secret, to know it by, and all of it."""
    prefix = _BEGIN + _random(8)
    return prefix, f"{prefix}_{_random(32)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _announce(uow: UnitOfWork, row: ApiKey) -> None:
    event = ApiKeyChanged(row.id)
    uow.emit(INSTANCE, event.kind, event.to_json())
