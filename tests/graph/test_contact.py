"""The public contact form, from the visitor to the inbox, through the real worker's tasks."""

from typing import Any

import httpx
import pytest

from app.main import Application
from tests.callers import Caller
from tests.factories import Factory, Tenant
from tests.graph.watching import JOB, connected
from tests.working import Worker

SUBMIT = """
    mutation($input: SubmitContactInput!) {
      submitContact(input: $input) {
        __typename
        ... on SubmitContactSuccess { job { id kind status attempts createdById } }
        ... on Problem { message }
        ... on InvalidInput { fields { path message } }
      }
    }
"""
FOUND = """
    query($id: ID!) {
      job(id: $id) { status progress result }
      node(id: $id) { ... on Job { status progress result } }
    }
"""
UPDATE = """
    mutation($input: UpdateWorkspaceInput!) {
      updateWorkspace(input: $input) {
        __typename
        ... on UpdateWorkspaceSuccess { workspace { name inboxEmail } }
        ... on InvalidInput { fields { path message } }
      }
    }
"""


def written(tenant: Tenant, **changed: str) -> dict[str, str]:
    return {
        "workspaceSlug": tenant.slug,
        "name": "Vera Visitor",
        "email": "vera@example.org",
        "message": "The <b>parcel</b>\nnever came.",
    } | changed


async def submitted(caller: Caller, input: dict[str, str]) -> Any:
    return (await caller.ask(SUBMIT, input=input))["submitContact"]


async def test_a_message_reaches_the_owner_and_the_visitor_is_thanked(
    factory: Factory, nobody: Caller, worker: Worker
) -> None:
    tenant = await factory.tenant("shop")

    answer = await submitted(nobody, written(tenant))
    await worker.work()

    assert answer["job"] | {"id": None} == {
        "id": None,
        "kind": "deliver_contact",
        "status": "QUEUED",
        "attempts": 0,
        "createdById": None,
    }
    to_owner, to_visitor = worker.mail()
    assert to_owner["to"] == tenant.owner.email
    assert to_owner["reply-to"] == "vera@example.org"
    assert to_owner["subject"] == "Vera Visitor wrote to Shop"
    plain, html = (to_owner.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "> The <b>parcel</b>\r\n> never came.\r\n" in plain.get_content()
    assert "The &lt;b&gt;parcel&lt;/b&gt;\r\nnever came." in html.get_content()
    assert to_visitor["to"] == "vera@example.org"
    assert to_visitor["subject"] == "Thank you for writing to Shop"
    assert "parcel" not in to_visitor.as_string()


async def test_a_visitor_follows_the_job_without_signing_in(
    factory: Factory, nobody: Caller, worker: Worker
) -> None:
    tenant = await factory.tenant()
    id_ = (await submitted(nobody, written(tenant)))["job"]["id"]

    queued = await nobody.ask(FOUND, id=id_)
    await worker.work()
    done = await nobody.ask(FOUND, id=id_)

    waits = {"status": "QUEUED", "progress": None, "result": None}
    assert queued == {"job": waits, "node": waits}
    ended = {"status": "SUCCEEDED", "progress": 1.0, "result": {"thanked": True}}
    assert done == {"job": ended, "node": ended}


async def test_a_visitor_hears_of_the_job_live(
    factory: Factory,
    nobody: Caller,
    application: Application,
    relay: object,
    worker: Worker,
) -> None:
    id_ = (await submitted(nobody, written(await factory.tenant())))["job"]["id"]

    async with connected(application, None) as socket:
        await socket.subscribe(JOB, job=id_)
        heard = [await socket.data()]
        await worker.work()
        while heard[-1]["status"] != "SUCCEEDED":
            heard.append(await socket.data())

    assert heard[0]["status"] == "QUEUED"
    assert heard[-1] == {"id": id_, "status": "SUCCEEDED", "progress": 1.0, "attempts": 1}


async def test_another_job_is_nobodys(factory: Factory, nobody: Caller) -> None:
    job = await factory.job(await factory.tenant())

    assert await nobody.ask(FOUND, id=job) == {"job": None, "node": None}


async def test_an_inbox_of_its_own_gets_the_mail(
    factory: Factory, http: httpx.AsyncClient, nobody: Caller, worker: Worker
) -> None:
    tenant = await factory.tenant("shop")
    change = {"workspaceId": tenant.gid, "inboxEmail": "support@shop.example"}

    changed = await tenant.owner.on(http).ask(UPDATE, input=change)
    await submitted(nobody, written(tenant))
    await worker.work()

    assert changed["updateWorkspace"]["workspace"] == {
        "name": "Shop",
        "inboxEmail": "support@shop.example",
    }
    assert [mail["to"] for mail in worker.mail()] == ["support@shop.example", "vera@example.org"]


async def test_an_inbox_may_be_given_up_and_a_name_changed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("shop")
    owner = tenant.owner.on(http)
    answers = [
        (await owner.ask(UPDATE, input={"workspaceId": tenant.gid} | change))["updateWorkspace"]
        for change in (
            {"inboxEmail": "support@shop.example"},
            {"name": "The Shop"},
            {"inboxEmail": None},
            {"inboxEmail": "nowhere"},
            {"name": " "},
        )
    ]

    assert [answer.get("workspace") for answer in answers[:3]] == [
        {"name": "Shop", "inboxEmail": "support@shop.example"},
        {"name": "The Shop", "inboxEmail": "support@shop.example"},
        {"name": "The Shop", "inboxEmail": None},
    ]
    assert [answer.get("fields") for answer in answers[3:]] == [
        [{"path": ["inboxEmail"], "message": "must be an e-mail address"}],
        [{"path": ["name"], "message": "must not be blank"}],
    ]


async def test_every_owner_gets_the_mail_once_though_it_fails_in_between(
    factory: Factory, nobody: Caller, worker: Worker
) -> None:
    tenant = await factory.tenant()
    second = await factory.member(tenant, "OWNER")
    await factory.member(tenant, "ADMIN")
    id_ = (await submitted(nobody, written(tenant)))["job"]["id"]
    # As a worker leaves it that died after the first mail.
    await factory.job_changed(tenant, id_, "QUEUED", state=f'{{"sent": ["{tenant.owner.email}"]}}')

    await worker.work()

    assert [mail["to"] for mail in worker.mail()] == [second.email, "vera@example.org"]


@pytest.mark.parametrize(
    ("changed", "path", "message"),
    [
        ({"name": " "}, "name", "must not be blank"),
        ({"name": "Vera\nBcc: all"}, "name", "must be one line of printable characters"),
        ({"name": "x" * 201}, "name", "must have at most 200 characters, has 201"),
        ({"email": "vera"}, "email", "must be an e-mail address"),
        ({"message": ""}, "message", "must not be blank"),
        ({"message": "x" * 10_001}, "message", "must have at most 10,000 characters, has 10,001"),
    ],
)
async def test_what_cannot_be_mailed_is_refused(
    factory: Factory, nobody: Caller, changed: dict[str, str], path: str, message: str
) -> None:
    tenant = await factory.tenant()

    answer = await submitted(nobody, written(tenant, **changed))

    assert answer["fields"] == [{"path": [path], "message": message}]
    assert await factory.rows("SELECT id FROM job") == []


async def test_an_unknown_workspace_is_not_found(factory: Factory, nobody: Caller) -> None:
    tenant = await factory.tenant()

    answer = await submitted(nobody, written(tenant, workspaceSlug="no-such"))

    assert answer == {"__typename": "NotFound", "message": "There is no such workspace."}
    assert await factory.rows("SELECT id FROM job") == []
