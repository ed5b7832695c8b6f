"""Notes on feedback over GraphQL."""

from typing import Any

import httpx
import pytest

from domain.scopes import Scope
from tests.callers import JSON, Caller
from tests.factories import Factory
from tests.graph.feedback_queries import UNKNOWN

SHOWN = "note { id feedbackId body author { kind id name } createdAt editedAt }"
NOTES = """
    query($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Feedback {
      notes(first: $first, after: $after) { nodes { id body } pageInfo { hasNextPage endCursor } }
    } } }
"""


async def change(caller: Caller, name: str, shown: str, /, **input: Any) -> JSON:
    kind = name[0].upper() + name[1:]
    answer = await caller.ask(
        f"""mutation($input: {kind}Input!) {{ {name}(input: $input) {{
            __typename ... on {kind}Success {{ {shown} }} ... on Problem {{ message }}
            ... on InvalidInput {{ fields {{ path message }} }}
        }} }}""",
        input=input,
    )
    result: JSON = answer[name]
    return result


async def add(caller: Caller, feedback: str, body: str) -> JSON:
    return await change(caller, "addFeedbackNote", SHOWN, feedbackId=feedback, body=body)


async def edit(caller: Caller, note: str, body: str) -> JSON:
    return await change(caller, "editFeedbackNote", SHOWN, noteId=note, body=body)


async def delete(caller: Caller, note: str) -> JSON:
    return await change(caller, "deleteFeedbackNote", "noteId", noteId=note)


async def test_a_note_is_written_edited_and_taken_away(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    analyst = await factory.member(tenant, "ANALYST")
    caller = analyst.on(http)

    added = (await add(caller, feedback, "**Called** <b>back</b>."))["note"]
    same = (await edit(caller, added["id"], "**Called** <b>back</b>."))["note"]
    edited = (await edit(caller, added["id"], "Solved."))["note"]
    listed = await tenant.owner.on(http).ask(NOTES, id=feedback)
    deleted = await delete(caller, added["id"])

    assert added | {"createdAt": None} == {
        "id": added["id"],
        "feedbackId": feedback,
        "body": "**Called** <b>back</b>.",
        "author": {"kind": "USER", "id": analyst.gid, "name": "Somebody"},
        "createdAt": None,
        "editedAt": None,
    }
    assert same == added
    assert (edited["body"], edited["createdAt"]) == ("Solved.", added["createdAt"])
    assert edited["editedAt"] >= edited["createdAt"]
    assert listed["node"]["notes"]["nodes"] == [{"id": added["id"], "body": "Solved."}]
    assert deleted == {"__typename": "DeleteFeedbackNoteSuccess", "noteId": added["id"]}
    assert await factory.rows("SELECT id FROM feedback_note") == []


async def test_notes_come_in_pages_the_newest_first(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback, other = await factory.feedback(tenant), await factory.feedback(tenant)
    for number in range(3):
        await factory.note(tenant, feedback, f"{number}")
    await factory.note(tenant, other)
    owner = tenant.owner.on(http)

    first = (await owner.ask(NOTES, id=feedback, first=2))["node"]["notes"]
    cursor = first["pageInfo"]["endCursor"]
    rest = (await owner.ask(NOTES, id=feedback, first=2, after=cursor))["node"]["notes"]
    elsewhere = await owner.errors(NOTES, id=other, first=2, after=cursor)

    pages = [([node["body"] for node in page["nodes"]]) for page in (first, rest)]
    assert pages == [["2", "1"], ["0"]]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, rest)] == [True, False]
    assert elsewhere[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_only_the_author_and_admins_change_a_note(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    note = await factory.note(tenant, await factory.feedback(tenant))
    viewer, analyst, admin = [
        (await factory.member(tenant, role)).on(http) for role in ("VIEWER", "ANALYST", "ADMIN")
    ]

    refused = [
        await use
        for caller in (viewer, analyst)
        for use in (edit(caller, note, "Mine."), delete(caller, note))
    ]
    left = await factory.rows("SELECT body FROM feedback_note")
    edited = await edit(admin, note, "Better.")
    deleted = await delete(admin, note)

    assert [each["message"] for each in refused] == [
        *["You need the role ANALYST to write notes on feedback; yours is VIEWER."] * 2,
        *["You need the role ADMIN to change the notes of others; yours is ANALYST."] * 2,
    ]
    assert left == [("Called back.",)]
    assert edited["note"]["body"] == "Better."
    assert deleted["__typename"] == "DeleteFeedbackNoteSuccess"
    told = await factory.rows("SELECT action, target FROM audit_entry ORDER BY at, id")
    assert told == [("feedback_note.edited", note), ("feedback_note.deleted", note)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (" \n", "must not be blank"),
        ("\x00", "must not contain the NUL character"),
        ("x" * 10_001, "must have at most 10,000 characters, has 10,001"),
    ],
)
async def test_what_is_no_note_is_refused(
    factory: Factory, http: httpx.AsyncClient, body: str, message: str
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    note = await factory.note(tenant, feedback)
    owner = tenant.owner.on(http)

    answers = [await add(owner, feedback, body), await edit(owner, note, body)]

    assert [answer["fields"] for answer in answers] == [
        [{"path": ["body"], "message": message}]
    ] * 2
    assert await factory.rows("SELECT body FROM feedback_note") == [("Called back.",)]


async def test_what_is_not_there_has_no_notes(factory: Factory, http: httpx.AsyncClient) -> None:
    owner = (await factory.tenant()).owner.on(http)

    answers = [
        await add(owner, f"feedback_{UNKNOWN}", "Hello."),
        await edit(owner, f"feedback_note_{UNKNOWN}", "Hello."),
        await delete(owner, f"feedback_note_{UNKNOWN}"),
    ]

    messages = [answer["message"] for answer in answers]
    assert messages == ["There is no such feedback.", *["There is no such note."] * 2]


async def test_five_hundred_are_the_most(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    await factory.change(
        "INSERT INTO feedback_note (id, feedback_id, workspace_id, body, actor_kind, actor_name,"
        " created_at) SELECT gen_random_uuid(), id, workspace_id, 'x', 'USER', 'Ada', now()"
        " FROM feedback, generate_series(1, 499)",
        within=tenant,
    )
    owner = tenant.owner.on(http)

    answers = [await add(owner, feedback, "One more.") for _ in range(2)]

    assert [answer["__typename"] for answer in answers] == ["AddFeedbackNoteSuccess", "Conflict"]


async def test_keys_neither_read_nor_write_notes(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    note = await factory.note(tenant, feedback)
    key = (await factory.api_key(tenant, *Scope)).on(http)

    read = [await key.errors(NOTES, id=feedback), await key.errors(NOTES, id=note)]
    written = await add(key, feedback, "Hello.")

    assert [errors[0]["extensions"]["code"] for errors in read] == ["FORBIDDEN"] * 2
    assert written == {"__typename": "Forbidden", "message": "API keys may not do this."}
