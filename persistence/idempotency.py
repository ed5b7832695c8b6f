"""Idempotency keys: who holds one, whether what it was sent with is done, and what was answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    LargeBinary,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Reader, Record, Statement, UnitOfWork, given, table


class IdempotencyKey(SQLModel, table=True):
    """A key that a caller has sent with a mutation, held by one `claim` at a time.

    `done_at` is set by the transaction of the mutation itself: where it is null nothing was changed.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("idempotency_key_created_at_idx", "created_at"),)

    caller: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    claim: UUID
    claimed_until: datetime = Field(sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    done_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    sealed_answer: bytes | None = Field(default=None, sa_type=LargeBinary)


class KeyRow(Record):
    fingerprint: bytes
    claimed_until: datetime
    done_at: datetime | None
    sealed_answer: bytes | None


_key = table(IdempotencyKey).c
_now = bindparam("now", type_=TIMESTAMP)
_adding = insert(table(IdempotencyKey)).values(
    given("caller", "key", "fingerprint", "claim", "claimed_until", created_at="now")
)
# Free are the keys that have run out, and those whose holder died before anything was changed.
_CLAIM = Statement(
    _adding.on_conflict_do_update(
        index_elements=["caller", "key"],
        set_={
            name: _adding.excluded[name]
            for name in ("fingerprint", "claim", "claimed_until", "created_at")
        }
        | {"done_at": null(), "sealed_answer": null()},
        where=or_(
            _key.created_at <= bindparam("expired", type_=TIMESTAMP),
            and_(_key.done_at.is_(None), _key.claimed_until <= _now),
        ),
    ).returning(_key.claim),
    Record,
)
_FIND = Statement(
    select(*(_key[name] for name in KeyRow.__annotations__)).where(
        _key.caller == bindparam("caller"), _key.key == bindparam("key")
    ),
    KeyRow,
)
_held = and_(
    _key.caller == bindparam("caller_", type_=Uuid),
    _key.key == bindparam("key_", type_=Text),
    _key.claim == bindparam("claim_", type_=Uuid),
)
# Which a transaction has once it has written or locked a row.
_HAS_CHANGED: Statement[Record] = Statement(
    select(
        func.pg_current_xact_id_if_assigned().is_not(literal_column("NULL")).label("has_changed")
    ),
    Record,
)
_FINISH = Statement(
    update(table(IdempotencyKey))
    .where(_held)
    .values(done_at=func.coalesce(_key.done_at, _now))
    .returning(_key.claim),
    Record,
)
_ANSWER = Statement(
    update(table(IdempotencyKey))
    .where(_held, _key.done_at.is_not(None))
    .values(sealed_answer=bindparam("answer", type_=LargeBinary)),
    Record,
)
_RELEASE = Statement(
    delete(table(IdempotencyKey)).where(_held, _key.done_at.is_(None)),
    Record,
)
_FORGET = Statement(
    delete(table(IdempotencyKey)).where(_key.created_at <= bindparam("before")), Record
)


async def claim(
    uow: UnitOfWork,
    caller: UUID,
    key: str,
    *,
    fingerprint: bytes,
    claim: UUID,
    until: datetime,
    expired: datetime,
) -> bool:
    """Hold a caller's key until then, if nobody does; one that was first sent before `expired` is free."""
    return bool(
        await uow.fetch(
            _CLAIM,
            caller=caller,
            key=key,
            fingerprint=fingerprint,
            claim=claim,
            claimed_until=until,
            expired=expired,
            now=uow.now,
        )
    )


async def find(reader: Reader, caller: UUID, key: str) -> KeyRow | None:
    return await reader.first(_FIND, caller=caller, key=key)


async def has_changed(uow: UnitOfWork) -> bool:
    """Whether this transaction has written anything so far, or locked rows to."""
    rows = await uow.fetch(_HAS_CHANGED)
    return bool(rows[0]["has_changed"])


async def finish(uow: UnitOfWork, caller: UUID, key: str, claim: UUID) -> bool:
    """Let the key be done if this transaction commits; False where another holds it by now."""
    return bool(await uow.fetch(_FINISH, caller_=caller, key_=key, claim_=claim, now=uow.now))


async def answer(uow: UnitOfWork, caller: UUID, key: str, claim: UUID, sealed: bytes) -> bool:
    """Keep what was answered; False where nothing was done."""
    return bool(await uow.execute(_ANSWER, caller_=caller, key_=key, claim_=claim, answer=sealed))


async def release(uow: UnitOfWork, caller: UUID, key: str, claim: UUID) -> None:
    """Let go of a key, if nothing was done."""
    await uow.execute(_RELEASE, caller_=caller, key_=key, claim_=claim)


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Take away the keys that were first sent before then."""
    await uow.execute(_FORGET, before=before)
