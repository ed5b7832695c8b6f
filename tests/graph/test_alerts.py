"""Alerts over GraphQL: what rules have raised, in lists and by id, and who may see it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.stores import now
from domain import ids
from domain.alert import Definition, Kind
from domain.ids import Kind as IdKind
from tests.alerting import Alerting
from tests.callers import Caller
from tests.factories import Factory, Person, Tenant
from tests.graph.alert_queries import ALERTS, CREATE, PREVIEW

COUNT = Definition(Kind.COUNT, threshold=2, cool_down_minutes=0)
RULE = {"kind": "COUNT", "threshold": 1}
CHANNELS = {
    "admins": True,
    "webhookUrl": "https://example.org/hook",
    "slackUrl": "https://hooks.example.com/services/T000/B000/secret1234",
}


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


@pytest.fixture
def owner(tenant: Tenant, http: httpx.AsyncClient) -> Caller:
    return tenant.owner.on(http)


async def create(owner: Caller, tenant: Tenant, **given: Any) -> Any:
    said = {"workspaceId": tenant.gid, "name": "Much", "rule": RULE} | given
    return (await owner.ask(CREATE, input=said))["result"]


async def fired(
    alerting: Alerting, factory: Factory, tenant: Tenant, rules: int, name: str = "Rule"
) -> None:
    """So many alerts, of as many rules, each a second after the one before."""
    for _ in range(2):
        await factory.feedback(tenant, "late", occurred_at=now() - timedelta(minutes=5))
    for number in range(rules):
        await alerting.rule(tenant, COUNT, name=f"{name} {number}")
        await alerting.check(tenant, now() - timedelta(seconds=rules - number))


async def test_alerts_are_listed_with_all_they_went_by(
    alerting: Alerting, factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    await fired(alerting, factory, tenant, 1)

    answer = (await owner.ask(ALERTS, slug=tenant.slug))["workspace"]

    (rule,), (found,) = answer["alertRules"], answer["alerts"]["nodes"]
    assert rule["lastFiredAt"] == found["firedAt"] == found["windowEnd"]
    assert rule["alerts"]["nodes"] == [{"id": found["id"]}]
    assert found | {"firedAt": 0, "windowStart": 0, "windowEnd": 0, "query": 0} == {
        "id": found["id"],
        "name": "Rule 0",
        "kind": "COUNT",
        "state": "FIRING",
        "firedAt": 0,
        "resolvedAt": None,
        "value": 2.0,
        "threshold": 2.0,
        "baseline": None,
        "windowStart": 0,
        "windowEnd": 0,
        "query": 0,
        "messages": [],
        "rule": {"id": rule["id"]},
        "samples": [{"body": "late"}, {"body": "late"}],
    }
    assert (found["query"]["kind"], found["query"]["window_minutes"]) == ("COUNT", 60)


async def test_alerts_come_in_pages_and_by_state(
    alerting: Alerting, factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    other = await factory.tenant()
    await fired(alerting, factory, other, 1, "Theirs")
    await fired(alerting, factory, tenant, 5)
    rows = await factory.rows("SELECT id FROM alert_rule WHERE name = 'Rule 2'")
    await alerting.change(tenant, rows[0][0], enabled=False)

    has_more: list[bool] = []

    async def names(**given: Any) -> tuple[list[str], str | None]:
        page = (await owner.ask(ALERTS, slug=tenant.slug, **given))["workspace"]["alerts"]
        has_more.append(page["pageInfo"]["hasNextPage"])
        return [each["name"][-1] for each in page["nodes"]], page["pageInfo"]["endCursor"]

    first, cursor = await names(first=2)
    second, cursor = await names(first=2, after=cursor)
    third, _ = await names(first=2, after=cursor)
    firing, cursor = await names(first=2, state="FIRING")
    rest, _ = await names(first=2, after=cursor, state="FIRING")
    (error,) = await owner.errors(ALERTS, slug=tenant.slug, after=cursor)

    assert [first, second, third] == [["4", "3"], ["2", "1"], ["0"]]
    assert firing == ["4", "3"]
    assert rest == ["1", "0"]
    assert has_more == [True, True, False, True, False]
    assert error["extensions"] == {"code": "INVALID_INPUT"}


async def test_the_messages_of_an_alert_are_told(
    alerting: Alerting, factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    await create(owner, tenant, channels=CHANNELS)
    await factory.feedback(tenant, occurred_at=now() - timedelta(minutes=1))
    await alerting.check(tenant, now())

    (found,) = (await owner.ask(ALERTS, slug=tenant.slug))["workspace"]["alerts"]["nodes"]

    told = [
        (each["event"], each["channel"], each["to"], each["status"]) for each in found["messages"]
    ]
    assert told == [
        ("FIRED", "MAIL", tenant.owner.email, "WAITING"),
        ("FIRED", "SLACK", "https://hooks.example.com/…1234", "WAITING"),
        ("FIRED", "WEBHOOK", "https://example.org/…hook", "WAITING"),
    ]
    assert {each["at"] for each in found["messages"]} == {found["firedAt"]}


NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on AlertRule { name } ... on Alert { state } } }"


async def test_rules_and_alerts_are_found_by_their_ids(
    alerting: Alerting, factory: Factory, tenant: Tenant, owner: Caller, http: httpx.AsyncClient
) -> None:
    await fired(alerting, factory, tenant, 1)
    ((rule, found),) = await factory.rows("SELECT rule_id, id FROM alert")
    wanted = [ids.write(IdKind.ALERT_RULE, rule), ids.write(IdKind.ALERT, found)]
    stranger = await factory.person()

    assert (await owner.ask(NODES, ids=wanted))["nodes"] == [
        {"__typename": "AlertRule", "name": "Rule 0"},
        {"__typename": "Alert", "state": "FIRING"},
    ]
    assert (await stranger.on(http).ask(NODES, ids=wanted))["nodes"] == [None, None]


@pytest.mark.parametrize("role", ["VIEWER", "ANALYST"])
async def test_who_is_no_admin_may_read_and_nothing_else(
    alerting: Alerting, factory: Factory, tenant: Tenant, http: httpx.AsyncClient, role: str
) -> None:
    await fired(alerting, factory, tenant, 1)
    person: Person = await factory.member(tenant, role)
    caller = person.on(http)

    read = (await caller.ask(ALERTS, slug=tenant.slug))["workspace"]
    refused = await create(caller, tenant)
    preview = await caller.ask(PREVIEW, input={"workspaceId": tenant.gid, "rule": RULE})

    assert len(read["alertRules"]) == len(read["alerts"]["nodes"]) == 1
    assert refused == {
        "__typename": "Forbidden",
        "message": f"You need the role ADMIN to manage alert rules; yours is {role}.",
    }
    assert preview["result"]["__typename"] == "Forbidden"
