"""Setting a picture of oneself, from the upload to the URL."""

from typing import Any

import httpx
import pytest

from app.resources import Api
from tests.callers import JSON, Caller
from tests.factories import Factory
from tests.pictures import SECRETS, photo, read
from tests.uploads import get, target, uploaded
from tests.working import Worker

_SET = """mutation($input: SetAvatarInput!) { result: setAvatar(input: $input) {
    __typename ... on Problem { message } ... on InvalidInput { fields { path } }
    ... on SetAvatarSuccess { user { id avatarUrl } job { id kind } }
} }"""
_MINE = "{ viewer { user { avatarUrl } } }"
AVATAR: dict[str, Any] = {"purpose": "AVATAR", "contentType": "image/jpeg", "name": "me.jpg"}


async def set_avatar(caller: Caller, file: JSON | None) -> JSON:
    answer = await caller.ask(_SET, input={"fileId": None if file is None else file["id"]})
    return answer["result"]


async def url(caller: Caller) -> Any:
    return (await caller.ask(_MINE))["viewer"]["user"]["avatarUrl"]


async def test_a_picture_is_made_anew_and_shown(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    caller = viewer.on(http)

    sent = await uploaded(caller, tenant, photo(), **AVATAR)
    answer = await set_avatar(caller, sent)
    before = await url(caller)
    await worker.work()
    shown = await get(await url(caller))

    assert answer["user"] == {"id": viewer.gid, "avatarUrl": None}
    assert answer["job"]["kind"] == "make_avatar"
    assert before is None
    assert shown.headers["content-type"] == "image/webp"
    assert (read(shown.content).format, read(shown.content).size) == ("WEBP", (256, 256))
    assert [secret in shown.content for secret in SECRETS] == [False] * len(SECRETS)


async def test_fellows_see_it(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    await set_avatar(
        tenant.owner.on(http), await uploaded(tenant.owner.on(http), tenant, photo(), **AVATAR)
    )
    await worker.work()

    seen = await viewer.on(http).ask(
        "query($id: ID!) { node(id: $id) { ... on User { avatarUrl } } }", id=tenant.owner.gid
    )

    assert (await get(seen["node"]["avatarUrl"])).status_code == 200


async def test_another_picture_takes_the_place_of_the_first(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    await set_avatar(caller, await uploaded(caller, tenant, photo(), **AVATAR))
    await worker.work()
    ((first,),) = await factory.rows('SELECT avatar_key FROM "user"')

    await set_avatar(caller, await uploaded(caller, tenant, photo((50, 50)), **AVATAR))
    await worker.work()

    ((second,),) = await factory.rows('SELECT avatar_key FROM "user"')
    assert first != second
    assert await api.objects.find(first) is None
    assert await api.objects.find(second) is not None


async def test_the_file_that_was_sent_is_not_kept(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    await set_avatar(caller, await uploaded(caller, tenant, photo(), **AVATAR))

    await worker.work()

    assert await factory.rows("SELECT 1 FROM file WHERE expires_at > now()") == []


async def test_a_picture_is_taken_away(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    await set_avatar(caller, await uploaded(caller, tenant, photo(), **AVATAR))
    await worker.work()

    answer = await set_avatar(caller, None)

    assert answer["user"]["avatarUrl"] is answer["job"] is None
    assert await url(caller) is None


async def test_a_picture_that_is_still_being_made_is_taken_away_too(
    factory: Factory, http: httpx.AsyncClient, worker: Worker, api: Api
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    await set_avatar(caller, await uploaded(caller, tenant, photo(), **AVATAR))

    await set_avatar(caller, None)
    await worker.work()

    assert await factory.rows("SELECT status FROM job") == [("SUCCEEDED",)]
    assert await url(caller) is None
    assert await api.objects.listed(f"avatars/{tenant.owner.id.hex}/", after="") == []


async def test_what_is_no_picture_fails_the_job(
    factory: Factory, http: httpx.AsyncClient, worker: Worker
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)

    await set_avatar(caller, await uploaded(caller, tenant, b"<svg/>", **AVATAR))
    await worker.work()

    assert await factory.rows("SELECT status, error FROM job") == [
        ("FAILED", "The file is no picture that can be read.")
    ]
    assert await url(caller) is None


@pytest.mark.parametrize("purpose", ["IMPORT", "AVATAR"])
async def test_only_pictures_that_are_ready_are_taken(
    factory: Factory, http: httpx.AsyncClient, purpose: str
) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)
    kinds = {"IMPORT": "text/csv", "AVATAR": "image/png"}
    pending = await target(caller, tenant, purpose=purpose, contentType=kinds[purpose])

    answer = await set_avatar(caller, pending["file"])

    assert answer["__typename"] == "InvalidInput"
    assert answer["fields"] == [{"path": ["fileId"]}]
    assert await factory.rows("SELECT 1 FROM job") == []


async def test_nobody_takes_a_picture_of_somebody_else(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.member(tenant, "OWNER")
    ready = await uploaded(tenant.owner.on(http), tenant, photo(), **AVATAR)

    answer = await set_avatar(other.on(http), ready)

    assert answer == {"__typename": "NotFound", "message": "There is no such file."}
    assert await factory.rows("SELECT 1 FROM job") == []
