"""Storing a message by one statement: all or nothing, by members only, with row-level security in force."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from app.settings import Settings
from app.stores import now, open_database
from domain import feedback
from domain.errors import ForbiddenError, NotFoundError
from domain.feedback import Message, SubmitFeedback, Submitted
from domain.viewer import Viewer
from persistence import feedback as store
from persistence import migrate
from persistence.database import Database, new_id
from tests.factories import NOON, Factory, Person, Tenant

pytestmark = pytest.mark.usefixtures("kept_outbox")

STORED = "SELECT body FROM feedback WHERE workspace_id = :of ORDER BY received_at, id"
EVENTS = (
    "SELECT workspace_id, kind, payload - 'id' FROM outbox WHERE workspace_id = :of ORDER BY id"
)
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = 'intake' AND wait_event_type = 'Lock' "
    "AND pid <> pg_backend_pid()"
)
INSERT = """INSERT INTO feedback (id, workspace_id, source_id, body, occurred_at, received_at)
    SELECT gen_random_uuid(), $1, $2, 'Through the wall?', now(), now() FROM entered"""
ENTERED = (
    "WITH entered AS MATERIALIZED (SELECT set_config('earful.workspace_id', $3::text, true) AS id) "
)


@pytest.fixture(scope="module")
async def apart(settings: Settings) -> AsyncIterator[Settings]:
    """A database of these tests' own, where no relay takes events away."""
    assert settings.database_url is not None
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute("CREATE DATABASE intake")
    url = settings.database_url.rpartition("/")[0] + "/intake"
    await asyncio.to_thread(migrate.upgrade, url)
    yield settings.model_copy(update={"database_url": url})
    await admin.execute("DROP DATABASE intake WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def database(apart: Settings) -> AsyncIterator[Database]:
    async with open_database(apart, "intake") as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["prepared", "proxied"])
async def narrow(request: pytest.FixtureRequest, apart: Settings) -> AsyncIterator[Database]:
    """A database of one connection."""
    alone = {"database_pool_size": 1, "database_prepared_statements": request.param}
    async with open_database(apart.model_copy(update=alone), "narrow") as opened:
        yield opened


def _viewer(person: Person) -> Viewer:
    return Viewer(person.id, person.session_id, NOON)


async def _submit(
    database: Database, person: Person, workspace: UUID, source: UUID | None, **message: Any
) -> Submitted:
    command = SubmitFeedback(workspace, source, Message(**({"body": "It works."} | message)))
    async with database.transaction() as uow:
        return await feedback.submit(uow, _viewer(person), command)


async def _receive(
    database: Database, source: UUID, delivery: str, **message: Any
) -> Submitted | None:
    async with database.transaction() as uow:
        return await feedback.receive(uow, source, delivery, Message(**message))


def _messages(database: Database) -> int:
    """How many statements the one connection has sent."""
    (connection,) = database._pool._connections
    return int(connection._driver._protocol.queries_count)  # type: ignore[attr-defined]


async def test_storing_is_one_statement(apart: Settings, factory: Factory) -> None:
    tenant = await factory.tenant()
    alone = {"database_pool_size": 1}
    async with open_database(apart.model_copy(update=alone), "alone") as database:
        before = _messages(database)
        await _submit(database, tenant.owner, tenant.id, None)
        await _submit(database, tenant.owner, tenant.id, tenant.source_id)
        await _receive(database, tenant.source_id, "msg_1", body="It works.")

        assert _messages(database) - before == 3
    assert len(await factory.rows(STORED, of=tenant.id)) == 3


async def test_the_event_is_the_one_that_is_announced_step_by_step(
    narrow: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    external = {"rating": 7, "occurred_at": NOON, "metadata": {"plan": "pro"}}
    stored = await _submit(narrow, tenant.owner, tenant.id, None, **external)
    await _submit(narrow, tenant.owner, tenant.id, tenant.source_id, **external)
    await _receive(narrow, tenant.source_id, "msg_1", body="It works.", **external)
    async with narrow.transaction() as uow:
        await uow.enter(tenant.id)
        feedback.announce(uow, "ADDED", stored.feedback)

    default, submitted, received, announced = await factory.rows(EVENTS, of=tenant.id)
    assert default == announced
    assert default[:2] == (tenant.id, "feedback.added")
    assert submitted == received
    assert orjson.loads(submitted[2]) == orjson.loads(default[2]) | {"source": tenant.source_id.hex}


async def test_what_is_stored_is_answered(narrow: Database, factory: Factory) -> None:
    tenant = await factory.tenant()
    stored = await _submit(
        narrow, tenant.owner, tenant.id, tenant.source_id, external_id="a-1", metadata={"n": [1]}
    )

    row = stored.feedback
    assert (row.external_id, row.metadata, row.source_id) == ("a-1", '{"n": [1]}', tenant.source_id)
    async with narrow.reader() as reader:
        read = await feedback.by_ids(reader, _viewer(tenant.owner), [row.id])
    assert dict(read[row.id].items()) == dict(row.items())


async def test_a_known_message_is_answered_and_not_announced_again(
    narrow: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    first = await _submit(narrow, tenant.owner, tenant.id, tenant.source_id, external_id="a-1")
    again = await _submit(
        narrow, tenant.owner, tenant.id, tenant.source_id, external_id="a-1", body="Other words."
    )
    hooked = await _receive(narrow, tenant.source_id, "msg_1", external_id="a-1", body="Others.")
    repeated = await _receive(narrow, tenant.source_id, "msg_1", external_id="a-1", body="Others.")

    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.feedback.id == first.feedback.id
    assert hooked is not None
    assert (hooked.feedback.id, hooked.duplicate) == (first.feedback.id, True)
    assert repeated is None
    assert await factory.rows(STORED, of=tenant.id) == [("It works.",)]
    assert len(await factory.rows(EVENTS, of=tenant.id)) == 1


async def test_strangers_and_readers_store_nothing(narrow: Database, factory: Factory) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    reader = await factory.member(tenant, "VIEWER")
    for source in (None, tenant.source_id):
        with pytest.raises(NotFoundError, match="no such workspace"):
            await _submit(narrow, other.owner, tenant.id, source)
        with pytest.raises(ForbiddenError):
            await _submit(narrow, reader, tenant.id, source)
    with pytest.raises(NotFoundError, match="no such source"):
        await _submit(narrow, other.owner, other.id, tenant.source_id)
    with pytest.raises(NotFoundError, match="no such source"):
        await _receive(narrow, new_id(), "msg_1", body="It works.")

    assert await factory.rows(STORED, of=tenant.id) == []
    assert await factory.rows(EVENTS, of=tenant.id) == []


@pytest.mark.parametrize("source", [True, False])
async def test_the_statement_alone_refuses_who_may_not(
    narrow: Database, factory: Factory, *, source: bool
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    reader = await factory.member(tenant, "VIEWER")
    draft = store.Draft(
        id=new_id(),
        external_id=None,
        author_name=None,
        author_email=None,
        author_external_id=None,
        body="It works.",
        rating=None,
        metadata=None,
        occurred_at=NOON,
        sealed=None,
    )
    for person, roles in (
        (other.owner, ["ANALYST", "OWNER"]),
        (reader, ["ANALYST", "OWNER"]),
        (tenant.owner, []),
    ):
        async with narrow.transaction() as uow:
            stored = await store.submit(
                uow,
                person.id,
                roles,
                workspace=tenant.id,
                source=tenant.source_id if source else None,
                event_kind="feedback.added",
                event="{}",
                **draft,
            )
            assert stored is None

    assert await factory.rows(STORED, of=tenant.id) == []


async def _insert(settings: Settings, tenant: Tenant, entered: UUID | None) -> str:
    connection = await asyncpg.connect(settings.database_url)
    try:
        if entered is None:
            text = f"WITH entered AS (SELECT 1) {INSERT}"
            return str(await connection.execute(text, tenant.id, tenant.source_id))
        return str(
            await connection.execute(ENTERED + INSERT, tenant.id, tenant.source_id, str(entered))
        )
    finally:
        await connection.close()


async def test_row_level_security_checks_what_a_single_statement_inserts(
    apart: Settings, factory: Factory
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    for entered in (None, other.id):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await _insert(apart, tenant, entered)

    assert await _insert(apart, tenant, tenant.id) == "INSERT 0 1"
    assert len(await factory.rows(STORED, of=tenant.id)) == 1


async def test_a_submission_leaves_no_workspace_entered(narrow: Database, factory: Factory) -> None:
    tenant = await factory.tenant()
    await _submit(narrow, tenant.owner, tenant.id, tenant.source_id)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with narrow.transaction() as uow:
            await store.add(
                uow,
                workspace=tenant.id,
                source=tenant.source_id,
                **feedback.drafted(Message("It works."), now()),
            )


async def test_one_delivery_that_comes_many_times_at_once_is_stored_once(
    database: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    answers = await asyncio.gather(
        *(
            _receive(database, tenant.source_id, "msg_1", body=f"It works {number}.")
            for number in range(20)
        )
    )

    assert [answer.duplicate for answer in answers if answer is not None] == [False]
    assert len(await factory.rows(STORED, of=tenant.id)) == 1
    assert len(await factory.rows(EVENTS, of=tenant.id)) == 1


async def test_a_delivery_that_meets_its_twin_gives_way(
    narrow: Database, apart: Settings, factory: Factory
) -> None:
    tenant = await factory.tenant()
    twin = await asyncpg.connect(apart.database_url)
    await twin.execute("BEGIN")
    await twin.execute("SELECT set_config('earful.workspace_id', $1, true)", str(tenant.id))
    await twin.execute(
        "INSERT INTO delivery VALUES ($1, 'msg_1', $2, now())", tenant.source_id, tenant.id
    )
    coming = asyncio.create_task(_receive(narrow, tenant.source_id, "msg_1", body="It works."))
    async with asyncio.timeout(5):
        while not await factory.rows(WAITING):
            await asyncio.sleep(0.005)
    await twin.execute("COMMIT")
    await twin.close()

    assert await coming is None
    assert await factory.rows(STORED, of=tenant.id) == []


async def test_nothing_follows_a_sole_statement_that_did_its_work(
    narrow: Database, factory: Factory
) -> None:
    tenant = await factory.tenant()
    command = SubmitFeedback(tenant.id, None, Message("It works."))
    async with narrow.transaction() as uow:
        await feedback.submit(uow, _viewer(tenant.owner), command)
        with pytest.raises(RuntimeError, match="is over"):
            await uow.enter(tenant.id)
        with pytest.raises(RuntimeError, match="is over"):
            uow.emit(tenant.id, "feedback.added", "{}")
        with pytest.raises(RuntimeError, match="is over"):
            await feedback.submit(uow, _viewer(tenant.owner), command)

    assert await factory.rows(STORED, of=tenant.id) == [("It works.",)]


async def test_a_sole_statement_comes_first(narrow: Database, factory: Factory) -> None:
    tenant = await factory.tenant()
    async with narrow.transaction() as uow:
        await uow.enter(tenant.id)
        with pytest.raises(RuntimeError, match="comes first"):
            await feedback.receive(uow, tenant.source_id, "msg_1", Message("It works."))
