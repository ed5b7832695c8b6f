"""What tests of scheduled exports share: making them over GraphQL."""

from typing import Any

from domain import ids
from domain.ids import Kind
from tests.callers import JSON, Caller
from tests.factories import Factory, Person, Tenant

_FIELDS = "id name format filter period hour timeZone userIds enabled updatedById"
_REFUSAL = "__typename ... on Problem { message } ... on InvalidInput { fields { path message } }"
CREATE = f"""mutation($input: CreateExportScheduleInput!) {{
    result: createExportSchedule(input: $input) {{
        {_REFUSAL} ... on CreateExportScheduleSuccess {{ exportSchedule {{ {_FIELDS} }} }} }} }}"""
UPDATE = f"""mutation($input: UpdateExportScheduleInput!) {{
    result: updateExportSchedule(input: $input) {{
        {_REFUSAL} ... on UpdateExportScheduleSuccess {{ exportSchedule {{ {_FIELDS} }} }} }} }}"""
DELETE = f"""mutation($id: ID!) {{ result: deleteExportSchedule(input: {{exportScheduleId: $id}}) {{
    {_REFUSAL} ... on DeleteExportScheduleSuccess {{ exportScheduleId }} }} }}"""
LISTED = f"""query($slug: String!) {{ workspace(slug: $slug) {{
    exportSchedules {{ {_FIELDS} }} }} }}"""


async def ask(caller: Caller, factory: Factory, tenant: Tenant, **given: Any) -> JSON:
    """The answer of createExportSchedule: of each day, as CSV, to the owner, unless something else is given."""
    settings: dict[str, Any] = {
        "workspaceId": tenant.gid,
        "name": "Yesterday",
        "format": "CSV",
        "period": "DAY",
    }
    if "memberIds" not in given:
        settings["memberIds"] = [await factory.membership(tenant, tenant.owner)]
    return (await caller.ask(CREATE, input=settings | given))["result"]


async def made(
    caller: Caller, factory: Factory, tenant: Tenant, *people: Person, **given: Any
) -> JSON:
    """The schedule, for these people."""
    if people:
        given["memberIds"] = [await factory.membership(tenant, person) for person in people]
    answer = await ask(caller, factory, tenant, **given)
    assert answer["__typename"] == "CreateExportScheduleSuccess", answer
    return answer["exportSchedule"]


def uuid(schedule: JSON) -> Any:
    return ids.read(Kind.EXPORT_SCHEDULE, schedule["id"])
