"""Submitting many messages at once."""

from typing import Any

import httpx
import pytest

from persistence.database import Database
from tests.app.deliveries import rows
from tests.factories import Factory
from tests.graph.source_queries import change

pytestmark = pytest.mark.usefixtures("kept_outbox")


async def test_each_message_has_a_result(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    known = await factory.feedback(tenant, external_id="t-0", body="Known.")
    items: list[dict[str, Any]] = [
        {"body": "New.", "externalId": "t-1"},
        {"body": " ", "author": {"email": "ada"}},
        {"body": "Again.", "externalId": "t-1"},
        {"body": "Other words.", "externalId": "t-0"},
        {"body": "Without an id.", "rating": 3},
    ]

    answer = await change(
        tenant.owner,
        http,
        "submitFeedbackBatch",
        workspaceId=tenant.gid,
        sourceId=tenant.source_gid,
        items=items,
    )

    results = answer["results"]
    assert (answer["stored"], answer["duplicates"], answer["refused"]) == (2, 2, 1)
    assert [result["index"] for result in results] == [0, 1, 2, 3, 4]
    assert [result["feedback"] and result["feedback"]["body"] for result in results] == [
        "New.",
        None,
        "New.",
        "Known.",
        "Without an id.",
    ]
    assert results[3]["feedback"]["id"] == known
    assert [field["path"] for field in results[1]["fields"]] == [["body"], ["author", "email"]]
    assert len(await rows(database)) == 3
    assert await factory.rows("SELECT kind, count(*) FROM outbox GROUP BY kind") == [
        ("feedback.added", 2)
    ]


async def test_without_a_source_they_go_to_the_first_of_the_api(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    await change(
        tenant.owner,
        http,
        "submitFeedbackBatch",
        workspaceId=tenant.gid,
        items=[{"body": str(number)} for number in range(500)],
    )

    assert await factory.rows(
        "SELECT name, count(*) FROM feedback JOIN source ON source.id = source_id GROUP BY name"
    ) == [("API", 500)]


async def test_a_key_that_may_write_may_write_many(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, "feedback:write")

    answer = await change(
        partner,  # type: ignore[arg-type]  # asks as a person does
        http,
        "submitFeedbackBatch",
        workspaceId=tenant.gid,
        items=[{"body": "Of a partner."}],
    )

    assert answer["stored"] == 1


async def test_too_many_and_none_are_refused(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()

    answers = [
        await change(
            tenant.owner,
            http,
            "submitFeedbackBatch",
            workspaceId=tenant.gid,
            items=[{"body": "x"}] * size,
        )
        for size in (0, 501)
    ]

    assert [answer["message"] for answer in answers] == [
        "1 to 500 messages at once; there are 0.",
        "1 to 500 messages at once; there are 501.",
    ]
    assert await rows(database) == []
