"""Payloads hold what a receiver selects: answered as in any operation, bounded, and nothing beside it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_composite_type

from app.resources import Api
from app.settings import Settings
from app.stores import open_database
from domain import ids
from domain.events import INSTANCE
from domain.ids import Kind
from domain.viewer import Viewer
from domain.webhook import Event, PayloadError
from graph.schema import schema
from graph.webhook_payload import DEFAULT, LARGEST, Payloads
from persistence.database import StoreUnavailableError
from tests.factories import NOON, POSITIVE, Factory, Tenant
from tests.graph.webhook_queries import PREVIEW, result

SCHEMA = schema._schema


def event(tenant: Tenant, feedback: str | None) -> Event:
    about = None if feedback is None else ids.read(Kind.FEEDBACK, feedback)
    return Event(UUID(int=7), "feedback.added", tenant.id, NOON, about)


async def rendered(api: Api, tenant: Tenant, selection: str | None, feedback: str | None) -> Any:
    """The body as the worker makes it."""
    viewer = Viewer(tenant.owner.id, INSTANCE, NOON)
    body = await api.services.payloads.render(selection, event(tenant, feedback), viewer)
    return orjson.loads(body)


def everything(type_: Any, seen: tuple[str, ...] = ()) -> str:
    """A selection of all fields that can be reached."""
    fields = []
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if is_composite_type(inner):
            if inner.name not in seen:
                fields.append(f"{name} {everything(inner, (*seen, inner.name))}")
        else:
            fields.append(name)
    return f"{{ {' '.join(fields)} }}"


async def test_the_default_holds_everything_of_the_feedback(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(
        tenant,
        "Late again.",
        score=POSITIVE,
        author_name="Ada",
        metadata='{"order": 7}',
        rating=3,
    )
    tag = await factory.tag(tenant, "red", feedback)

    body = await rendered(api, tenant, None, feedback)

    ((received_at,),) = await factory.rows("SELECT received_at FROM feedback")
    assert body == {
        "type": "feedback.added",
        "timestamp": "2026-06-15T12:00:00Z",
        "data": {
            "feedbackId": feedback,
            "feedback": {
                "id": feedback,
                "externalId": None,
                "body": "Late again.",
                "rating": 3,
                "language": None,
                "metadata": {"order": 7},
                "occurredAt": "2026-06-15T12:00:00Z",
                "receivedAt": received_at.isoformat().replace("+00:00", "Z"),
                "author": {"name": "Ada", "email": None, "externalId": None},
                "sentiment": {
                    "label": "POSITIVE",
                    "score": 0.8,
                    "confidence": 0.9,
                    "model": "test-model-1",
                },
                "source": {"id": tenant.source_gid, "name": "Hook", "kind": "WEBHOOK"},
                "tags": [{"id": tag, "name": "red"}],
            },
        },
    }


async def test_every_field_that_can_be_reached_is_answered_as_in_any_operation(
    factory: Factory, api: Api, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, score=POSITIVE, author_name="Ada")
    await factory.tag(tenant, "red", feedback)
    webhook = await factory.webhook(tenant)
    delivery = await factory.delivery(tenant, webhook, feedback)
    selection = everything(SCHEMA.type_map["WebhookEvent"], ("Alert", "Job"))

    body = await rendered(api, tenant, selection, feedback)
    answer = await tenant.owner.on(http).ask(
        f"query($id: ID!) {{ node(id: $id) {{ ... on WebhookDelivery {{ event {selection} }} }} }}",
        id=delivery,
    )

    assert body["data"] == answer["node"]["event"] | {"id": f"event_{UUID(int=7).hex}"}
    assert body["data"]["feedback"]["source"]["lastReceivedAt"] is not None


@pytest.mark.parametrize("about", ["alert", "job"])
async def test_every_field_of_what_else_is_told_of_is_answered(
    factory: Factory, api: Api, http: httpx.AsyncClient, about: str
) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, score=POSITIVE, author_name="Ada")
    _, alert = await factory.alert(tenant, feedback)
    node = {"alert": alert, "job": await factory.job(tenant)}[about]
    type_ = {"alert": "Alert", "job": "Job"}[about]
    id_ = UUID(hex=node.split("_")[1])
    happened = {
        "alert": replace(event(tenant, None), alert_id=id_),
        "job": replace(event(tenant, None), job_id=id_),
    }[about]
    fields = everything(SCHEMA.type_map[type_], (type_, "Feedback"))
    viewer = Viewer(tenant.owner.id, INSTANCE, NOON)

    body = await api.services.payloads.render(f"{{ {about} {fields} }}", happened, viewer)
    answer = await tenant.owner.on(http).ask(
        f"query($id: ID!) {{ node(id: $id) {{ ... on {type_} {fields} }} }}", id=node
    )

    assert orjson.loads(body)["data"][about] == answer["node"]
    assert answer["node"]["id"] == node


async def test_alerts_have_a_default_of_their_own(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    rule, alert = await factory.alert(tenant, await factory.feedback(tenant, "Late again."))
    id_ = UUID(hex=alert.split("_")[1])
    happened = Event(UUID(int=7), "alert.fired", tenant.id, NOON, alert_id=id_)

    body = await api.services.payloads.render(
        None, happened, Viewer(tenant.owner.id, INSTANCE, NOON)
    )

    data = orjson.loads(body)["data"]
    assert (data["alertId"], data["alert"]["id"]) == (alert, alert)
    assert (data["alert"]["state"], data["alert"]["rule"]["id"]) == ("FIRING", rule)
    assert [sample["body"] for sample in data["alert"]["samples"]] == ["Late again."]


async def test_jobs_have_a_default_of_their_own(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    job = await factory.job(tenant, "export")
    await factory.job_changed(tenant, job, "FAILED", told=False, error="no luck", failures=3)
    id_ = UUID(hex=job.split("_")[1])
    happened = Event(UUID(int=7), "job.failed", tenant.id, NOON, job_id=id_)

    body = await api.services.payloads.render(
        None, happened, Viewer(tenant.owner.id, INSTANCE, NOON)
    )

    data = orjson.loads(body)["data"]
    assert data["jobId"] == job
    assert (data["job"]["id"], data["job"]["kind"]) == (job, "export")
    assert (data["job"]["status"], data["job"]["error"]) == ("FAILED", "no luck")


def test_nothing_else_can_be_reached() -> None:
    """Before another type is added look at each of its fields: the worker must be able to answer it, to anybody."""
    reached: set[str] = set()
    waiting = [SCHEMA.type_map["WebhookEvent"]]
    while waiting:
        kind = waiting.pop()
        if kind.name not in reached and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            reached.add(kind.name)
            waiting += [get_named_type(field.type) for field in kind.fields.values()]

    assert reached == {
        *("Alert", "AlertChannels", "AlertCondition", "AlertConnection", "AlertEdge"),
        *("AlertFilter", "AlertMessage", "AlertRule", "AuditActor", "Author", "Feedback"),
        *("FeedbackAssignee", "FeedbackChange", "FeedbackNote", "FeedbackNoteConnection"),
        *("FeedbackNoteEdge", "FeedbackRevision", "FieldProblem", "File", "Job", "Masking"),
        *("PageInfo", "Quarantined", "QuarantineConnection", "QuarantinedEdge", "QuietHours"),
        *("Sentiment", "SentimentSpan", "Source", "SourceHealth", "Tag", "WebhookEvent"),
    }


async def test_what_the_inbox_says_of_it_can_be_asked_for(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "Late again.", score=POSITIVE)
    await factory.note(tenant, feedback, "Called back.")

    body = await rendered(
        api,
        tenant,
        """{ feedback { status assignee { name } notes { nodes { body author { name } } }
            history { kind actor { name } } similar { id } unscoredReason
            sentiment { spans { start } } source { masking { kinds } } } }""",
        feedback,
    )

    (note,) = body["data"]["feedback"].pop("notes")["nodes"]
    assert (note["body"], note["author"]["name"]) == ("Called back.", "Somebody")
    assert body["data"]["feedback"] == {
        "status": "OPEN",
        "assignee": None,
        "history": [],
        "similar": [],
        "unscoredReason": None,
        "sentiment": {"spans": [{"start": 0}]},
        "source": {"masking": None},
    }


async def test_of_feedback_that_is_gone_the_id_is_left(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant)
    await factory.change("DELETE FROM feedback", within=tenant)

    body = await rendered(api, tenant, "{ feedbackId feedback { body } }", feedback)

    assert body["data"] == {"feedbackId": feedback, "feedback": None}


async def test_an_event_of_no_feedback_has_none(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()

    body = await rendered(api, tenant, "{ id feedbackId feedback { body } }", None)

    assert body["data"] == {"id": f"event_{UUID(int=7).hex}", "feedbackId": None, "feedback": None}


async def test_fragments_aliases_and_typenames_are_answered(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "Late again.")

    body = await rendered(
        api,
        tenant,
        "query Mine { ...Body } fragment Body on WebhookEvent"
        " { __typename about: feedback { text: body ... on Feedback { rating @skip(if: true) } } }",
        feedback,
    )

    assert body["data"] == {"__typename": "WebhookEvent", "about": {"text": "Late again."}}


TOO_MANY = " ".join(f"a{number}: type" for number in range(201))
SPREAD = "{ feedback { " + " ".join(f"f{n}: source {{ ...S }}" for n in range(60)) + " } }"


@pytest.mark.parametrize(
    ("selection", "problem"),
    [
        ("", "line 1, column 1: Syntax Error: Unexpected <EOF>."),
        ("{ type", "line 1, column 7: Syntax Error: Expected Name, found <EOF>."),
        ("{ type } { id }", "This anonymous operation must be the only defined operation."),
        ("query A { type } query B { id }", "must be one selection, such as"),
        ("mutation { type }", "The mutation operation is not supported by the schema."),
        ("query($a: Boolean!) { type @skip(if: $a) }", "must not have variables"),
        ("{ ... @defer { type } }", "Unknown directive '@defer'"),
        ("{ viewer { user { email } } }", "Cannot query field 'viewer' on type 'WebhookEvent'."),
        ("{ __schema { types { name } } }", "must not ask for __schema"),
        ('{ __type(name: "User") { name } }', "must not ask for __type"),
        ("{ feedback }", "Field 'feedback' of type 'Feedback' must have a selection of subfields."),
        (f"{{ {TOO_MANY} }}", "must have at most 200 fields, fragments included"),
        (
            SPREAD + " fragment S on Source { id name kind provider }",
            "must have at most 200 fields, fragments included",
        ),
        ("{ type " + " " * 8_000 + "}", "must have at most 8,000 characters"),
        ("{ " + "... { " * 2_000 + "type" + " }" * 2_000 + " }", "must have at most 8,000"),
        ("{ " + "...{" * 1_000 + "type" + "}" * 1_000 + " }", "Document is nested too deeply"),
        ("{ ...A } fragment A on WebhookEvent { ...A }", "Cannot spread fragment 'A' within"),
    ],
)
def test_what_is_no_selection_of_modest_size_is_refused(
    selection: str, problem: str, api: Api
) -> None:
    found = api.services.payloads.problem(selection)

    assert found is not None
    assert problem in found


def test_the_default_is_one(api: Api) -> None:
    assert api.services.payloads.problem(DEFAULT) is None


async def test_a_payload_has_a_largest_size(factory: Factory, api: Api) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "x" * 50_000)
    selection = "{ feedback { " + " ".join(f"b{n}: body" for n in range(22)) + " } }"

    with pytest.raises(PayloadError, match=f"more than {LARGEST:,} bytes"):
        await rendered(api, tenant, selection, feedback)


async def test_without_postgres_it_is_nobodys_fault(
    factory: Factory, api: Api, settings: Settings
) -> None:
    tenant = await factory.tenant()
    async with open_database(settings, "payloads away") as away:
        pass
    payloads = Payloads(
        SCHEMA,
        away,
        api.objects,
        base_url=settings.base_url,
        seals=api.services.seals,
        clock=api.services.clock,
        seconds=5,
    )
    viewer = Viewer(tenant.owner.id, INSTANCE, NOON)

    with pytest.raises(StoreUnavailableError):
        await payloads.render(None, event(tenant, f"feedback_{'0' * 32}"), viewer)


async def test_a_preview_shows_the_newest_feedback_or_the_one_that_is_meant(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    older = await factory.feedback(tenant, "Older.")
    await factory.feedback(tenant, "Newer.")
    owner, selection = tenant.owner.on(http), "{ type feedback { body } }"

    newest = await result(owner, PREVIEW, workspaceId=tenant.gid, selection=selection)
    meant = await result(
        owner, PREVIEW, workspaceId=tenant.gid, selection=selection, feedbackId=older
    )

    assert newest["payload"].keys() == {"type", "timestamp", "data"}
    assert newest["payload"]["data"] == {"type": "webhook.test", "feedback": {"body": "Newer."}}
    assert meant["payload"]["data"]["feedback"] == {"body": "Older."}
    assert await factory.rows("SELECT id FROM webhook_delivery") == []


async def test_a_preview_says_where_a_selection_is_wrong(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    refused = await result(
        tenant.owner.on(http), PREVIEW, workspaceId=tenant.gid, selection="{ feedback { mood } }"
    )

    assert refused["fields"] == [
        {
            "path": ["selection"],
            "message": "line 1, column 14: Cannot query field 'mood' on type 'Feedback'.",
        }
    ]


async def test_a_preview_shows_no_feedback_of_another_workspace_of_the_callers(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    other = await factory.tenant(owner=tenant.owner)
    feedback = await factory.feedback(other)

    refused = await result(
        tenant.owner.on(http), PREVIEW, workspaceId=tenant.gid, feedbackId=feedback
    )

    assert refused["message"] == "There is no such feedback in this workspace."
