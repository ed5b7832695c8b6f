"""Submitting feedback over GraphQL: what is refused, and whom."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.callers import JSON, Caller
from tests.factories import Factory
from tests.graph.feedback_queries import DAY, SUBMIT, UNKNOWN, submit


async def stored(factory: Factory) -> int:
    ((rows,),) = await factory.rows("SELECT count(*) FROM feedback")
    ((events,),) = await factory.rows("SELECT count(*) FROM outbox")
    return int(rows) + int(events)


def nested(levels: int) -> JSON:
    value: JSON = {}
    for _ in range(levels):
        value = {"a": value}
    return value


TIME_RANGE = "must be from 1970 to at most one day from now"


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"body": ""}, ["body"], "must not be blank"),
        ({"body": " \n\t\u00a0\u2003"}, ["body"], "must not be blank"),
        ({"body": "nul\x00"}, ["body"], "must not contain the NUL character"),
        ({"body": "x" * 50_001}, ["body"], "must have at most 50,000 characters, has 50,001"),
        ({"externalId": ""}, ["externalId"], "must not be blank"),
        ({"externalId": " "}, ["externalId"], "must not be blank"),
        ({"externalId": "\x00"}, ["externalId"], "must not contain the NUL character"),
        ({"externalId": "x" * 501}, ["externalId"], "must have at most 500 characters, has 501"),
        ({"rating": 11}, ["rating"], "must be from 0 to 10"),
        ({"rating": -1}, ["rating"], "must be from 0 to 10"),
        ({"rating": 2**31 - 1}, ["rating"], "must be from 0 to 10"),
        ({"occurredAt": "1969-12-31T23:59:59.999999Z"}, ["occurredAt"], TIME_RANGE),
        ({"occurredAt": "9999-12-31T23:59:59Z"}, ["occurredAt"], TIME_RANGE),
        ({"occurredAt": "0001-01-01T00:00:00Z"}, ["occurredAt"], TIME_RANGE),
        ({"author": {"email": "nobody"}}, ["author", "email"], "must be an e-mail address"),
        (
            {"author": {"email": "nul\x00@example.com"}},
            ["author", "email"],
            "must not contain the NUL character",
        ),
        (
            {"author": {"name": "x" * 201}},
            ["author", "name"],
            "must have at most 200 characters, has 201",
        ),
        (
            {"author": {"externalId": "\x00"}},
            ["author", "externalId"],
            "must not contain the NUL character",
        ),
        ({"metadata": []}, ["metadata"], "must be a JSON object"),
        ({"metadata": "text"}, ["metadata"], "must be a JSON object"),
        ({"metadata": 1}, ["metadata"], "must be a JSON object"),
        ({"metadata": False}, ["metadata"], "must be a JSON object"),
        (
            {"metadata": {"a": "x" * 16_377}},
            ["metadata"],
            "must be at most 16,384 bytes of JSON, is 16,385",
        ),
        ({"metadata": nested(32)}, ["metadata"], "must not be nested deeper than 32 levels"),
        ({"metadata": nested(500)}, ["metadata"], "must not be nested deeper than 32 levels"),
        ({"metadata": {"a": "\x00"}}, ["metadata"], "must not contain the NUL character"),
        ({"metadata": {"\x00": 1}}, ["metadata"], "must not contain the NUL character"),
        ({"metadata": {"a": [{"b": "\x00"}]}}, ["metadata"], "must not contain the NUL character"),
    ],
)
async def test_a_message_that_breaks_a_rule_is_refused(
    factory: Factory, http: httpx.AsyncClient, change: JSON, path: list[str], message: str
) -> None:
    tenant = await factory.tenant()

    answer = await submit(
        tenant.owner, http, **{"workspaceId": tenant.gid, "body": "It works."} | change
    )

    assert answer == {
        "__typename": "InvalidInput",
        "message": "Some fields are not valid.",
        "fields": [{"path": path, "message": message}],
    }
    assert await stored(factory) == 0


async def test_every_broken_rule_is_told(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()

    answer = await submit(
        tenant.owner, http, workspaceId=tenant.gid, body="", rating=11, author={"email": "x"}
    )

    assert [field["path"] for field in answer["fields"]] == [
        ["body"],
        ["rating"],
        ["author", "email"],
    ]
    assert await stored(factory) == 0


async def test_a_message_of_the_day_after_tomorrow_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    when = (datetime.now(UTC) + 2 * DAY).isoformat()

    answer = await submit(
        tenant.owner, http, workspaceId=tenant.gid, body="It works.", occurredAt=when
    )

    assert answer["fields"] == [{"path": ["occurredAt"], "message": TIME_RANGE}]
    assert await stored(factory) == 0


@pytest.mark.parametrize("number", [str(2**64), str(-(2**63) - 1), "1" + "0" * 400])
async def test_a_number_that_cannot_be_kept_is_refused(
    factory: Factory, http: httpx.AsyncClient, number: str
) -> None:
    tenant = await factory.tenant()

    answer = await tenant.owner.on(http).ask(
        f"""mutation($id: ID!) {{ submitFeedback(input: {{
             workspaceId: $id, body: "It works.", metadata: {{ n: {number} }}
           }}) {{ ... on InvalidInput {{ fields {{ path message }} }} }} }}""",
        id=tenant.gid,
    )

    assert answer["submitFeedback"]["fields"] == [
        {"path": ["metadata"], "message": "must be JSON with numbers of at most 64 bits"}
    ]
    assert await stored(factory) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"body": None},
        {"body": 1},
        {"rating": "5"},
        {"rating": 5.5},
        {"rating": True},
        {"rating": 2**31},
        {"occurredAt": "2026-06-15T12:00:00"},
        {"occurredAt": "today"},
        {"author": "Ada"},
        {"unknown": 1},
    ],
)
async def test_a_value_of_the_wrong_type_is_no_request(
    factory: Factory, http: httpx.AsyncClient, change: JSON
) -> None:
    tenant = await factory.tenant()
    message = {"workspaceId": tenant.gid, "body": "It works."} | change

    (error,) = await tenant.owner.on(http).errors(SUBMIT, input=message)

    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert await stored(factory) == 0


@pytest.mark.parametrize(("field", "kind"), [("workspaceId", "workspace"), ("sourceId", "source")])
@pytest.mark.parametrize(
    "id", ["", "nonsense", f"feedback_{UNKNOWN}", "workspace_1", f"source_{UNKNOWN}0", 7]
)
async def test_submitting_with_what_is_no_id_is_refused(
    factory: Factory, http: httpx.AsyncClient, field: str, kind: str, id: Any
) -> None:
    tenant = await factory.tenant()

    answer = await submit(
        tenant.owner, http, **{"workspaceId": tenant.gid, "body": "It works.", field: id}
    )

    message = f"must be a {kind} id, such as {kind}_{UNKNOWN}"
    assert answer == {
        "__typename": "InvalidInput",
        "message": f"`{field}` {message}.",
        "fields": [{"path": [field], "message": message}],
    }
    assert await stored(factory) == 0


async def test_a_source_of_another_workspace_is_not_found(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)

    answer = await submit(
        tenant.owner, http, workspaceId=tenant.gid, sourceId=other.source_gid, body="It works."
    )

    assert answer == {
        "__typename": "NotFound",
        "message": "There is no such source in this workspace.",
    }
    assert await stored(factory) == 0


async def test_a_viewer_may_not_submit(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")

    answer = await submit(viewer, http, workspaceId=tenant.gid, body="It works.")

    assert answer == {
        "__typename": "Forbidden",
        "message": "You need the role ANALYST to submit feedback; yours is VIEWER.",
    }
    assert await stored(factory) == 0


async def test_a_stranger_finds_no_workspace_to_submit_to(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()

    answers = [
        await submit(stranger.owner, http, workspaceId=tenant.gid, body="It works."),
        await submit(stranger.owner, http, workspaceId=f"workspace_{UNKNOWN}", body="It works."),
    ]

    assert answers == [{"__typename": "NotFound", "message": "There is no such workspace."}] * 2
    assert await stored(factory) == 0


async def test_nobody_may_submit(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()

    (error,) = await nobody.errors(SUBMIT, input={"workspaceId": tenant.gid, "body": "It works."})

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await stored(factory) == 0
