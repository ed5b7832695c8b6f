"""Doing what is asked for once, however often it is sent: keys that callers choose, each kept for a day.

A key is claimed before anything is done. The transaction that carries out the mutation marks the key in the same
commit, so that after a crash it is certain whether something was done: where nothing was, the key is free again; where
something was and the answer is lost with the process, that is said. Nothing is done twice.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.errors import ConflictError, InvalidInputError
from domain.seals import SealBrokenError, Seals
from persistence import idempotency as store
from persistence.database import Database, UnitOfWork, new_id

KEPT = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


class InProgressError(ConflictError):
    """The same is being done in this moment: its answer can be had soon."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's key while its mutation is carried out."""

    database: Database
    seals: Seals
    caller: UUID
    key: str
    id: UUID

    def marked(self) -> Database:
        """The database whose transactions mark the key as done when they change something."""
        return self.database.before_commit(self._mark)

    async def settle(self, answer: bytes | None) -> None:
        """Keep the answer, if there is one worth keeping; if nothing was changed, let go of the key."""
        async with self.database.transaction() as uow:
            if answer is not None:
                sealed = self.seals.seal(answer, _purpose(self.caller, self.key))
                if await store.answer(uow, self.caller, self.key, self.id, sealed):
                    return
            await store.release(uow, self.caller, self.key, self.id)

    async def _mark(self, uow: UnitOfWork) -> None:
        if await store.has_changed(uow) and not await store.finish(
            uow, self.caller, self.key, self.id
        ):
            raise ConflictError("This took so long that the same was begun once more: ask again.")


def check(key: str) -> None:
    """InvalidInputError for what cannot be a key."""
    if _KEY.fullmatch(key) is None:
        raise InvalidInputError("An idempotency key has 1 to 255 printable ASCII characters.")


async def claim(
    database: Database,
    seals: Seals,
    caller: UUID,
    key: str,
    fingerprint: bytes,
    *,
    lasts: timedelta,
) -> Claim | bytes:
    """The key, held for so long; or what was answered to the same before.

    InProgressError while the same is being done; ConflictError when the key was sent with something else, or when that
    was done and its answer is lost.
    """
    while True:
        async with database.transaction() as uow:
            id_, now = new_id(), uow.now
            if await store.claim(
                uow,
                caller,
                key,
                fingerprint=fingerprint,
                claim=id_,
                until=now + lasts,
                expired=now - KEPT,
            ):
                return Claim(database, seals, caller, key, id_)
            row = await store.find(uow, caller, key)
        # Whoever held it may have let go of it in between.
        if row is not None:
            break
    if row.fingerprint != fingerprint:
        raise ConflictError("This idempotency key was sent with another request.")
    if row.sealed_answer is not None:
        try:
            return seals.open(row.sealed_answer, _purpose(caller, key))
        except SealBrokenError:
            raise _lost() from None
    if row.claimed_until > now:
        raise InProgressError("The same request is being carried out. Send it again in a moment.")
    raise _lost()


async def forget(uow: UnitOfWork) -> None:
    """Take away the keys that have run out."""
    await store.forget(uow, uow.now - KEPT)


def _purpose(caller: UUID, key: str) -> str:
    """Sealed for one key of one caller, it is no other's answer."""
    return f"answer to {caller.hex} {key}"


def _lost() -> ConflictError:
    return ConflictError(
        "This request was carried out, and its answer is lost: look for what it has changed."
    )
