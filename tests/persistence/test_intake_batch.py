"""Storing what webhooks bring by one statement: each once, whoever else stores the same at that moment."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from app.settings import Settings
from app.stores import now, open_database
from domain import intake
from domain.errors import NotFoundError
from domain.feedback import Message
from domain.intake import Incoming, Pending, Received
from persistence.database import Database, new_id
from tests.app.deliveries import rows, traces
from tests.factories import NOON, Factory

pytestmark = pytest.mark.usefixtures("kept_outbox")


@pytest.fixture(params=[True, False], ids=["prepared", "proxied"])
async def either(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Database]:
    """A database with prepared statements, or as behind a proxy."""
    chosen = settings.model_copy(update={"database_prepared_statements": request.param})
    async with open_database(chosen, "intake") as opened:
        yield opened


def incoming(number: int, *, external_id: str | None = None, edits: bool = False) -> Incoming:
    message = Message(f"Text {number}", external_id=external_id, metadata={"number": number})
    return intake.incoming(message, now(), delivery=f"msg_{number}", edits=edits)


async def receive(
    database: Database, source: UUID, messages: list[Incoming]
) -> list[Received | Pending]:
    async with database.transaction() as uow:
        return await intake.receive_many(uow, source, messages)


async def test_many_are_stored_with_their_events_in_their_order(
    either: Database, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()

    outcomes = await receive(either, tenant.source_id, [incoming(n) for n in range(200)])

    stored = {row["body"]: row["id"] for row in await rows(database)}
    assert outcomes == [Received(stored[f"Text {n}"], duplicate=False) for n in range(200)]
    events = await factory.rows("SELECT payload ->> 'id' FROM outbox ORDER BY id")
    assert [event for (event,) in events] == [stored[f"Text {n}"].hex for n in range(200)]
    assert await traces(database) == (200, 200, 200)


async def test_what_is_known_is_told_from_what_is_new(
    either: Database, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    before = await receive(either, tenant.source_id, [incoming(0, external_id="t-0"), incoming(1)])

    outcomes = await receive(
        either,
        tenant.source_id,
        [
            incoming(2),
            incoming(1),
            incoming(3, external_id="t-0"),
            incoming(4, external_id="t-0", edits=True),
        ],
    )

    new, repeated, known, edit = outcomes
    assert isinstance(new, Received)
    assert not new.duplicate
    assert repeated == Received(None, duplicate=True)
    assert known == Received(before[0].id, duplicate=True)  # type: ignore[union-attr]
    assert isinstance(edit, Pending)
    assert not edit.is_recorded
    assert await traces(database) == (3, 4, 3)


async def test_the_same_from_several_sides_is_stored_once(
    either: Database, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    messages = [incoming(n, external_id=f"t-{n}") for n in range(50)]

    answers = await asyncio.gather(*(receive(either, tenant.source_id, messages) for _ in range(4)))

    fresh = [each for answer in answers for each in answer if not each.duplicate]  # type: ignore[union-attr]
    assert len(fresh) == 50
    assert await traces(database) == (50, 50, 50)


async def test_a_source_that_does_not_exist_takes_nothing(
    either: Database, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    await factory.change("UPDATE source SET closed_at = now()", within=tenant)

    for source in (new_id(), tenant.source_id):
        with pytest.raises(NotFoundError):
            await receive(either, source, [incoming(0)])

    assert await rows(database) == []


async def test_what_has_no_time_was_said_when_it_came(
    either: Database, factory: Factory, database: Database
) -> None:
    tenant = await factory.tenant()
    dated = intake.incoming(
        Message("Dated.", occurred_at=NOON), now(), delivery="msg_2", edits=False
    )

    await receive(either, tenant.source_id, [incoming(1), dated])

    at_noon, undated = await rows(database)
    assert undated["occurred_at"] == undated["received_at"]
    assert at_noon["occurred_at"] == NOON
