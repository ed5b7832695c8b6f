"""Masking as a source says, on every way in, and what was masked shown again to those who may see it."""

import io
import zipfile
from typing import Any

import httpx
import orjson
import pytest

from app.resources import Api
from domain import form, ids
from domain.ids import Kind
from persistence.database import Database
from tests.app.deliveries import event, rows, sign
from tests.callers import JSON
from tests.exporting import look as job
from tests.factories import Factory, Person, Tenant
from tests.graph.account_queries import change as write
from tests.graph.source_queries import change, look
from tests.importing import importer, refusals, table
from tests.uploads import get
from tests.working import Worker

ALL = ["EMAIL", "PHONE", "CARD", "IBAN", "SECRET"]
SAID = "Ada here, ada@example.com or +49 30 1234567, card 4111 1111 1111 1111."
MASKED = "Ada here, [email] or [phone], card [card]."
MASKING = "masking { kinds authors reversible }"
REVEALED = "original { body authorName authorEmail authorExternalId metadata }"


async def source(
    tenant: Tenant, http: httpx.AsyncClient, *, kind: str = "WEBHOOK", **more: Any
) -> JSON:
    """A source that masks all kinds, unless `more` says otherwise."""
    masking = {"kinds": ALL} | more.pop("masking", {})
    return await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="Shop",
        kind=kind,
        masking=masking,
        **more,
    )


async def deliver(http: httpx.AsyncClient, made: JSON, body: bytes, id_: str = "msg_1") -> int:
    headers = sign(made["signingSecret"], body, webhook_id=id_)
    answer = await http.post(f"/hooks/{made['source']['id']}", content=body, headers=headers)
    return answer.status_code


async def submit(person: Person, http: httpx.AsyncClient, **said: Any) -> JSON:
    answer = await write(person.on(http), "submitFeedback", "feedback { id body metadata }", **said)
    feedback: JSON = answer["feedback"]
    return feedback


async def reveal(person: Person, http: httpx.AsyncClient, feedback: str) -> JSON:
    return await write(person.on(http), "revealFeedback", REVEALED, feedbackId=feedback)


async def bodies(database: Database) -> list[str]:
    return [row["body"] for row in await rows(database)]


async def test_what_webhooks_bring_is_masked_before_it_is_stored(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http)
    author = {"name": "Ada", "email": "ada@example.com"}

    status = await deliver(
        http,
        made,
        event(body=SAID, author=author, metadata={"reply_to": "ada@example.com", "order": 17}),
    )

    (row,) = await rows(database)
    assert status == 202
    assert row["body"] == MASKED
    assert orjson.loads(row["metadata_text"]) == {"reply_to": "[email]", "order": 17}
    assert (row["author_name"], row["author_email"]) == ("Ada", "ada@example.com")
    assert await factory.rows("SELECT * FROM feedback_original") == []


async def test_each_of_a_batch_and_what_takes_its_place_is_masked(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http)
    batch = [
        orjson.loads(event(body=SAID, external_id="1")),
        orjson.loads(event(body="Fine.", external_id="2")),
    ]
    edit = event(body="Now bob@example.com", external_id="2").replace(b".created", b".updated")

    await deliver(http, made, orjson.dumps(batch))
    await deliver(http, made, edit, "msg_2")

    assert await bodies(database) == [MASKED, "Now [email]"]


async def test_what_is_submitted_is_masked_one_by_one_and_many_at_once(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="API")
    of = {"workspaceId": tenant.gid, "sourceId": made["source"]["id"]}

    one = await submit(tenant.owner, http, **of, body=SAID, metadata={"iban": "NO9386011117947"})
    await change(tenant.owner, http, "submitFeedbackBatch", **of, items=[{"body": SAID}])

    assert (one["body"], one["metadata"]) == (MASKED, {"iban": "[iban]"})
    assert await bodies(database) == [MASKED, MASKED]


async def test_without_a_source_the_first_one_still_masks(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    api = await factory.rows("SELECT id FROM source WHERE kind = 'API' ORDER BY created_at, id")
    first = ids.write(Kind.SOURCE, api[0][0])
    await change(tenant.owner, http, "updateSource", sourceId=first, masking={"kinds": ["EMAIL"]})
    await change(
        tenant.owner, http, "createSource", workspaceId=tenant.gid, name="Other", kind="API"
    )

    await submit(tenant.owner, http, workspaceId=tenant.gid, body="I am ada@example.com")

    (row,) = await rows(database)
    assert (row["body"], row["source_id"]) == ("I am [email]", api[0][0])


async def test_what_a_form_sends_is_masked(
    factory: Factory, http: httpx.AsyncClient, api: Api, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="FORM", form={"origins": ["*"], "leastSeconds": 0})
    id_ = ids.read(Kind.SOURCE, made["source"]["id"])
    assert id_ is not None
    stamp = form.stamp(api.services.seals, id_, api.services.clock())

    key = made["source"]["publishableKey"]
    answer = await http.post(f"/forms/{key}", json={"body": SAID, "stamp": stamp})

    assert answer.status_code == 202
    assert await bodies(database) == [MASKED]


async def test_what_is_imported_is_masked_and_so_is_what_is_refused(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, database: Database
) -> None:
    work = await importer(factory, http, worker)
    made = await source(work.tenant, http, kind="IMPORT", masking={"reversible": True})
    lines = table("review,stars", f'"{SAID}",4', "call ada@example.com,many")

    done = await work.run(lines, sourceId=made["source"]["id"])

    (row,) = await rows(database)
    shown = await reveal(work.tenant.owner, http, ids.write(Kind.FEEDBACK, row["id"]))
    assert done["result"]["stored"] == done["result"]["refused"] == 1
    assert row["body"] == MASKED
    assert shown["original"]["body"] == SAID
    assert [refused[3] for refused in await refusals(done)] == ["call [email],many"]


async def test_what_lay_in_quarantine_is_masked_there_and_when_it_is_replayed(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    generic = {"scheme": "BEARER", "mapping": {"body": "text", "authorEmail": "mail"}}
    made = await source(
        tenant, http, provider="GENERIC", secret="a-token-of-the-shop", generic=generic
    )
    id_ = made["source"]["id"]
    document = {"message": SAID, "mail": "ada@example.com"}
    await http.post(
        f"/hooks/{id_}", json=document, headers={"authorization": "Bearer a-token-of-the-shop"}
    )
    kept = await look(tenant.owner, http, id_, "quarantine { nodes { raw } }")

    mended = generic | {"mapping": {"body": "message", "authorEmail": "mail"}}
    await change(tenant.owner, http, "updateSource", sourceId=id_, generic=mended)
    replayed = await change(tenant.owner, http, "replayQuarantined", sourceId=id_)

    (row,) = await rows(database)
    assert orjson.loads(kept["quarantine"]["nodes"][0]["raw"]) == document | {"message": MASKED}
    assert replayed["stored"] == 1
    assert (row["body"], row["author_email"]) == (MASKED, "ada@example.com")


async def test_authors_are_masked_where_the_source_says_so(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, masking={"authors": True})
    author = {"name": "ada@example.com", "email": "ada@example.com", "external_id": "+4930123456"}

    await deliver(http, made, event(author=author))
    await deliver(http, made, event(author={"name": "Ada", "external_id": "u-1"}), "msg_2")

    names = ("author_name", "author_email", "author_external_id")
    assert [tuple(row[name] for name in names) for row in await rows(database)] == [
        ("[email]", None, None),
        ("Ada", None, "u-1"),
    ]


async def test_what_was_masked_is_shown_to_admins_and_that_is_recorded(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="API", masking={"reversible": True, "authors": True})
    said = {"body": SAID, "metadata": {"mail": "ada@example.com"}}
    author = {"name": "Ada", "email": "ada@example.com"}
    of = {"workspaceId": tenant.gid, "sourceId": made["source"]["id"]}
    stored = await submit(tenant.owner, http, **of, **said, author=author)
    analyst, stranger = await factory.member(tenant, "ANALYST"), (await factory.tenant()).owner

    shown = await reveal(await factory.member(tenant, "ADMIN"), http, stored["id"])
    refused = await reveal(analyst, http, stored["id"])
    unknown = await reveal(stranger, http, stored["id"])

    assert shown["original"] == said | {
        "authorName": "Ada",
        "authorEmail": "ada@example.com",
        "authorExternalId": None,
    }
    assert (refused["__typename"], unknown["__typename"]) == ("Forbidden", "NotFound")
    assert await factory.rows(
        "SELECT target FROM audit_entry WHERE action = 'feedback.revealed'"
    ) == [(stored["id"],)]
    assert SAID.encode() not in (await factory.rows("SELECT sealed FROM feedback_original"))[0][0]


async def test_what_was_masked_for_good_or_not_at_all_is_not_found(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="API", masking={"reversible": True})
    of = {"workspaceId": tenant.gid, "sourceId": made["source"]["id"]}
    plain = await submit(tenant.owner, http, **of, body="Fine.")
    masked = await submit(tenant.owner, http, **of, body=SAID)
    forever = {"kinds": ALL, "reversible": False}
    await change(tenant.owner, http, "updateSource", sourceId=of["sourceId"], masking=forever)

    for feedback in (plain, masked):
        assert (await reveal(tenant.owner, http, feedback["id"]))["__typename"] == "NotFound"
    assert await factory.rows("SELECT * FROM feedback_original") == []


async def test_what_was_masked_follows_what_its_source_says_anew(
    factory: Factory, http: httpx.AsyncClient, database: Database
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, masking={"reversible": True})
    edit = event(body="Now bob@example.com", external_id="1").replace(b".created", b".updated")
    plain = event(body="Never mind.", external_id="1").replace(b".created", b".updated")

    shown = []
    for number, body in enumerate((event(body=SAID, external_id="1"), edit, plain)):
        await deliver(http, made, body, f"msg_{number}")
        (row,) = await rows(database)
        answer = await reveal(tenant.owner, http, ids.write(Kind.FEEDBACK, row["id"]))
        shown.append(answer.get("original", {}).get("body"))

    assert shown == [SAID, "Now bob@example.com", None]


async def test_what_was_masked_is_handed_to_its_author(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="API", masking={"reversible": True})
    of = {"workspaceId": tenant.gid, "sourceId": made["source"]["id"]}
    said = {"body": SAID, "metadata": {"mail": "ada@example.com"}}
    await submit(tenant.owner, http, **of, **said, author={"email": "ada@example.com"})

    who = {"workspaceId": tenant.gid, "email": "ada@example.com"}
    asked = await write(tenant.owner.on(http), "exportAuthorData", "job { id }", **who)
    await worker.work()

    done = await job(tenant.owner.on(http), asked["job"]["id"])
    archive = zipfile.ZipFile(io.BytesIO((await get(done["resultUrl"])).content))
    (line,) = archive.read("feedback.ndjson").splitlines()
    told = orjson.loads(line)
    assert (told["body"], told["original"]) == (MASKED, said)


@pytest.mark.parametrize("mode", ["ERASE", "ANONYMISE"])
async def test_what_was_masked_goes_with_its_author(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, mode: str
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, kind="API", masking={"reversible": True})
    of = {"workspaceId": tenant.gid, "sourceId": made["source"]["id"]}
    await submit(tenant.owner, http, **of, body=SAID, author={"email": "ada@example.com"})

    who = {"workspaceId": tenant.gid, "email": "ada@example.com"}
    await write(tenant.owner.on(http), "eraseAuthor", "job { id }", **who, mode=mode)
    await worker.work()

    assert await factory.rows("SELECT * FROM feedback_original") == []
    assert (
        await factory.rows("SELECT occurred_at FROM feedback WHERE body = :said", said=SAID) == []
    )


async def test_how_a_source_masks_is_told_changed_and_recorded(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await source(tenant, http, masking={"kinds": ["PHONE", "EMAIL"], "reversible": True})
    id_ = made["source"]["id"]
    told = await look(tenant.owner, http, id_, MASKING)
    none = await change(tenant.owner, http, "updateSource", sourceId=id_, masking={"kinds": []})
    await change(tenant.owner, http, "updateSource", sourceId=id_, name="Other")
    kept = await look(tenant.owner, http, id_, MASKING)
    await change(tenant.owner, http, "updateSource", sourceId=id_, masking=None)
    off = await look(tenant.owner, http, id_, MASKING)

    assert told["masking"] == {"kinds": ["EMAIL", "PHONE"], "authors": False, "reversible": True}
    assert none["fields"] == [
        {
            "path": ["masking", "kinds"],
            "message": "must name at least one; leave out `masking` for none",
        }
    ]
    assert (kept, off) == (told, {"masking": None})
    assert await factory.rows(
        "SELECT before ->> 'masking', after ->> 'masking' FROM audit_entry"
        " WHERE action = 'source.updated' AND after ? 'masking'"
    ) == [('{"kinds": ["EMAIL", "PHONE"], "authors": false, "reversible": true}', None)]
