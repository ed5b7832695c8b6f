"""What is known of an author: handed out, erased, made nobody's, by real jobs on real stores."""

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.resources import Api
from app.settings import Settings
from app.stores import open_redis
from domain import ids
from domain.ids import Kind
from persistence import job as job_store
from tests.callers import JSON, Caller
from tests.exporting import look, many
from tests.factories import NEGATIVE, POSITIVE, Factory, Tenant
from tests.graph.account_queries import change
from tests.graph.isolation import everything
from tests.holding import held
from tests.persistence.recounting import differences
from tests.processes import process
from tests.uploads import get, row, uploaded
from tests.working import Worker

EMAIL = "Ada@Example.com"
RECEIPTS = """
    query($slug: String!) { workspace(slug: $slug) { erasures {
      id mode identifiedBy identifierHash erasedById erasedByName feedbackCount fileCount logEntryCount
    } } }
"""


async def ask(worker: Worker, caller: Caller, name: str, tenant: Tenant, **who: Any) -> JSON:
    """The job, when it is done."""
    answer = await change(caller, name, "job { id }", workspaceId=tenant.gid, **who)
    await worker.work()
    done = await look(caller, answer["job"]["id"])
    assert done["status"] == "SUCCEEDED", done
    return done


async def receipts(caller: Caller, tenant: Tenant) -> list[JSON]:
    answer = await caller.ask(RECEIPTS, slug=tenant.slug)
    found: list[JSON] = answer["workspace"]["erasures"]
    return found


async def actions(factory: Factory) -> list[str]:
    rows = await factory.rows("SELECT action FROM audit_entry ORDER BY at DESC, id DESC LIMIT 2")
    return [action for (action,) in rows]


class World:
    """A workspace where Ada has written twice, and somebody else once; what follows from that is everywhere."""

    def __init__(self, factory: Factory, tenant: Tenant, owner: Caller) -> None:
        self.factory, self.tenant, self.owner = factory, tenant, owner
        self.files: dict[str, JSON] = {}

    async def fill(self) -> None:
        factory, tenant = self.factory, self.tenant
        said: dict[str, Any] = {
            "author_name": "Ada",
            "author_email": EMAIL,
            "author_external_id": "cust-17",
        }
        self.first = await factory.feedback(
            tenant, f"Write to {EMAIL.upper()}.", score=POSITIVE, metadata='{"plan": "pro"}', **said
        )
        self.second = await factory.feedback(
            tenant, "Late.", score=NEGATIVE, **(said | {"author_email": EMAIL.lower()})
        )
        self.other = await factory.feedback(tenant, "Fine.", author_email="bob@example.com")
        await factory.tag(tenant, "late", self.first, self.other)
        webhook = await factory.webhook(tenant)
        delivery = await factory.delivery(tenant, webhook, self.first)
        await factory.webhook_attempt(tenant, delivery)
        await factory.change(
            "UPDATE webhook_delivery SET status = 'SUCCEEDED', next_attempt_at = NULL",
            within=tenant,
        )
        await factory.change(
            "UPDATE webhook_attempt SET request_body = :body, response_body = :body",
            within=tenant,
            body=f"of {EMAIL}",
        )
        await self.upload("attached", b"\x89PNG", contentType="image/png", purpose="ATTACHMENT")
        attached = [self.files["attached"]["id"]]
        await change(
            self.owner, "attachFiles", "feedback { id }", feedbackId=self.first, fileIds=attached
        )
        await self.upload("naming", b"body,email\nx,ADA@example.com\n")
        await self.upload("of others", b"body,email\nx,bob@example.com\n")
        await factory.change(_REFUSED, within=tenant, original=f"x,{EMAIL}")
        await factory.change(_CONTACT, within=tenant, email=EMAIL)

    async def upload(self, name: str, body: bytes, **given: Any) -> None:
        self.files[name] = await uploaded(self.owner, self.tenant, body, **given)

    async def bodies(self) -> list[tuple[Any, ...]]:
        return await self.factory.rows(
            "SELECT author_name, author_email, author_external_id, metadata::text, body"
            " FROM feedback ORDER BY id"
        )


_REFUSED = """
    WITH made AS (
        INSERT INTO job (id, workspace_id, kind, arguments, status, attempts, created_at, run_at)
        SELECT gen_random_uuid(), id, 'import', '{}', 'SUCCEEDED', 1, now(), now() FROM workspace
        RETURNING id, workspace_id
    )
    INSERT INTO import_refusal (job_id, number, workspace_id, columns, reason, original)
    SELECT id, 1, workspace_id, '', '', :original FROM made
"""
_CONTACT = """
    INSERT INTO job (id, workspace_id, kind, arguments, status, attempts, created_at, run_at)
    SELECT gen_random_uuid(), id, 'deliver_contact', jsonb_build_object('email', :email ::text),
        'SUCCEEDED', 1, now(), now() FROM workspace
"""


@pytest.fixture
async def world(factory: Factory, http: httpx.AsyncClient) -> World:
    tenant = await factory.tenant()
    made = World(factory, tenant, tenant.owner.on(http))
    await made.fill()
    return made


async def mentions(factory: Factory, api: Api, settings: Settings, what: str) -> list[str]:
    """Where in Postgres and in Redis this stands."""
    rows = await everything(factory)
    found = [str(row[0]) for row in rows if what.lower() in str(row).lower()]
    return found + await _in_streams(settings, what.lower().encode())


async def _in_streams(settings: Settings, what: bytes) -> list[str]:
    async with open_redis(settings) as redis:
        return [
            key.decode()
            async for key in redis.scan_iter(_type="STREAM")
            if what in str(await redis.xrange(key)).lower().encode()
        ]


async def test_all_that_is_known_of_an_author_is_handed_out(world: World, worker: Worker) -> None:
    done = await ask(worker, world.owner, "exportAuthorData", world.tenant, email="ada@example.COM")

    archive = zipfile.ZipFile(io.BytesIO((await get(done["resultUrl"])).content))
    first, second = map(orjson.loads, archive.read("feedback.ndjson").splitlines())
    (attached,) = first["attachments"]
    assert archive.read(attached) == b"\x89PNG"
    assert (first["id"], second["id"]) == (world.first, world.second)
    assert (first["author"]["email"], second["author"]["email"]) == (EMAIL, EMAIL.lower())
    assert (first["metadata"], first["tags"], second["tags"]) == ({"plan": "pro"}, ["late"], [])
    assert [sent["webhook"] for sent in first["deliveries"]] == ["Receiver"]
    assert (second["attachments"], second["deliveries"]) == ([], [])
    assert second["sentiment"]["label"] == "NEGATIVE"
    assert (await actions(world.factory))[0] == "workspace.author_exported"


async def test_an_author_is_found_by_an_external_id_exactly(world: World, worker: Worker) -> None:
    exact = await ask(worker, world.owner, "exportAuthorData", world.tenant, externalId="cust-17")
    other = await ask(worker, world.owner, "exportAuthorData", world.tenant, externalId="CUST-17")

    results = [orjson.loads(orjson.dumps(each["result"])) for each in (exact, other)]
    assert [result["feedback"] for result in results] == [2, 0]


async def test_nothing_that_names_an_erased_author_is_left(
    world: World, worker: Worker, api: Api, settings: Settings
) -> None:
    factory, tenant, objects = world.factory, world.tenant, api.objects
    keys = {
        name: (await row(api.services.database, tenant, file)).key
        for name, file in world.files.items()
    }

    done = await ask(
        worker, world.owner, "eraseAuthor", tenant, email="ADA@example.com", mode="ERASE"
    )

    assert await mentions(factory, api, settings, EMAIL) == []
    assert [body for *_, body in await world.bodies()] == ["Fine."]
    left = {name for name, key in keys.items() if await objects.find(key) is not None}
    assert left == {"of others"}
    logs = await factory.rows("SELECT request_body, response_body FROM webhook_attempt")
    assert logs == [("[erased]", "[erased]")]
    assert await differences(factory) == []
    (receipt,) = await receipts(world.owner, tenant)
    assert receipt.pop("identifierHash") not in {"", None}
    assert receipt == {
        "id": done["result"]["erasure_id"],
        "mode": "ERASE",
        "identifiedBy": "EMAIL",
        "erasedById": tenant.owner.gid,
        "erasedByName": "Somebody",
        "feedbackCount": 2,
        "fileCount": 2,
        "logEntryCount": 3,
    }
    assert await actions(factory) == ["workspace.author_erased", "workspace.erasure_requested"]


@pytest.mark.usefixtures("kept_outbox")
async def test_what_is_erased_is_told_to_subscribers(world: World, worker: Worker) -> None:
    await ask(worker, world.owner, "eraseAuthor", world.tenant, email=EMAIL, mode="ERASE")

    told = await world.factory.rows(
        "SELECT payload ->> 'id', jsonb_array_length(payload -> 'tags') FROM outbox"
        " WHERE kind = 'feedback.deleted' ORDER BY id"
    )
    deleted = [ids.read(Kind.FEEDBACK, id_) for id_ in (world.first, world.second)]
    assert told == [(id_ and id_.hex, tags) for id_, tags in zip(deleted, (1, 0), strict=True)]


@pytest.mark.usefixtures("kept_outbox")
async def test_an_author_who_is_made_nobody_leaves_what_was_said(
    world: World, worker: Worker, api: Api, settings: Settings
) -> None:
    await ask(worker, world.owner, "eraseAuthor", world.tenant, email=EMAIL, mode="ANONYMISE")

    assert await mentions(world.factory, api, settings, EMAIL) == []
    nobody = (None, None, None, None)
    assert await world.bodies() == [
        (*nobody, "Write to [erased]."),
        (*nobody, "Late."),
        (None, "bob@example.com", None, None, "Fine."),
    ]
    assert await differences(world.factory) == []
    assert await world.factory.rows(
        "SELECT count(*) FROM outbox WHERE kind = 'feedback.updated' AND payload ->> 'label' IS NOT NULL"
    ) == [(3,)]
    (receipt,) = await receipts(world.owner, world.tenant)
    assert (receipt["mode"], receipt["feedbackCount"], receipt["fileCount"]) == ("ANONYMISE", 2, 2)


async def test_the_same_author_has_the_same_hash_and_another_workspace_another(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenants = [await factory.tenant(), await factory.tenant()]
    for tenant, email in ((0, "a@example.com"), (0, "A@example.com"), (1, "a@example.com")):
        of = tenants[tenant]
        await ask(worker, of.owner.on(http), "eraseAuthor", of, email=email, mode="ERASE")

    hashes = [
        [each["identifierHash"] for each in await receipts(tenant.owner.on(http), tenant)]
        for tenant in tenants
    ]

    assert hashes[0][0] == hashes[0][1]
    assert hashes[1][0] != hashes[0][0]


async def test_a_worker_that_is_killed_in_the_middle_is_borne(
    settings: Settings, factory: Factory, http: httpx.AsyncClient, worker: Worker, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)
    await many(factory, tenant, 700)
    await factory.change("UPDATE feedback SET author_email = :email", within=tenant, email=EMAIL)
    asked = {"workspaceId": tenant.gid, "email": EMAIL, "mode": "ERASE"}
    await change(owner, "eraseAuthor", "job { id }", **asked)

    async with (
        held(settings, "LOCK TABLE erasure_receipt IN ACCESS EXCLUSIVE MODE") as waited_for,
        process(settings, tmp_path, "worker") as other,
    ):
        await waited_for(1)
        other.kill()
        await other.wait()
    assert await receipts(owner, tenant) == []
    async with worker.resources.database.transaction() as uow:
        await job_store.take_back(uow, silence=0)
    await worker.work()

    (receipt,) = await receipts(owner, tenant)
    assert receipt["feedbackCount"] == 700
    assert await factory.rows("SELECT count(*) FROM feedback") == [(0,)]
    assert await differences(factory) == []


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ({}, ["email"]),
        ({"email": "a@b.example", "externalId": "7"}, ["email"]),
        ({"email": " "}, ["email"]),
        ({"externalId": "x" * 321}, ["externalId"]),
    ],
)
async def test_an_author_is_named_in_one_way(
    who: JSON, path: list[str], factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    refused = await change(
        tenant.owner.on(http),
        "eraseAuthor",
        "job { id }",
        workspaceId=tenant.gid,
        mode="ERASE",
        **who,
    )

    assert [field["path"] for field in refused["fields"]] == [path]
    assert await factory.rows("SELECT id FROM job") == []


@pytest.mark.parametrize("name", ["eraseAuthor", "exportAuthorData"])
async def test_it_takes_an_admin(name: str, factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    analyst = (await factory.member(tenant, "ANALYST")).on(http)
    mode = {"eraseAuthor": {"mode": "ERASE"}, "exportAuthorData": {}}[name]

    refused = await change(analyst, name, "job { id }", workspaceId=tenant.gid, email=EMAIL, **mode)

    assert refused["__typename"] == "Forbidden"
    assert await factory.rows("SELECT id FROM job") == []
    assert await receipts(analyst, tenant) == []


async def test_who_is_no_admin_any_more_is_handed_nothing(
    world: World, worker: Worker, http: httpx.AsyncClient
) -> None:
    admin = await world.factory.member(world.tenant, "ADMIN")
    asked = {"workspaceId": world.tenant.gid, "email": EMAIL}
    answer = await change(admin.on(http), "exportAuthorData", "job { id }", **asked)
    await world.factory.change(
        "UPDATE member SET role = 'ANALYST' WHERE user_id = :id", within=world.tenant, id=admin.id
    )

    await worker.work()

    done = await look(world.owner, answer["job"]["id"])
    assert (done["status"], done["resultUrl"]) == ("FAILED", None)
