"""API keys, the hashes of their secrets, and their places among a workspace's members."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    LargeBinary,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlmodel import Field, SQLModel

from persistence.database import (
    TIMESTAMP,
    Columns,
    Reader,
    Record,
    Statement,
    UnitOfWork,
    enter_workspace,
    given,
    new_id,
    one_of,
    table,
)
from persistence.managed import Managed
from persistence.workspace import Member, visible
from persistence.workspace import lock as lock_workspace


class ApiKey(SQLModel, table=True):
    """A partner's key to a workspace. A revoked one is kept for a while, and is no member any more."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    workspace_id: UUID = Field(foreign_key="workspace.id", ondelete="CASCADE", index=True)
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_type=ARRAY(Text))
    allowed_ips: list[str] = Field(sa_type=ARRAY(Text))
    created_by: UUID | None = Field(default=None, foreign_key="user.id", ondelete="SET NULL")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    last_used_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    overlap_ends_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    revoked_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class ApiKeySecret(SQLModel, table=True):
    """What a key's holder sends, as a hash; one that was replaced ends."""

    __tablename__ = "api_key_secret"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    workspace_id: UUID
    api_key_id: UUID = Field(foreign_key="api_key.id", ondelete="CASCADE", index=True)
    expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class ApiKeyRow(Record):
    id: UUID
    workspace_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    allowed_ips: list[str]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    overlap_ends_at: datetime | None
    revoked_at: datetime | None


class KnownRow(Record):
    """What is to be known of a key to let its holder in."""

    id: UUID
    workspace_id: UUID
    scopes: list[str]
    allowed_ips: list[str]
    expires_at: datetime | None


class EnteredRow(Record):
    workspace_id: UUID
    role: str


class CountRow(Record):
    number: int


_key = table(ApiKey).c
_secret = table(ApiKeySecret).c
_member = table(Member).c
_COLUMNS = tuple(_key[name] for name in ApiKeyRow.__annotations__)
_CHANGEABLE = ("name", "scopes", "allowed_ips", "expires_at")
_now = bindparam("now", type_=TIMESTAMP)

_managed = Managed(_key, _COLUMNS, ApiKeyRow, _key.created_at, _key.id)
_OWN = Statement(
    select(*_COLUMNS).where(_key.id == bindparam("viewer"), visible(_key.workspace_id)), ApiKeyRow
)
_KNOWN = Statement(
    select(
        _key.id,
        _key.workspace_id,
        _key.scopes,
        _key.allowed_ips,
        func.least(_key.expires_at, _secret.expires_at).label("expires_at"),
    )
    .join_from(table(ApiKeySecret), table(ApiKey), _key.id == _secret.api_key_id)
    .where(_secret.hash == bindparam("hash")),
    KnownRow,
)
_ENTER = Statement(
    select(_key.workspace_id, _member.role, enter_workspace(_key.workspace_id))
    .join_from(table(ApiKey), table(Member), _member.workspace_id == _key.workspace_id)
    .where(_key.id == bindparam("id"), _member.principal_id == bindparam("viewer")),
    EnteredRow,
)
_LOCK = Statement(
    select(*_COLUMNS)
    .where(_key.id == bindparam("id"), _key.workspace_id == bindparam("workspace"))
    .with_for_update(),
    ApiKeyRow,
)
_COUNT = Statement(
    select(func.count().label("number")).where(
        _key.workspace_id == bindparam("workspace"), _key.revoked_at.is_(None)
    ),
    CountRow,
)
_FORGET = Statement(
    delete(table(ApiKey)).where(
        _key.workspace_id == bindparam("workspace"), _key.revoked_at < bindparam("before")
    ),
    Record,
)
_ADD = Statement(
    insert(table(ApiKey))
    .values(
        given(
            "id",
            "prefix",
            *_CHANGEABLE,
            workspace_id="workspace",
            created_by="created_by",
            created_at="now",
        )
    )
    .returning(*_COLUMNS),
    ApiKeyRow,
)
_ADD_MEMBER = Statement(
    insert(table(Member)).values(
        given("id", "role", workspace_id="workspace", api_key_id="key", joined_at="now")
    ),
    Record,
)
_ADD_SECRET = Statement(
    insert(table(ApiKeySecret)).values(given("hash", workspace_id="workspace", api_key_id="key")),
    Record,
)
_this = (_key.id == bindparam("key"), _key.workspace_id == bindparam("workspace"))
_CHANGE = Statement(
    update(table(ApiKey))
    .where(*_this)
    .values({name: bindparam(f"{name}_", type_=_key[name].type) for name in _CHANGEABLE})
    .returning(*_COLUMNS),
    ApiKeyRow,
)
_its_place = (
    _member.api_key_id == bindparam("key"),
    _member.workspace_id == bindparam("workspace"),
)
_SET_ROLE = Statement(
    update(table(Member)).where(*_its_place).values(role=bindparam("role_")), Record
)
_its_secrets = (
    _secret.api_key_id == bindparam("key"),
    _secret.workspace_id == bindparam("workspace"),
)
_RETIRE_SECRETS = Statement(
    update(table(ApiKeySecret))
    .where(*_its_secrets)
    .values(
        expires_at=func.least(_secret.expires_at, bindparam("until", type_=TIMESTAMP)),
    ),
    Record,
)
_REMOVE_SECRETS = Statement(
    delete(table(ApiKeySecret)).where(*_its_secrets, _secret.expires_at <= _now), Record
)
_ROTATE = Statement(
    update(table(ApiKey))
    .where(*_this)
    .values(prefix=bindparam("prefix_"), overlap_ends_at=bindparam("until", type_=TIMESTAMP))
    .returning(*_COLUMNS),
    ApiKeyRow,
)
_REMOVE_PLACE = Statement(delete(table(Member)).where(*_its_place), Record)
_REVOKE = Statement(
    update(table(ApiKey)).where(*_this).values(revoked_at=_now).returning(*_COLUMNS), ApiKeyRow
)
_USED = Statement(
    update(table(ApiKey))
    .where(
        _key.workspace_id == bindparam("workspace"),
        one_of(_key.id, "keys"),
        or_(_key.last_used_at.is_(None), _key.last_used_at < bindparam("before", type_=TIMESTAMP)),
    )
    .values(last_used_at=bindparam("at", type_=TIMESTAMP)),
    Record,
)


of_workspaces = _managed.of_workspaces
by_ids = _managed.by_ids


async def own(reader: Reader, viewer: UUID, *, columns: Columns | None = None) -> ApiKeyRow | None:
    """The key that the viewer is."""
    return await reader.first(_OWN.of(columns), viewer=viewer)


async def known(reader: Reader, secret_hash: bytes) -> KnownRow | None:
    """Whose secret has this hash, and until when it is good; None for one that never was or was revoked."""
    return await reader.first(_KNOWN, hash=secret_hash)


async def enter(uow: UnitOfWork, viewer: UUID, key: UUID) -> tuple[UUID, str] | None:
    """The key's workspace and the viewer's role; then this transaction may write its rows."""
    row = await uow.first(_ENTER, viewer=viewer, id=key)
    return None if row is None else (row.workspace_id, row.role)


async def lock(uow: UnitOfWork, workspace: UUID, key: UUID) -> ApiKeyRow | None:
    """The key as it is now; a second writer of it waits until this transaction ends."""
    return await uow.first(_LOCK, workspace=workspace, id=key)


async def count(uow: UnitOfWork, workspace: UUID) -> int:
    """How many keys the workspace has that are not revoked; nobody else makes one until this transaction ends."""
    await lock_workspace(uow, workspace)
    (row,) = await uow.fetch(_COUNT, workspace=workspace)
    return row.number


async def forget(uow: UnitOfWork, workspace: UUID, before: datetime) -> None:
    """Take away what was revoked before then."""
    await uow.execute(_FORGET, workspace=workspace, before=before)


async def add(
    uow: UnitOfWork,
    *,
    workspace: UUID,
    name: str,
    prefix: str,
    scopes: Sequence[str],
    allowed_ips: Sequence[str],
    expires_at: datetime | None,
    created_by: UUID | None,
    role: str,
    secret_hash: bytes,
) -> ApiKeyRow:
    """Insert a key with its secret and its place in a workspace that was entered."""
    key = new_id()
    (row,) = await uow.fetch(
        _ADD,
        id=key,
        workspace=workspace,
        name=name,
        prefix=prefix,
        scopes=scopes,
        allowed_ips=allowed_ips,
        expires_at=expires_at,
        created_by=created_by,
        now=uow.now,
    )
    await uow.execute(
        _ADD_MEMBER, id=new_id(), workspace=workspace, key=key, role=role, now=uow.now
    )
    await uow.execute(_ADD_SECRET, workspace=workspace, key=key, hash=secret_hash)
    return row


async def change(
    uow: UnitOfWork,
    row: ApiKeyRow,
    *,
    name: str,
    scopes: Sequence[str],
    allowed_ips: Sequence[str],
    expires_at: datetime | None,
    role: str,
) -> ApiKeyRow:
    """Give a key that was locked these values, and its place this role."""
    await uow.execute(_SET_ROLE, workspace=row.workspace_id, key=row.id, role_=role)
    (changed,) = await uow.fetch(
        _CHANGE,
        workspace=row.workspace_id,
        key=row.id,
        name_=name,
        scopes_=scopes,
        allowed_ips_=allowed_ips,
        expires_at_=expires_at,
    )
    return changed


async def rotate(
    uow: UnitOfWork, row: ApiKeyRow, *, prefix: str, secret_hash: bytes, until: datetime
) -> ApiKeyRow:
    """Give a key that was locked another secret; those before are good until then."""
    of = {"workspace": row.workspace_id, "key": row.id}
    await uow.execute(_RETIRE_SECRETS, **of, until=until)
    await uow.execute(_REMOVE_SECRETS, **of, now=uow.now)
    await uow.execute(_ADD_SECRET, **of, hash=secret_hash)
    (changed,) = await uow.fetch(_ROTATE, **of, prefix_=prefix, until=until)
    return changed


async def revoke(uow: UnitOfWork, row: ApiKeyRow) -> ApiKeyRow:
    """Take a locked key's secrets and its place away."""
    of = {"workspace": row.workspace_id, "key": row.id}
    await uow.execute(_RETIRE_SECRETS, **of, until=uow.now)
    await uow.execute(_REMOVE_SECRETS, **of, now=uow.now)
    await uow.execute(_REMOVE_PLACE, **of)
    (revoked,) = await uow.fetch(_REVOKE, **of, now=uow.now)
    return revoked


async def used(
    uow: UnitOfWork, workspace: UUID, keys: Sequence[UUID], at: datetime, *, before: datetime
) -> None:
    """Note in a workspace that was entered that these keys were used, unless that was noted after `before`."""
    await uow.execute(_USED, workspace=workspace, keys=keys, at=at, before=before)
