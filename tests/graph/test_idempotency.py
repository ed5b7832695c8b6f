"""Mutations with an Idempotency-Key: carried out once, answered the same."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import now
from graph.idempotency import answering_tokens
from graph.schema import schema
from jobs import housekeeping
from persistence.database import Database
from tests.applications import without_postgres
from tests.factories import PASSWORD, Factory, Partner, Person, Tenant
from tests.graph.account_queries import mutation
from tests.holding import held

TAG = mutation("createTag", "tag { id name }")
IN_PROGRESS = "The same request is being carried out. Send it again in a moment."
LOST = "This request was carried out, and its answer is lost: look for what it has changed."


async def post(
    http: httpx.AsyncClient,
    who: Person | Partner,
    key: str,
    query: str,
    **input: Any,
) -> httpx.Response:
    headers = {"authorization": f"Bearer {who.token}", "idempotency-key": key}
    body = {"query": query, "variables": {"input": input}}
    return await http.post("/graphql", json=body, headers=headers)


def error(response: httpx.Response) -> tuple[int, str, str]:
    (one,) = response.json()["errors"]
    return response.status_code, one["extensions"]["code"], one["message"]


async def tags(factory: Factory) -> list[str]:
    return [name for (name,) in await factory.rows("SELECT name FROM tag ORDER BY name")]


async def test_the_same_key_answers_the_same_bytes_and_does_it_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    asked = {"workspaceId": tenant.gid, "name": "late"}

    first = await post(http, tenant.owner, "key 1", TAG, **asked)
    again = await post(http, tenant.owner, "key 1", TAG, **asked)

    assert first.json()["data"]["answer"]["__typename"] == "CreateTagSuccess"
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await tags(factory) == ["late"]


async def test_the_extensions_may_say_the_key(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    body = {
        "query": TAG,
        "variables": {"input": {"workspaceId": tenant.gid, "name": "late"}},
        "extensions": {"idempotencyKey": "key 1"},
    }
    headers = {"authorization": f"Bearer {tenant.owner.token}"}

    first = await http.post("/graphql", json=body, headers=headers)
    again = await http.post("/graphql", json=body, headers=headers)
    by_header = await post(http, tenant.owner, "key 1", TAG, workspaceId=tenant.gid, name="late")
    other = await http.post("/graphql", json=body, headers=headers | {"idempotency-key": "key 2"})
    halved = await http.post(
        "/graphql",
        content=orjson.dumps(body).replace(b'"key 1"', b'"\\ud800"'),
        headers=headers | {"idempotency-key": "key 2", "content-type": "application/json"},
    )
    number = await http.post(
        "/graphql", json=body | {"extensions": {"idempotencyKey": 1}}, headers=headers
    )

    assert first.json()["data"]["answer"]["__typename"] == "CreateTagSuccess"
    assert first.content == again.content == by_header.content
    assert await tags(factory) == ["late"]
    message = "The header and the extensions say different idempotency keys."
    assert error(other) == (400, "BAD_REQUEST", message)
    assert halved.status_code == 400
    message = "`extensions.idempotencyKey` must be a string."
    assert error(number) == (400, "BAD_REQUEST", message)


@pytest.mark.usefixtures("kept_outbox")
async def test_it_holds_for_a_mutation_that_is_one_statement(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    submit = mutation("submitFeedback", "feedback { id }")
    asked = {"workspaceId": tenant.gid, "body": "Late again."}

    answers = [await post(http, tenant.owner, "key", submit, **asked) for _ in range(2)]

    assert answers[0].json()["data"]["answer"]["__typename"] == "SubmitFeedbackSuccess"
    assert answers[1].content == answers[0].content
    assert await factory.rows("SELECT body FROM feedback") == [("Late again.",)]
    assert await factory.rows("SELECT count(*) FROM outbox WHERE kind = 'feedback.added'") == [(1,)]


async def test_another_request_with_the_same_key_is_a_conflict(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await post(http, tenant.owner, "key", TAG, workspaceId=tenant.gid, name="late")

    other = await post(http, tenant.owner, "key", TAG, workspaceId=tenant.gid, name="early")

    message = "This idempotency key was sent with another request."
    assert error(other) == (409, "CONFLICT", message)
    assert await tags(factory) == ["late"]


async def test_a_persisted_document_is_known_by_its_hash(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    headers = {"authorization": f"Bearer {tenant.owner.token}", "idempotency-key": "key"}
    texts = [TAG, TAG.replace("id name", "name")]
    persisted = [
        {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
        for text in texts
    ]
    asked = {"variables": {"input": {"workspaceId": tenant.gid, "name": "late"}}}
    both = {"query": TAG, "extensions": persisted[0]}
    await http.post("/graphql", json={"query": texts[1], "extensions": persisted[1]})

    answers = [
        await http.post("/graphql", json=asked | body, headers=headers)
        for body in (both, {"extensions": persisted[0]}, {"extensions": persisted[1]})
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[1].content == answers[0].content
    assert await tags(factory) == ["late"]


async def test_each_caller_has_keys_of_its_own(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:tag")

    answers = [
        await post(http, who, "key", TAG, workspaceId=tenant.gid, name=name)
        for who, name in ((tenant.owner, "late"), (partner, "early"))
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await tags(factory) == ["early", "late"]


async def test_a_secret_is_answered_again_and_kept_sealed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    make = mutation("createApiKey", "secret")
    asked = {"workspaceId": tenant.gid, "name": "Shop", "scopes": ["stats:read"]}

    answers = [await post(http, tenant.owner, "key", make, **asked) for _ in range(2)]

    secret = answers[0].json()["data"]["answer"]["secret"]
    assert answers[1].json()["data"]["answer"]["secret"] == secret
    ((sealed,),) = await factory.rows("SELECT sealed_answer FROM idempotency_key")
    assert secret.encode() not in sealed
    assert await factory.rows("SELECT name FROM api_key") == [("Shop",)]


async def test_what_was_refused_leaves_the_key_free(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    id_ = await factory.tag(tenant, "late")
    asked = {"workspaceId": tenant.gid, "name": "late"}

    refused = await post(http, tenant.owner, "key", TAG, **asked)
    await factory.change("DELETE FROM tag", within=tenant)
    done = await post(http, tenant.owner, "key", TAG, **asked)

    assert refused.json()["data"]["answer"]["__typename"] == "Conflict"
    assert done.json()["data"]["answer"]["tag"]["id"] != id_


async def test_of_two_at_once_the_second_is_told_to_come_again(
    settings: Settings, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    asked = {"workspaceId": tenant.gid, "name": "late"}
    async with held(settings, "LOCK TABLE tag") as waited_for:
        first = asyncio.ensure_future(post(http, tenant.owner, "key", TAG, **asked))
        await waited_for(1)
        second = await post(http, tenant.owner, "key", TAG, **asked)

    assert error(second) == (409, "CONFLICT", IN_PROGRESS)
    assert second.headers["retry-after"] == "1"
    answered = await first
    third = await post(http, tenant.owner, "key", TAG, **asked)
    assert third.content == answered.content
    assert await tags(factory) == ["late"]


async def test_who_leaves_finds_the_answer_when_they_come_back(
    settings: Settings, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    asked = {"workspaceId": tenant.gid, "name": "late"}
    async with held(settings, "LOCK TABLE tag") as waited_for:
        first = asyncio.ensure_future(post(http, tenant.owner, "key", TAG, **asked))
        await waited_for(1)
        first.cancel()
        await asyncio.wait({first})

    async with asyncio.timeout(10):
        while not await factory.rows("SELECT FROM idempotency_key WHERE sealed_answer IS NOT NULL"):
            await asyncio.sleep(0.01)

    again = await post(http, tenant.owner, "key", TAG, **asked)
    assert again.json()["data"]["answer"]["tag"]["name"] == "late"
    assert await tags(factory) == ["late"]


async def test_whoever_lost_the_key_meanwhile_changes_nothing(
    settings: Settings, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    async with held(settings, "LOCK TABLE tag") as waited_for:
        slow = asyncio.ensure_future(
            post(http, tenant.owner, "key", TAG, workspaceId=tenant.gid, name="late")
        )
        await waited_for(1)
        await factory.change("UPDATE idempotency_key SET claim = gen_random_uuid()")

    assert (await slow).json()["data"]["answer"]["__typename"] == "Conflict"
    assert await tags(factory) == []


@pytest.mark.parametrize(
    ("done_at", "expected", "made"),
    [("NULL", (200, None), ["late"]), ("now()", (409, LOST), [])],
)
async def test_what_a_dead_process_has_left_tells_whether_it_was_done(
    done_at: str,
    expected: tuple[int, str | None],
    made: list[str],
    settings: Settings,
    factory: Factory,
    http: httpx.AsyncClient,
) -> None:
    tenant = await factory.tenant()
    asked = {"workspaceId": tenant.gid, "name": "late"}
    await post(http, tenant.owner, "key", TAG, **asked)
    await factory.change("DELETE FROM tag", within=tenant)
    await factory.change(
        f"UPDATE idempotency_key SET done_at = {done_at}, sealed_answer = NULL,"
        " claimed_until = now() - interval '1 second'"
    )

    answer = await post(http, tenant.owner, "key", TAG, **asked)

    message = answer.json().get("errors", [{"message": None}])[0]["message"]
    assert (answer.status_code, message) == expected
    assert await tags(factory) == made


async def test_a_key_is_free_again_after_a_day(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    await post(http, tenant.owner, "old", TAG, workspaceId=tenant.gid, name="one")
    await post(http, tenant.owner, "gone", TAG, workspaceId=tenant.gid, name="two")
    await factory.change("UPDATE idempotency_key SET created_at = created_at - interval '1 day'")

    other = await post(http, tenant.owner, "old", TAG, workspaceId=tenant.gid, name="three")
    await housekeeping.forget(database, now(), job_history=timedelta(days=30))

    assert other.json()["data"]["answer"]["tag"]["name"] == "three"
    assert await factory.rows("SELECT key FROM idempotency_key") == [("old",)]


async def test_an_answer_that_cannot_be_opened_is_lost(
    settings: Settings, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    asked = {"workspaceId": tenant.gid, "name": "late"}
    await post(http, tenant.owner, "key", TAG, **asked)
    await factory.change("UPDATE idempotency_key SET sealed_answer = sealed_answer || '\\x00'")

    assert error(await post(http, tenant.owner, "key", TAG, **asked)) == (409, "CONFLICT", LOST)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "k\xe9y", "key "])
async def test_what_cannot_be_a_key_is_refused(
    key: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    headers = {b"authorization": f"Bearer {tenant.owner.token}".encode()}
    body = {"query": TAG, "variables": {"input": {"workspaceId": tenant.gid, "name": "late"}}}

    answer = await http.post(
        "/graphql", json=body, headers=headers | {b"idempotency-key": key.encode("latin-1")}
    )

    message = "An idempotency key has 1 to 255 printable ASCII characters."
    assert error(answer) == (400, "INVALID_INPUT", message)
    assert await tags(factory) == []


async def test_a_key_is_for_one_mutation(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    two = TAG.replace("answer:", "logout { __typename } answer:")
    spread = (
        "mutation($input: CreateTagInput!) { ...f } "
        "fragment f on Mutation { createTag(input: $input) { __typename } }"
    )

    answers = [
        await post(http, tenant.owner, "key", query, workspaceId=tenant.gid, name="late")
        for query in (two, spread)
    ]

    message = "With an idempotency key an operation has one mutation, outside of fragments."
    assert [error(answer) for answer in answers] == [(400, "BAD_REQUEST", message)] * 2
    assert await tags(factory) == []


def test_no_mutation_that_answers_tokens_takes_a_key() -> None:
    assert answering_tokens(schema._schema) >= {"login", "refreshSession", "register"}


async def test_an_answer_with_tokens_is_not_kept(factory: Factory, http: httpx.AsyncClient) -> None:
    person = await factory.person()
    sign_in = mutation("login", "user { id }")

    answer = await post(http, person, "key", sign_in, email=person.email, password=PASSWORD)

    message = "login takes no idempotency key: its answer is a secret that is not kept."
    assert error(answer) == (400, "BAD_REQUEST", message)
    assert await factory.rows("SELECT id FROM session WHERE user_agent <> 'tests'") == []


async def test_nobody_has_keys(factory: Factory, http: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "key"}
    body = {"query": "mutation { logout { __typename } }"}

    nobody = await http.post("/graphql", json=body, headers=headers)
    stale = await http.post(
        "/graphql", json=body, headers=headers | {"authorization": "Bearer not good"}
    )

    message = "Sign in: an idempotency key is kept for its caller."
    assert error(nobody) == (400, "BAD_REQUEST", message)
    assert error(stale)[:2] == (400, "UNAUTHENTICATED")


async def test_a_query_needs_none(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await http.post(
        "/graphql",
        json={"query": "{ viewer { user { id } } }"},
        headers={"authorization": f"Bearer {tenant.owner.token}", "idempotency-key": ""},
    )

    assert answer.json()["data"] == {"viewer": {"user": {"id": tenant.owner.gid}}}
    assert await factory.rows("SELECT key FROM idempotency_key") == []


@pytest.mark.parametrize("accept", ["multipart/mixed", "text/event-stream"])
async def test_parts_and_events_are_not_kept(
    accept: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    http.headers["accept"] = accept

    answer = await post(http, tenant.owner, "key", TAG, workspaceId=tenant.gid, name="late")

    assert answer.status_code == 406
    assert await tags(factory) == []


async def test_while_the_store_is_away_nothing_is_done(
    settings: Settings, factory: Factory, api: Api
) -> None:
    tenant: Tenant = await factory.tenant()
    async with without_postgres(settings, api) as http:
        answer = await post(http, tenant.owner, "key", TAG, workspaceId=tenant.gid, name="late")

    assert error(answer)[:2] == (503, "INTERNAL")
    assert answer.headers["retry-after"] == "1"
