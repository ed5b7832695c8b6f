"""What tests of imports share: files that are sent, imported by the real tasks, and looked at."""

import csv
import io
from dataclasses import dataclass, replace
from typing import Any

import httpx

from domain import ids, scoring
from domain.ids import Kind
from tests.callers import JSON, Caller
from tests.factories import Factory, Tenant
from tests.uploads import get, uploaded
from tests.working import Worker

PROBLEM = "... on Problem { message } ... on InvalidInput { fields { path message } }"
START = f"""mutation($input: StartImportInput!) {{ result: startImport(input: $input) {{
    __typename {PROBLEM} ... on StartImportSuccess {{ job {{ id kind status }} }} }} }}"""
PREVIEW = f"""mutation($input: PreviewImportInput!) {{ result: previewImport(input: $input) {{
    __typename {PROBLEM} ... on PreviewImportSuccess {{ preview {{
        format encoding delimiter columns mapping lookedAt refused
        rows {{ row body rating occurredAt externalId authorName authorEmail tags }}
        problems {{ row column reason original }} }} }} }} }}"""
UNDO = f"""mutation($job: ID!) {{ result: undoImport(input: {{jobId: $job}}) {{
    __typename {PROBLEM} ... on UndoImportSuccess {{ job {{ id kind }} }} }} }}"""
_JOB = "query($id: ID!) { job(id: $id) { status progress error result resultUrl } }"
_STORED = """SELECT body, rating, occurred_at, external_id, author_name, author_email
    FROM feedback WHERE workspace_id = :workspace ORDER BY id"""


def table(*rows: str) -> bytes:
    """A CSV file of these lines."""
    return "".join(f"{row}\n" for row in rows).encode()


def numbered(count: int) -> bytes:
    """A file of so many rows."""
    return table("id,review", *(f"r{number},Text {number}" for number in range(1, count + 1)))


@dataclass(frozen=True, slots=True)
class Importer:
    """Somebody who imports files into a workspace, and the worker that does it."""

    tenant: Tenant
    caller: Caller
    factory: Factory
    worker: Worker

    async def send(self, body: bytes, name: str = "reviews.csv", **given: Any) -> JSON:
        return await uploaded(self.caller, self.tenant, body, name=name, **given)

    async def start(self, file: JSON, **given: Any) -> JSON:
        """The answer of startImport."""
        return (await self.caller.ask(START, input={"fileId": file["id"]} | given))["result"]

    async def preview(self, body: bytes, **given: Any) -> JSON:
        """What previewImport finds."""
        file = await self.send(body)
        answer = await self.caller.ask(PREVIEW, input={"fileId": file["id"]} | given)
        return answer["result"]["preview"]

    async def asked(self, file: JSON, **given: Any) -> str:
        """The id of the job that imports it."""
        answer = await self.start(file, **given)
        assert answer["__typename"] == "StartImportSuccess", answer
        return str(answer["job"]["id"])

    async def job(self, id_: str) -> JSON:
        return (await self.caller.ask(_JOB, id=id_))["job"]

    async def run(self, body: bytes, **given: Any) -> JSON:
        """Import a file; answers its job, which has ended."""
        job = await self.asked(await self.send(body), **given)
        await self.worker.work()
        return await self.job(job)

    async def undo(self, job: str) -> JSON:
        """The answer of undoImport."""
        return (await self.caller.ask(UNDO, job=job))["result"]

    async def stored(self) -> list[tuple[Any, ...]]:
        """Body, rating, time, external id, author's name and address, in the order of the file."""
        return await self.factory.rows(_STORED, workspace=self.tenant.id)

    async def bodies(self) -> list[str]:
        return [row[0] for row in await self.stored()]


async def importer(factory: Factory, http: httpx.AsyncClient, worker: Worker) -> Importer:
    """Its worker leaves what is imported unscored, which takes longer than all else."""
    tenant = await factory.tenant()
    tasks = [task for task in worker.tasks if task.kind is not scoring.SCORE]
    return Importer(tenant, tenant.owner.on(http), factory, replace(worker, tasks=tasks))


async def refusals(job: JSON) -> list[list[str]]:
    """The rows of the file at a job's resultUrl."""
    answer = await get(job["resultUrl"])
    assert answer.status_code == 200
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert header == ["row", "column", "reason", "original"]
    return rows


def counts(job: JSON) -> tuple[int, int, int, int]:
    """Rows, and of these stored, duplicates and refused."""
    result = job["result"]
    return result["rows"], result["stored"], result["duplicates"], result["refused"]


def job_uuid(id_: str) -> Any:
    return ids.read(Kind.JOB, id_)
