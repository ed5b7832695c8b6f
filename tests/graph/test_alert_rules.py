"""Alert rules over GraphQL: made, changed, taken away, tried, and what they have raised."""

import asyncio
from typing import Any

import httpx
import pytest

from app.settings import Settings
from app.stores import now
from domain import ids
from domain.alert import Definition, Kind
from domain.alert.managing import MOST_RULES
from domain.ids import Kind as IdKind
from tests.alerting import Alerting
from tests.callers import Caller
from tests.factories import Factory, Tenant
from tests.graph.alert_queries import CREATE, DELETE, PREVIEW, TEST, UPDATE
from tests.holding import held

COUNT = Definition(Kind.COUNT, threshold=2, cool_down_minutes=0)
RULE = {"kind": "COUNT", "threshold": 10}
HOOK = "https://hooks.example.com/services/T000/B000/secret1234"
CHANNELS = {"admins": True, "webhookUrl": "https://example.org/hook", "slackUrl": HOOK}


@pytest.fixture
async def tenant(factory: Factory) -> Tenant:
    return await factory.tenant()


@pytest.fixture
def owner(tenant: Tenant, http: httpx.AsyncClient) -> Caller:
    return tenant.owner.on(http)


async def create(owner: Caller, tenant: Tenant, **given: Any) -> Any:
    said = {"workspaceId": tenant.gid, "name": "Much", "rule": RULE} | given
    return (await owner.ask(CREATE, input=said))["result"]


async def made(owner: Caller, tenant: Tenant, **given: Any) -> Any:
    answer = await create(owner, tenant, **given)
    assert answer["__typename"] == "CreateAlertRuleSuccess", answer
    return answer["alertRule"]


def wrong(answer: Any) -> list[list[str]]:
    assert answer["__typename"] == "InvalidInput", answer
    return [field["path"] for field in answer["fields"]]


@pytest.mark.parametrize("role", ["ADMIN", "OWNER"])
async def test_a_rule_is_made_with_what_its_kind_needs(
    factory: Factory, tenant: Tenant, http: httpx.AsyncClient, role: str
) -> None:
    person = await factory.member(tenant, role)

    rule = await made(person.on(http), tenant)

    assert rule == {
        "id": rule["id"],
        "name": "Much",
        "kind": "COUNT",
        "enabled": True,
        "lastFiredAt": None,
        "createdById": person.gid,
        "condition": {
            "kind": "COUNT",
            "metric": "COUNT",
            "shareOf": ["NEGATIVE"],
            "windowMinutes": 60,
            "comparison": "AT_LEAST",
            "threshold": 10.0,
            "resolveThreshold": None,
            "minimumSample": 1,
            "minimumChange": 0.0,
            "baselineWeeks": 4,
            "coolDownMinutes": 60,
            "timeZone": "UTC",
            "notifyResolved": True,
            "quietHours": None,
            "filter": {
                "search": None,
                "sourceIds": None,
                "tagIds": None,
                "sentiments": None,
                "ratingGte": None,
                "ratingLte": None,
            },
        },
        "channels": {"admins": False, "userIds": [], "webhookUrl": None, "slackUrl": None},
    }


async def test_all_that_is_said_is_kept(factory: Factory, tenant: Tenant, owner: Caller) -> None:
    tag = await factory.tag(tenant, "red")
    said = {
        "kind": "CHANGE",
        "metric": "SHARE",
        "shareOf": ["NEGATIVE", "NEUTRAL"],
        "filter": {
            "search": "late",
            "sourceIds": [tenant.source_gid],
            "tagIds": [tag],
            "ratingGte": 1,
            "ratingLte": 9,
        },
        "windowMinutes": 240,
        "comparison": "AT_MOST",
        "threshold": 40.5,
        "resolveThreshold": 20.0,
        "minimumSample": 20,
        "minimumChange": 5.0,
        "baselineWeeks": 8,
        "coolDownMinutes": 90,
        "quietHours": {"from": "22:00", "to": "07:00"},
        "timeZone": "Europe/Berlin",
        "notifyResolved": False,
    }

    rule = await made(owner, tenant, rule=said, enabled=False)

    assert rule["enabled"] is False
    assert rule["condition"] == said | {"filter": said["filter"] | {"sentiments": None}}  # type: ignore[operator]  # it is a dict


async def test_urls_are_sealed_and_shown_masked(
    factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    rule = await made(owner, tenant, channels=CHANNELS)

    assert rule["channels"] == {
        "admins": True,
        "userIds": [],
        "webhookUrl": "https://example.org/…hook",
        "slackUrl": "https://hooks.example.com/…1234",
    }
    ((row,),) = await factory.rows("SELECT t::text FROM alert_rule t")
    assert "secret" not in row


async def test_a_masked_url_stands_for_the_one_that_is_kept(
    alerting: Alerting, tenant: Tenant, owner: Caller, factory: Factory
) -> None:
    rule = await made(owner, tenant, channels=CHANNELS)
    sealed = "SELECT sealed_urls FROM alert_rule"
    before = await factory.rows(sealed)
    change = {"slackUrl": rule["channels"]["slackUrl"]}

    answer = await owner.ask(UPDATE, input={"alertRuleId": rule["id"], "channels": change})

    assert answer["result"]["alertRule"]["channels"] == {
        "admins": False,
        "userIds": [],
        "webhookUrl": None,
        "slackUrl": "https://hooks.example.com/…1234",
    }
    ((after,),) = await factory.rows(sealed)
    assert after != before[0][0]
    id_ = ids.read(IdKind.ALERT_RULE, rule["id"])
    assert id_ is not None
    opened = alerting.seals.open(after, f"channels of {id_.hex}")
    assert opened.decode() == f'{{"webhook":null,"slack":"{HOOK}"}}'


async def test_members_are_named_by_their_membership(
    factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    viewer = await factory.member(tenant, "VIEWER")
    member = await factory.membership(tenant, viewer)

    rule = await made(owner, tenant, channels={"memberIds": [member, member]})

    assert rule["channels"]["userIds"] == [viewer.gid]


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"name": " "}, [["name"]]),
        ({"name": "x" * 201}, [["name"]]),
        ({"name": "two\nlines"}, [["name"]]),
        ({"rule": {"kind": "COUNT"}}, [["rule", "threshold"]]),
        (
            {"rule": {"kind": "SHARE", "threshold": 101, "windowMinutes": 7}},
            [["rule", "windowMinutes"], ["rule", "threshold"]],
        ),
        ({"rule": {"kind": "MATCH"}}, [["rule", "filter"]]),
        (
            {"rule": RULE | {"filter": {"occurredAfter": "2026-01-01T00:00:00Z"}}},
            [["rule", "filter", "occurredAfter"]],
        ),
        ({"rule": RULE | {"timeZone": "Nowhere"}}, [["rule", "timeZone"]]),
        (
            {"rule": RULE | {"quietHours": {"from": "25:00", "to": "07:00"}}},
            [["rule", "quietHours", "from"]],
        ),
        ({"channels": {"webhookUrl": "ftp://example.com/"}}, [["channels", "webhookUrl"]]),
        (
            {"channels": {"slackUrl": "https://169.254.169.254/latest"}},
            [["channels", "slackUrl"]],
        ),
        ({"channels": {"memberIds": ["nonsense"]}}, [["channels", "memberIds", "0"]]),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_kept(
    factory: Factory, tenant: Tenant, owner: Caller, given: dict[str, Any], paths: list[list[str]]
) -> None:
    answer = await create(owner, tenant, **given)

    assert wrong(answer) == paths
    assert await factory.rows("SELECT 1 FROM alert_rule") == []


async def test_there_are_only_so_many_rules_however_many_are_made_at_once(
    factory: Factory, tenant: Tenant, owner: Caller, settings: Settings
) -> None:
    await made(owner, tenant)
    await factory.change(
        "INSERT INTO alert_rule (id, workspace_id, name, kind, definition, channels, enabled,"
        " created_at, updated_at) SELECT gen_random_uuid(), workspace_id, name, kind, definition,"
        " channels, enabled, created_at, updated_at FROM alert_rule, generate_series(3, :most ::int)",
        within=tenant,
        most=MOST_RULES,
    )

    async with held(settings, "LOCK TABLE alert_rule IN SHARE MODE") as waited_for:
        creating = asyncio.gather(*(create(owner, tenant) for _ in range(3)))
        await waited_for(3)
    answers = await creating

    one, *others = sorted(answers, key=lambda answer: answer["__typename"] == "Conflict")
    assert one["__typename"] == "CreateAlertRuleSuccess"
    refusal = "A workspace has at most 100 alert rules."
    assert others == [{"__typename": "Conflict", "message": refusal}] * 2


async def test_what_is_left_out_of_a_change_stays(tenant: Tenant, owner: Caller) -> None:
    rule = await made(owner, tenant, channels=CHANNELS)

    renamed = await owner.ask(UPDATE, input={"alertRuleId": rule["id"], "name": "Other"})
    off = await owner.ask(UPDATE, input={"alertRuleId": rule["id"], "enabled": False})
    other = await owner.ask(
        UPDATE, input={"alertRuleId": rule["id"], "rule": RULE | {"threshold": 11}}
    )

    assert renamed["result"]["alertRule"] == rule | {"name": "Other"}
    assert off["result"]["alertRule"] == rule | {"name": "Other", "enabled": False}
    changed = other["result"]["alertRule"]
    assert changed["condition"] == rule["condition"] | {"threshold": 11.0}
    assert (changed["channels"], changed["enabled"]) == (rule["channels"], False)


async def test_a_bad_change_changes_nothing(
    factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    rule = await made(owner, tenant)
    before = await factory.rows("SELECT t::text FROM alert_rule t")

    answer = await owner.ask(
        UPDATE,
        input={"alertRuleId": rule["id"], "name": "Other", "rule": RULE | {"windowMinutes": 1}},
    )

    assert wrong(answer["result"]) == [["rule", "windowMinutes"], ["rule", "windowMinutes"]]
    assert await factory.rows("SELECT t::text FROM alert_rule t") == before


async def test_a_rule_is_taken_away_once(tenant: Tenant, owner: Caller, factory: Factory) -> None:
    rule = await made(owner, tenant)

    gone = await owner.ask(DELETE, input={"alertRuleId": rule["id"]})
    again = await owner.ask(DELETE, input={"alertRuleId": rule["id"]})

    assert gone["result"] == {"__typename": "DeleteAlertRuleSuccess", "alertRuleId": rule["id"]}
    assert again["result"] == {"__typename": "NotFound", "message": "There is no such alert rule."}
    assert await factory.rows("SELECT 1 FROM alert_rule") == []


async def test_a_test_is_asked_for_by_each_channel(tenant: Tenant, owner: Caller) -> None:
    rule = await made(owner, tenant, channels=CHANNELS)

    answer = await owner.ask(TEST, input={"alertRuleId": rule["id"]})

    assert answer["result"]["jobs"] == [{"kind": "notify_alert", "status": "QUEUED"}] * 3


async def test_a_rule_that_tells_nobody_has_nothing_to_test(tenant: Tenant, owner: Caller) -> None:
    rule = await made(owner, tenant)

    answer = await owner.ask(TEST, input={"alertRuleId": rule["id"]})

    assert answer["result"]["__typename"] == "Conflict"


async def test_a_preview_says_when_a_rule_would_have_fired(
    factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    for hour in (10, 10, 11, 15):
        await factory.feedback(
            tenant, occurred_at=now().replace(year=2026, month=6, day=15, hour=hour, minute=30)
        )

    answer = await owner.ask(
        PREVIEW,
        input={
            "workspaceId": tenant.gid,
            "rule": RULE | {"threshold": 2, "windowMinutes": 120},
            "from": "2026-06-15T00:00:00Z",
            "to": "2026-06-16T00:00:00Z",
        },
    )

    assert answer["result"] == {
        "__typename": "PreviewAlertRuleSuccess",
        "start": "2026-06-15T00:00:00Z",
        "end": "2026-06-16T00:00:00Z",
        "stepMinutes": 60,
        "checks": 25,
        "firings": [
            {
                "firedAt": "2026-06-15T11:00:00Z",
                "resolvedAt": "2026-06-15T13:00:00Z",
                "value": 2.0,
                "baseline": None,
            }
        ],
    }


async def test_a_preview_is_of_the_last_thirty_days(tenant: Tenant, owner: Caller) -> None:
    answer = await owner.ask(PREVIEW, input={"workspaceId": tenant.gid, "rule": RULE})

    assert answer["result"]["checks"] in (30 * 24, 30 * 24 + 1)
    assert answer["result"]["firings"] == []


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"from": "2026-06-16T00:00:00Z", "to": "2026-06-15T00:00:00Z"}, [["from"]]),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-15T00:00:00Z"}, [["from"]]),
        ({"from": "1960-01-01T00:00:00Z", "to": "1960-01-02T00:00:00Z"}, [["from"], ["to"]]),
        ({"from": None, "to": "0001-01-01T01:00:00Z"}, [["to"]]),
        ({"rule": {"kind": "COUNT"}}, [["rule", "threshold"]]),
        (
            {
                "rule": RULE | {"windowMinutes": 5},
                "from": "2026-05-01T00:00:00Z",
                "to": "2026-06-15T00:00:00Z",
            },
            [["from"]],
        ),
    ],
)
async def test_a_preview_of_too_much_or_of_no_sense_is_refused(
    tenant: Tenant, owner: Caller, given: dict[str, Any], paths: list[list[str]]
) -> None:
    answer = await owner.ask(PREVIEW, input={"workspaceId": tenant.gid, "rule": RULE} | given)

    assert wrong(answer["result"]) == paths


async def test_a_rule_names_what_the_workspace_has(
    factory: Factory, tenant: Tenant, owner: Caller
) -> None:
    other = await factory.tenant()
    tag = await factory.tag(other, "theirs")
    member = await factory.membership(other, other.owner)

    answers = [
        await create(owner, tenant, rule=RULE | {"filter": {"sourceIds": [other.source_gid]}}),
        await create(owner, tenant, rule=RULE | {"filter": {"tagIds": [tag]}}),
        await create(owner, tenant, channels={"memberIds": [member]}),
    ]

    assert [answer["message"] for answer in answers] == [
        "There is no such source in this workspace.",
        "There is no such tag in this workspace.",
        "There is no such member in this workspace.",
    ]
    assert await factory.rows("SELECT 1 FROM alert_rule") == []
