"""Using files: downloads that no browser runs, attachments of feedback."""

import asyncio
from typing import Any

import httpx
import pytest

from app.resources import Api
from domain import events, file
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.uploads import get, target, uploaded

PNG = b"\x89PNG not really"
_ATTACH = """mutation($input: AttachFilesInput!) { result: attachFiles(input: $input) {
    __typename ... on Problem { message } ... on InvalidInput { fields { path message } }
    ... on AttachFilesSuccess { feedback { id attachments { name } } }
} }"""
_ATTACHED = """query($slug: String!) { workspace(slug: $slug) {
    feedback(orderBy: OLDEST_FIRST) { nodes { attachments { name status downloadUrl } } }
} }"""


async def attachment(caller: Caller, tenant: Tenant, name: str = "shot.png", **given: Any) -> JSON:
    return await uploaded(
        caller,
        tenant,
        PNG,
        **{"name": name, "contentType": "image/png", "purpose": "ATTACHMENT"} | given,
    )


async def attach(caller: Caller, feedback: str, *files: JSON) -> JSON:
    given = {"feedbackId": feedback, "fileIds": [each["id"] for each in files]}
    return (await caller.ask(_ATTACH, input=given))["result"]


# Downloads


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("a.csv", "attachment; filename=\"a.csv\"; filename*=UTF-8''a.csv"),
        (
            'Übersicht "neu"; 100%.csv',
            (
                "attachment; filename=\"_bersicht _neu__ 100_.csv\"; filename*=UTF-8''"
                "%C3%9Cbersicht%20%22neu%22%3B%20100%25.csv"
            ),
        ),
        ("感想.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%E6%84%9F%E6%83%B3.csv"),
    ],
)
async def test_a_download_is_saved_under_its_name(
    factory: Factory, http: httpx.AsyncClient, name: str, disposition: str
) -> None:
    tenant = await factory.tenant()
    ready = await uploaded(tenant.owner.on(http), tenant, name=name)

    answer = await get(ready["downloadUrl"])

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == disposition
    assert answer.headers["content-type"] == "text/csv"


async def test_what_a_browser_might_do_something_with_has_no_type(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    ready = await attachment(caller, tenant, name="a.zip", contentType="application/zip")

    answer = await get(ready["downloadUrl"])

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("attachment", "inline"),
        ("text%2Fcsv", "text%2Fhtml"),
        ("X-Amz-Expires=300", "X-Amz-Expires=30000"),
        ("/files/", "/files/0"),
    ],
)
async def test_s3_refuses_tampered_downloads(
    factory: Factory, http: httpx.AsyncClient, old: str, new: str
) -> None:
    tenant = await factory.tenant()
    url = (await uploaded(tenant.owner.on(http), tenant))["downloadUrl"]
    assert url.count(old) == 1

    assert (await get(url.replace(old, new))).status_code == 403


async def test_nothing_is_fetched_without_a_signature(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    url = (await uploaded(tenant.owner.on(http), tenant))["downloadUrl"]

    assert (await get(url.partition("?")[0])).status_code == 403


# Attachments


async def test_files_are_attached_and_read_with_their_feedback(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    first, second = [await factory.feedback(tenant) for _ in range(2)]
    one = await attachment(caller, tenant, "one.png")
    two = await attachment(caller, tenant, "two.png")

    await attach(caller, first, one)
    answer = await attach(caller, first, two, one)
    read = await caller.ask(_ATTACHED, slug=tenant.slug)

    assert answer == {
        "__typename": "AttachFilesSuccess",
        "feedback": {"id": first, "attachments": [{"name": "one.png"}, {"name": "two.png"}]},
    }
    nodes = read["workspace"]["feedback"]["nodes"]
    assert sorted(len(node["attachments"]) for node in nodes) == [0, 2]
    urls = [each["downloadUrl"] for node in nodes for each in node["attachments"]]
    assert [(await get(url)).content for url in urls] == [PNG, PNG]
    assert second != first


async def test_attaching_is_announced(
    factory: Factory, http: httpx.AsyncClient, api: Api, relay: object
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    feedback = await factory.feedback(tenant)
    tag = await factory.tag(tenant, "red", feedback)
    ready = await attachment(caller, tenant)

    await attach(caller, feedback, ready)
    await attach(caller, feedback, ready)

    async with asyncio.timeout(10):
        while await factory.rows("SELECT id FROM outbox"):
            await asyncio.sleep(0.01)
    entries = await api.bus.read(events.topic(tenant.id, events.FEEDBACK_TOPIC), 0, 100)
    (updated,) = [events.FeedbackEvent.from_json(entry.payload) for entry in entries]
    assert updated.type == "UPDATED"
    assert [each.hex for each in updated.facets.tag_ids] == [tag.partition("_")[2]]


async def test_a_file_goes_with_one_feedback(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    feedback = [await factory.feedback(tenant) for _ in range(2)]
    ready = await attachment(caller, tenant)

    answers = await asyncio.gather(*(attach(caller, each, ready) for each in feedback))

    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["AttachFilesSuccess", "Conflict"]


async def test_only_attachments_that_are_ready_are_attached(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    feedback = await factory.feedback(tenant)
    ready = await attachment(caller, tenant)
    imported = await uploaded(caller, tenant)
    pending = (await target(caller, tenant, purpose="ATTACHMENT"))["file"]

    answer = await attach(caller, feedback, ready, imported, pending)

    assert answer["__typename"] == "InvalidInput"
    assert [field["path"] for field in answer["fields"]] == [["fileIds", "1"], ["fileIds", "2"]]
    assert await factory.rows("SELECT 1 FROM file WHERE feedback_id IS NOT NULL") == []


async def test_a_feedback_has_twenty_files_at_most(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    feedback = await factory.feedback(tenant)
    files = [await attachment(caller, tenant, f"{number}.png") for number in range(21)]

    full = await attach(caller, feedback, *files[: file.MOST_ATTACHED])
    refused = await attach(caller, feedback, files[-1])

    assert len(full["feedback"]["attachments"]) == 20
    assert [field["path"] for field in refused["fields"]] == [["fileIds"]]


async def test_viewers_attach_nothing(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    feedback = await factory.feedback(tenant)
    ready = await attachment(tenant.owner.on(http), tenant)

    answer = await attach(viewer.on(http), feedback, ready)

    assert answer["__typename"] == "Forbidden"
    assert await factory.rows("SELECT 1 FROM file WHERE feedback_id IS NOT NULL") == []


async def test_files_of_others_are_not_attached(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    ready = await attachment(tenant.owner.on(http), tenant)
    own = await factory.feedback(other)

    answer = await attach(other.owner.on(http), own, ready)

    assert answer == {
        "__typename": "NotFound",
        "message": "There is no such file in this workspace.",
    }
