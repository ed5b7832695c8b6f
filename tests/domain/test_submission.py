"""Submitting one by one: who comes while one is being stored shares the next commit, and each has its own answer."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from domain.feedback import Message, SubmitFeedback, Submitted
from domain.masker import Rules
from domain.masking import Kind
from domain.submission import Submissions
from domain.viewer import Viewer
from persistence.database import Database, StoreUnavailableError, new_id
from tests.factories import NOON, Factory, Person, Tenant
from tests.holding import held

pytestmark = pytest.mark.usefixtures("kept_outbox")

# What one transaction has written has one xmin.
_STORED = "SELECT body, xmin ::text FROM feedback ORDER BY id"
_TOLD = "SELECT payload ->> 'id', payload ->> 'source', xmin ::text FROM outbox ORDER BY id"
_INSERTS = "LOCK TABLE feedback IN SHARE MODE"
_END_WAITING = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
      AND query LIKE 'WITH entered%'"""


class Line:
    """Somebody who submits, at once and without waiting."""

    def __init__(self, database: Database, api: Api, tenant: Tenant, person: Person) -> None:
        self._database = database
        self._seals = api.services.seals
        self._tenant = tenant
        self._viewer = Viewer(person.id, person.session_id, NOON)
        self.submissions = Submissions()

    async def send(self, *messages: dict[str, Any]) -> "list[asyncio.Task[Submitted]]":
        """Each message on its way: the first is being stored, the others wait."""
        sent = []
        for message in messages:
            source = message.pop("source", self._tenant.source_id)
            command = SubmitFeedback(self._tenant.id, source, Message(**message))
            given = (self._database, self._viewer, command, self._seals)
            sent.append(asyncio.ensure_future(self.submissions.submit(*given)))
            await asyncio.sleep(0)
        return sent


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


@pytest.fixture
def line(database: Database, api: Api, tenant: Tenant) -> Line:
    return Line(database, api, tenant, tenant.owner)


def texts(number: int) -> list[dict[str, Any]]:
    return [{"body": f"Text {position}"} for position in range(number)]


async def ended(sent: "list[asyncio.Task[Submitted]]") -> list[Any]:
    async with asyncio.timeout(20):
        return await asyncio.gather(*sent, return_exceptions=True)


async def test_who_comes_meanwhile_shares_the_next_commit(
    line: Line, settings: Settings, factory: Factory
) -> None:
    async with held(settings, _INSERTS):
        sent = await line.send(*texts(6))
    answers = await ended(sent)

    stored = await factory.rows(_STORED)
    told = await factory.rows(_TOLD)
    assert [answer.feedback.body for answer in answers] == [f"Text {n}" for n in range(6)]
    assert [body for body, _ in stored] == [f"Text {n}" for n in range(6)]
    (first, *others) = [xmin for _, xmin in stored]
    assert others == [others[0]] * 5 != [first] * 5
    assert [xmin for _, _, xmin in told] == [first, *others]
    assert [id_ for id_, _, _ in told] == [answer.feedback.id.hex for answer in answers]


async def test_one_after_the_other_is_stored_by_itself(line: Line, factory: Factory) -> None:
    for text in texts(3):
        await ended(await line.send(text))

    assert len({xmin for _, xmin in await factory.rows(_STORED)}) == 3


@pytest.mark.parametrize("default", [True, False])
async def test_what_is_answered_and_told_is_what_is_stored(
    line: Line, settings: Settings, factory: Factory, tenant: Tenant, default: bool
) -> None:
    said = {"rating": 7, "occurred_at": NOON, "metadata": {"b": 1, "a": [2]}, "external_id": "a"}
    sources = await factory.rows("SELECT id FROM source WHERE kind = 'API'")
    source = {True: None, False: tenant.source_id}[default]
    async with held(settings, _INSERTS):
        sent = await line.send(
            {"body": "One.", "source": source}, {"body": "Two.", "source": source} | said
        )
    _, answer = await ended(sent)

    row = answer.feedback
    stored = await factory.rows(
        "SELECT id, source_id, metadata ::text, rating, occurred_at, received_at FROM feedback"
        " WHERE external_id = 'a'"
    )
    expected = {True: sources[0][0], False: tenant.source_id}[default]
    assert stored == [(row.id, expected, row.metadata, 7, NOON, row.received_at)]
    assert [of for _, of, _ in await factory.rows(_TOLD)] == [expected.hex] * 2


async def test_each_is_refused_for_its_own_sake(
    line: Line, settings: Settings, factory: Factory, tenant: Tenant
) -> None:
    known = await factory.feedback(tenant, "Known.", external_id="k")
    async with held(settings, _INSERTS):
        sent = await line.send(
            {"body": "First."},
            {"body": " "},
            {"body": "Other words.", "external_id": "k"},
            {"body": "Twice.", "external_id": "t"},
            {"body": "Twice again.", "external_id": "t"},
            {"body": "Last."},
        )
    first, blank, again, once, twice, last = await ended(sent)

    assert isinstance(blank, InvalidInputError)
    assert [error.path for error in blank.fields] == [("body",)]
    assert (again.duplicate, f"feedback_{again.feedback.id.hex}") == (True, known)
    assert (once.duplicate, twice.duplicate) == (False, True)
    assert once.feedback.id == twice.feedback.id
    assert (first.duplicate, last.duplicate) == (False, False)
    bodies = sorted(body for body, _ in await factory.rows(_STORED))
    assert bodies == ["First.", "Known.", "Last.", "Twice."]


async def test_masking_is_seen_by_all(
    line: Line, settings: Settings, factory: Factory, tenant: Tenant
) -> None:
    async with held(settings, _INSERTS):
        sent = await line.send(*({"body": f"I am a{n}@example.com"} for n in range(3)))
        await factory.change(
            "UPDATE source SET masking = cast(:rules AS jsonb)",
            rules=Rules((Kind.EMAIL,)).to_json(),
            within=tenant,
        )
    answers = await ended(sent)

    assert [answer.feedback.body for answer in answers[1:]] == ["I am [email]"] * 2


async def test_nobody_gets_in_with_others(
    database: Database, api: Api, tenant: Tenant, factory: Factory, settings: Settings
) -> None:
    viewer = await factory.member(tenant, "VIEWER")
    stranger = (await factory.tenant()).owner
    lines = [Line(database, api, tenant, person) for person in (tenant.owner, viewer, stranger)]
    for each in lines:
        each.submissions = lines[0].submissions
    async with held(settings, _INSERTS):
        sent = [task for each in lines for task in await each.send(*texts(2))]
        sent += await lines[0].send({"body": "Elsewhere.", "source": new_id()})
    *answers, nowhere = await ended(sent)

    assert [type(answer) for answer in answers] == [
        *(Submitted, Submitted),
        *(ForbiddenError, ForbiddenError),
        *(NotFoundError, NotFoundError),
    ]
    assert isinstance(nowhere, NotFoundError)


async def test_who_leaves_changes_nothing_for_the_others(
    line: Line, settings: Settings, factory: Factory
) -> None:
    async with held(settings, _INSERTS):
        sent = await line.send(*texts(4))
        sent[0].cancel()
        sent[2].cancel()
    answers = await ended(sent)

    assert [type(answer) for answer in answers] == [
        asyncio.CancelledError,
        Submitted,
        asyncio.CancelledError,
        Submitted,
    ]
    assert {"Text 1", "Text 3"} <= {body for body, _ in await factory.rows(_STORED)}


async def test_without_postgres_all_are_told_and_the_next_is_stored(
    api: Api, tenant: Tenant, settings: Settings, factory: Factory
) -> None:
    admin = await asyncpg.connect(settings.database_url)
    async with open_database(settings, "submission") as database:
        line = Line(database, api, tenant, tenant.owner)
        async with held(settings, _INSERTS):
            sent = await line.send(*texts(4))
            for task in sent[:2]:
                async with asyncio.timeout(20):
                    while not await admin.fetch(_END_WAITING):
                        await asyncio.sleep(0.01)
                    await asyncio.wait({task})
        answers = await ended(sent)
        (after,) = await ended(await line.send({"body": "Next."}))
    await admin.close()

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 4
    assert after.feedback.body == "Next."
    assert [body for body, _ in await factory.rows(_STORED)] == ["Next."]
