"""What jobs are about, over GraphQL: the names of files and schedules, for those who may know them."""

from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from domain import ids
from domain.ids import Kind
from tests.callers import Caller
from tests.factories import Factory, Tenant

_SUBJECTS = """query($slug: String!) { workspace(slug: $slug) {
    jobs(first: 100) { nodes { kind subject } } } }"""


def _uuid(kind: Kind, id_: str) -> UUID:
    found = ids.read(kind, id_)
    assert found is not None
    return found


async def _job(
    factory: Factory, tenant: Tenant, kind: str, arguments: Any = None, result: Any = None
) -> str:
    """A job that was told this and tells that."""
    job = await factory.job(tenant, kind)
    await factory.change(
        "UPDATE job SET arguments = CAST(:arguments AS jsonb), result = CAST(:result AS jsonb) WHERE id = :id",
        within=tenant,
        id=_uuid(Kind.JOB, job),
        arguments=orjson.dumps(arguments or {}).decode(),
        result=None if result is None else orjson.dumps(result).decode(),
    )
    return job


async def _jobs(factory: Factory, tenant: Tenant) -> None:
    """One of each kind that is about something, and another."""
    file = await factory.table(tenant)
    schedule = await factory.export_schedule(tenant, "Complaints")
    told = {"file": _uuid(Kind.FILE, file).hex}
    imported = await _job(factory, tenant, "import", told)
    await _job(factory, tenant, "undo_import", {"import": _uuid(Kind.JOB, imported).hex})
    await _job(factory, tenant, "export", result={"file_id": file})
    told = {"export_schedule": _uuid(Kind.EXPORT_SCHEDULE, schedule).hex}
    await _job(factory, tenant, "scheduled_export", told, {"file_id": file})
    await _job(factory, tenant, "export", {"format": "CSV"})
    await _job(factory, tenant, "score")


async def _subjects(caller: Caller, tenant: Tenant) -> list[tuple[str, str | None]]:
    """Of all jobs, the oldest first."""
    nodes = (await caller.ask(_SUBJECTS, slug=tenant.slug))["workspace"]["jobs"]["nodes"]
    return [(node["kind"], node["subject"]) for node in reversed(nodes)]


@pytest.mark.parametrize(
    ("role", "scheduled"), [("ADMIN", "Complaints"), ("ANALYST", "reviews.csv")]
)
async def test_a_job_is_about_a_file_or_a_schedule(
    factory: Factory, http: httpx.AsyncClient, role: str, scheduled: str
) -> None:
    tenant = await factory.tenant()
    await _jobs(factory, tenant)
    member = await factory.member(tenant, role)

    assert await _subjects(member.on(http), tenant) == [
        ("import", "reviews.csv"),
        ("undo_import", "reviews.csv"),
        ("export", "reviews.csv"),
        ("scheduled_export", scheduled),
        ("export", None),
        ("score", None),
    ]


@pytest.mark.parametrize(
    ("scope", "known"),
    [("imports:create", {"import", "undo_import"}), ("exports:create", {"export"})],
)
async def test_a_key_is_told_what_its_scopes_are_about(
    factory: Factory, http: httpx.AsyncClient, scope: str, known: set[str]
) -> None:
    tenant = await factory.tenant()
    await _jobs(factory, tenant)
    key = await factory.api_key(tenant, "jobs:read", scope)

    found = await _subjects(key.on(http), tenant)

    assert {kind for kind, subject in found if subject} - {"scheduled_export"} == known


async def test_what_is_of_others_or_gone_has_no_name(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, other = await factory.tenant(), await factory.tenant()
    await factory.change(
        "INSERT INTO member (id, workspace_id, user_id, role, joined_at)"
        " VALUES (gen_random_uuid(), :workspace, :user, 'ADMIN', now())",
        within=other,
        workspace=other.id,
        user=tenant.owner.id,
    )
    theirs = _uuid(Kind.FILE, await factory.table(other)).hex
    await _job(factory, tenant, "import", {"file": theirs})
    await _job(factory, tenant, "export", result={"file_id": f"file_{theirs}"})
    await _job(factory, tenant, "import", {"file": tenant.id.hex})
    await _job(factory, tenant, "undo_import", {"import": tenant.id.hex})
    await _job(factory, tenant, "scheduled_export", {"export_schedule": tenant.id.hex})

    subjects = [subject for _, subject in await _subjects(tenant.owner.on(http), tenant)]

    assert subjects == [None] * 5
