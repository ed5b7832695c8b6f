"""Deliveries of every provider over HTTP: taken once, kept apart where they are no feedback, refused where forged."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from app.resources import Api
from domain import ids
from domain import source as sources
from domain.ids import Kind
from persistence import source as source_store
from persistence.database import Database, new_id
from tests.app.deliveries import rows
from tests.factories import Factory, Tenant
from tests.provider_samples import SAMPLES, Sample

QUARANTINED = "SELECT reason, raw, times, is_part FROM quarantined ORDER BY received_at, delivery"


@dataclass(frozen=True, slots=True)
class Line:
    """From a provider to a source of a tenant."""

    http: httpx.AsyncClient
    tenant: Tenant
    id: str
    sample: Sample

    async def send(
        self, document: Any = None, *, secret: str | None = None, at: datetime | None = None
    ) -> httpx.Response:
        """A delivery of the sample, or of something else, signed as the provider does."""
        body = self.sample.body if document is None else orjson.dumps(document)
        headers = self.sample.sign(secret or self.sample.secret, body, at or datetime.now(UTC))
        return await self.http.post(f"/hooks/{self.id}", content=body, headers=headers)


async def line(
    api: Api, database: Database, factory: Factory, http: httpx.AsyncClient, name: str, **more: Any
) -> Line:
    sample, tenant, source = SAMPLES[name], await factory.tenant(), new_id()
    settings = {**sample.settings, **more.pop("settings", {})}
    async with database.transaction() as uow:
        await uow.enter(tenant.id)
        await source_store.add(
            uow,
            workspace=tenant.id,
            source=source,
            name=name,
            kind="WEBHOOK",
            provider=sample.provider,
            sealed_secret=sources.seal_secret(api.services.seals, source, sample.secret),
            settings=orjson.dumps(settings).decode(),
            **more,
        )
    return Line(http, tenant, ids.write(Kind.SOURCE, source), sample)


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_delivery_is_taken_once(
    name: str, api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, name)
    at = datetime.now(UTC)

    responses = [await provider.send(at=at) for _ in range(2)]

    (row,) = await rows(database)
    assert [response.status_code for response in responses] == [202, 200]
    assert responses[0].json() == {
        "id": ids.write(Kind.FEEDBACK, row["id"]),
        "duplicate": False,
    }
    assert responses[1].json()["duplicate"] is True
    assert (row["body"], row["external_id"], row["rating"]) == provider.sample.said


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_forged_delivery_is_refused(
    name: str, api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, name)
    other = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"

    response = await provider.send(secret=other)

    assert response.status_code == 401
    assert await rows(database) == []
    assert await factory.rows(QUARANTINED) == []


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.has_time])
async def test_a_stale_delivery_is_refused(
    name: str, api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, name)

    response = await provider.send(at=datetime.now(UTC) - timedelta(minutes=6))

    assert response.status_code == 401
    assert await rows(database) == []


@pytest.mark.parametrize("name", ["STRIPE", "GITHUB", "SLACK", "TYPEFORM", "INTERCOM", "ZENDESK"])
async def test_what_is_no_feedback_is_taken_and_kept_apart(
    name: str, api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, name)

    responses = [await provider.send({"type": "something else"}) for _ in range(2)]

    kept = await factory.rows(QUARANTINED)
    assert [response.status_code for response in responses] == [202, 202]
    assert [response.json()["quarantined"] for response in responses] == [True, True]
    assert {raw for _, raw, _, _ in kept} == {b'{"type":"something else"}'}
    assert sum(times for _, _, times, _ in kept) == 2
    assert await rows(database) == []


async def test_a_ticket_that_zendesk_tells_twice_of_is_stored_once(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "ZENDESK")
    ticket = SAMPLES["ZENDESK"].document
    comment = {"id": "9", "body": ticket["detail"]["description"], "is_public": True}
    added = {"type": "zen:event-type:ticket.comment_added", "id": "another"}

    answers = [
        await provider.send(ticket | added | {"event": {"comment": comment}}),
        await provider.send(),
    ]

    (row,) = await rows(database)
    assert [answer.status_code for answer in answers] == [202, 200]
    assert row["body"] == SAMPLES["ZENDESK"].said[0]


async def test_a_challenge_of_slack_is_answered(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "SLACK")

    response = await provider.send({"type": "url_verification", "challenge": "3eZbrw1a"})

    assert (response.status_code, response.json()) == (200, {"challenge": "3eZbrw1a"})


@pytest.mark.usefixtures("kept_outbox")
async def test_an_edit_takes_the_place_of_what_was_said_and_that_is_remembered(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "GITHUB")
    issue = SAMPLES["GITHUB"].document["issue"]
    await provider.send()

    edited = await provider.send(
        SAMPLES["GITHUB"].document | {"action": "edited", "issue": issue | {"body": "All fine."}}
    )

    (row,) = await rows(database)
    revisions = await factory.rows("SELECT body FROM feedback_revision")
    events = await factory.rows("SELECT kind FROM outbox ORDER BY id")
    assert (edited.status_code, edited.json()["updated"]) == (200, True)
    assert row["body"] == "Export fails\n\nAll fine."
    assert revisions == [("Export fails\n\nIt says 500.",)]
    assert events[-1:] == [("feedback.updated",)]


async def test_another_text_is_scored_again_and_another_rating_is_not(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "GENERIC")
    review = SAMPLES["GENERIC"].document["review"]
    await provider.send()
    await factory.change(
        "UPDATE feedback SET scored_at = now(), sentiment_label = 'POSITIVE', sentiment_score = 1,"
        " sentiment_confidence = 1, sentiment_model = 'm'",
        within=provider.tenant,
    )

    await provider.send({"shop": "berlin", "review": review | {"stars": 4}})
    (rated,) = await rows(database)
    await provider.send({"shop": "berlin", "review": review | {"stars": 4, "text": "Awful."}})
    (reworded,) = await rows(database)

    assert (rated["rating"], rated["sentiment_label"]) == (4, "POSITIVE")
    assert (reworded["body"], reworded["sentiment_label"], reworded["scored_at"]) == (
        "Awful.",
        None,
        None,
    )


async def test_no_more_than_twenty_revisions_are_kept(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "GENERIC")
    review = SAMPLES["GENERIC"].document["review"]

    for number in range(23):
        await provider.send({"review": review | {"text": f"Version {number}."}})

    revisions = await factory.rows("SELECT body FROM feedback_revision ORDER BY id")
    assert [body for (body,) in revisions] == [f"Version {number}." for number in range(2, 22)]


async def test_the_same_body_without_ids_is_new_once_a_replay_would_be_stale(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    mapping = {"mapping": {"body": "text"}}
    provider = await line(api, database, factory, http, "GENERIC with a token", settings=mapping)
    first, again = [await provider.send({"text": "Fine."}) for _ in range(2)]
    await factory.change(
        "UPDATE delivery SET received_at = received_at - interval '6 minutes'",
        within=provider.tenant,
    )

    later = await provider.send({"text": "Fine."})

    assert [first.status_code, again.status_code, later.status_code] == [202, 200, 202]
    assert len(await rows(database)) == 2


async def test_a_source_without_a_secret_takes_nothing(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "STRIPE")
    await factory.change(
        "UPDATE source SET sealed_secret = NULL WHERE name = 'STRIPE'", within=provider.tenant
    )

    response = await provider.send()

    assert response.status_code == 401
    assert response.json() == {"error": {"message": "The source has no secret yet."}}


async def test_a_deleted_source_is_not_found(
    api: Api, factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    provider = await line(api, database, factory, http, "GENERIC")
    await factory.change("UPDATE source SET closed_at = now()", within=provider.tenant)

    response = await provider.send()

    assert response.status_code == 404
    assert await rows(database) == []
