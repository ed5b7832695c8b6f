"""What people have noted on an author's feedback: handed out with it, and gone with it."""

import io
import zipfile

import httpx
import orjson
import pytest

from tests.factories import Factory
from tests.jobs.test_privacy import ask
from tests.uploads import get
from tests.working import Worker

ADA = "ada@example.com"


async def test_notes_are_in_what_is_handed_out(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, author_email=ADA)
    await factory.note(tenant, feedback, "Called Ada back.")

    done = await ask(worker, tenant.owner.on(http), "exportAuthorData", tenant, email=ADA)

    with zipfile.ZipFile(io.BytesIO((await get(done["resultUrl"])).content)) as archive:
        (line,) = archive.read("feedback.ndjson").splitlines()
    told = orjson.loads(line)
    assert told["status"] == "OPEN"
    assert [(note["body"], note["by"]) for note in told["notes"]] == [
        ("Called Ada back.", "Somebody")
    ]


@pytest.mark.parametrize("mode", ["ERASE", "ANONYMISE"])
async def test_notes_on_it_go_and_others_name_nobody(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, mode: str
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    feedback = await factory.feedback(tenant, author_email=ADA)
    other = await factory.feedback(tenant, author_email="bob@example.com")
    await factory.note(tenant, feedback, "Called Ada back.")
    await factory.note(tenant, other, f"As {ADA.upper()} says.")
    await factory.note(stranger, await factory.feedback(stranger), f"Of {ADA}.")

    await ask(worker, tenant.owner.on(http), "eraseAuthor", tenant, email=ADA, mode=mode)

    left = await factory.rows("SELECT body FROM feedback_note ORDER BY body")
    assert left == [("As [erased] says.",), (f"Of {ADA}.",)]
