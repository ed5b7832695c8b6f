"""What real processes tell of real work: one trace from end to end, logs without a secret, and reports of bugs."""

import asyncio
import hashlib
import json
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.settings import Settings
from app.stores import open_database
from domain import account, ids
from domain.ids import Kind
from persistence import migrate
from tests.app.collector import Span, collecting
from tests.app.deliveries import event, post, sign
from tests.app.observing import Observed, observed, until
from tests.callers import Caller

EMAIL, PASSWORD, NAME = (
    "ada.observed@partner.example",
    "a horse that nobody observes",
    "Ada Observed",
)
BODY = "The unobservable kettle of Mrs Quibble leaks."
AUTHOR = "quibble@kettles.example"
CREATE_WORKSPACE = """mutation { createWorkspace(input: {name: "Kettles", slug: "kettles"}) {
    ... on CreateWorkspaceSuccess { workspace { id } } } }"""
CREATE_SOURCE = """mutation($id: ID!) { createSource(input: {workspaceId: $id, name: "Hook"}) {
    ... on CreateSourceSuccess { source { id } signingSecret } } }"""
CREATE_WEBHOOK = """mutation($input: CreateWebhookInput!) { createWebhook(input: $input) {
    ... on CreateWebhookSuccess { secret } } }"""
CREATE_KEY = """mutation($id: ID!) { createApiKey(input: {
    workspaceId: $id, name: "Robot", scopes: ["feedback:read"]
}) { ... on CreateApiKeySuccess { secret } ... on Problem { message } } }"""
LOGIN = """mutation SignIn($input: LoginInput!) { login(input: $input) {
    ... on LoginSuccess { tokens { accessToken refreshToken } } ... on Problem { message } } }"""
EVENTS = """subscription Screen($id: ID!) { feedbackEvents(workspaceId: $id) {
    ... on FeedbackEvent { type feedback { body } } } }"""
TAGS = """query BrokenTags($id: ID!) { node(id: $id) { ... on Workspace { tags { name } } } }"""


@dataclass(frozen=True, slots=True)
class Story:
    """Something that was done on the running product: who did it, and all that nobody else may read."""

    earful: Observed
    caller: Caller
    workspace: str
    source: str
    signing_secret: str
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
async def earful(settings: Settings) -> AsyncIterator[Observed]:
    assert settings.database_url is not None
    name = f"observed_{secrets.token_hex(4)}"
    url = urlunsplit(urlsplit(settings.database_url)._replace(path=f"/{name}"))
    apart = settings.model_copy(
        update={"database_url": url, "redis_url": f"{settings.redis_url}/6"}
    )
    admin = await asyncpg.connect(settings.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await asyncio.to_thread(migrate.upgrade, url)
        with tempfile.TemporaryDirectory(prefix="earful-observed-") as place, collecting() as far:
            async with observed(apart, Path(place), far) as running:
                yield running
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture(scope="module")
async def story(settings: Settings, earful: Observed) -> Story:
    """Somebody signs in, and makes a workspace with a source, a webhook and a key."""
    mine = settings.model_copy(update={"database_url": earful.database_url})
    async with open_database(mine, "observed") as database:
        await account.add(database, account.Register(EMAIL, PASSWORD, NAME))
    signed_in = await earful.as_nobody().ask(LOGIN, input={"email": EMAIL, "password": PASSWORD})
    tokens = signed_in["login"]["tokens"]
    caller = earful.as_nobody().signed_in(tokens["accessToken"])
    workspace = (await caller.ask(CREATE_WORKSPACE))["createWorkspace"]["workspace"]["id"]
    made = (await caller.ask(CREATE_SOURCE, id=workspace))["createSource"]
    webhook = await caller.ask(
        CREATE_WEBHOOK,
        input={
            "workspaceId": workspace,
            "name": "Partner",
            "url": f"{earful.collector.url}/partner?key=unobservable-key",
            "eventTypes": ["FEEDBACK_ADDED"],
        },
    )
    key = (await caller.ask(CREATE_KEY, id=workspace))["createApiKey"]["secret"]
    return Story(
        earful,
        caller,
        workspace,
        made["source"]["id"],
        made["signingSecret"],
        (
            *(EMAIL, PASSWORD, NAME, BODY, AUTHOR, "quibble", "unobservable", key),
            *(tokens["accessToken"], tokens["refreshToken"], tokens["accessToken"].split(".")[2]),
            *(made["signingSecret"], webhook["createWebhook"]["secret"]),
        ),
    )


async def deliver(story: Story, id_: str, traceparent: str) -> None:
    body = event(body=BODY, author={"name": "Mrs Quibble", "email": AUTHOR})
    headers = sign(story.signing_secret, body, webhook_id=id_) | {"traceparent": traceparent}
    answer = await post(story.earful.http, story.source, body, headers)
    assert answer.status_code == 202
    assert answer.headers["x-trace-id"] == traceparent.split("-")[1]


async def test_one_trace_goes_from_a_signed_webhook_to_the_frame_on_a_socket(story: Story) -> None:
    earful, trace = story.earful, secrets.token_hex(16)
    assert story.caller.token is not None
    async with earful.socket(story.caller.token) as socket:
        payload = {"query": EVENTS, "variables": {"id": story.workspace}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        await until(
            lambda: [line for line in earful.lines("api") if line.get("operation") == "Screen"]
        )
        await deliver(story, "msg_traced", f"00-{trace}-{'1' * 16}-01")
        async with asyncio.timeout(60):
            frames = [json.loads(await socket.recv())["payload"] for _ in ("ADDED", "SCORED")]

    def whole() -> dict[str, Span]:
        return {span.id: span for span in earful.collector.spans() if span.trace == trace}

    def is_whole(spans: dict[str, Span]) -> bool:
        names = [span.name for span in spans.values()]
        return (
            names.count("push to sockets") == len(frames)
            and "deliver webhook" in names
            and {span.parent for span in spans.values()} <= {*spans, "1" * 16}
        )

    spans = await until(whole, holds=is_whole)

    def way(from_: str) -> list[tuple[str, str]]:
        """From a span up to where its trace came in."""
        found = []
        while from_ != "1" * 16:
            span = spans[from_]
            found.append((span.process, span.name))
            from_ = span.parent
        return found

    for frame in frames:
        assert frame["extensions"]["traceparent"].split("-")[1] == trace
    (scored,) = [
        span.id
        for span in spans.values()
        if span.name == "push to sockets"
        and span.parent == frames[1]["extensions"]["traceparent"].split("-")[2]
    ]
    assert way(scored) == [
        ("api", "push to sockets"),
        ("api", "subscription event"),
        ("relay", "deliver feedback.scored"),
        ("worker", "score feedback"),
        ("relay", "deliver feedback.added"),
        ("api", "POST /hooks/{source}"),
    ]
    (posted,) = [span.id for span in spans.values() if span.name == "POST"]
    assert way(posted)[-2:] == [("worker", "deliver webhook"), ("api", "POST /hooks/{source}")]
    (headers,) = [each for each in earful.collector.posts if trace in each.get("traceparent", "")]
    assert headers["traceparent"] == f"00-{trace}-{posted}-01"
    told = {(span.process, span.name) for span in spans.values()}
    # That points are taken is not told here: who has some on lease takes none.
    assert {
        ("relay", "publish events"),
        ("relay", "enqueue deliver_webhooks"),
        ("worker", "job deliver_webhooks"),
        ("worker", "score texts"),
    } <= told
    sql = [span for span in spans.values() if "db.query.text" in span.attributes]
    assert {span.process for span in sql} == {"api", "relay", "worker"}


async def test_each_request_and_delivery_has_one_line_that_names_nobody(story: Story) -> None:
    earful, trace = story.earful, secrets.token_hex(16)
    before = len(earful.collector.posts)
    await deliver(story, "msg_logged", f"00-{trace}-{'1' * 16}-00")
    await until(lambda: len(earful.collector.posts), holds=lambda posts: posts > before)

    def of_trace() -> list[dict[str, Any]]:
        return [line for line in earful.lines("api") if line["trace_id"] == trace]

    (line,) = await until(of_trace)
    assert line.pop("time")
    assert line.pop("seconds") > 0
    assert line == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "route": "/hooks/{source}",
        "status": 202,
        "caller": "source",
        "source": ids.read(Kind.SOURCE, story.source).hex,  # type: ignore[union-attr]  # it is one
        "entries": 1,
        "trace_id": trace,
    }
    answer = await story.caller.post("query Mine { viewer { user { id } } }")
    (line,) = await until(
        lambda: [each for each in earful.lines("api") if each.get("operation") == "Mine"]
    )
    assert line["trace_id"] == answer.headers["x-trace-id"]
    assert (line["outcome"], line["caller"], line["kind"]) == ("ok", "person", "query")
    assert line["cost"] == answer.json()["extensions"]["cost"]["actual"]
    text = json.loads(answer.request.content)["query"]
    assert line["document"] == hashlib.sha256(text.encode()).hexdigest()


async def test_no_secret_and_nobody_is_in_a_log_a_span_or_a_report(story: Story) -> None:
    earful, nobody = story.earful, story.earful.as_nobody()
    database = await asyncpg.connect(earful.database_url)
    await nobody.post(LOGIN, input={"email": EMAIL, "password": f"{PASSWORD} unobservable"})
    await nobody.signed_in(f"{story.caller.token}unobservable").post("{ viewer { user { id } } }")
    await nobody.signed_in(story.secrets[7]).post('{ workspace(slug: "unobservable") { id } }')
    await story.caller.post('query { unobservable(id: "unobservable") }')
    await post(earful.http, story.source, event(body=BODY), sign("whsec_" + "u" * 32, event()))
    await earful.http.get(f"/auth/oidc/unobservable/callback?code={PASSWORD}")
    await database.execute("ALTER TABLE tag RENAME TO tag_gone")
    broken = await story.caller.post(TAGS, id=story.workspace)
    await database.execute("ALTER TABLE tag_gone RENAME TO tag")
    await database.execute(
        "INSERT INTO job (id, kind, arguments, status, attempts, created_at, run_at)"
        " VALUES (gen_random_uuid(), 'send_mail', $1, 'QUEUED', 0, now(), now())",
        json.dumps({"to": AUTHOR, "quibble": BODY}),
    )
    of = {"type": "UPDATED", "id": "0" * 32, "source": "0" * 32, "tags": [], "occurred": BODY}
    await database.execute(
        "INSERT INTO outbox (workspace_id, kind, payload)"
        " VALUES (gen_random_uuid(), 'feedback.updated', $1)",
        json.dumps(of | {"rating": None, "label": None}),
    )
    await database.close()

    reported = await until(
        lambda: {each["tags"]["process"]: each for each in earful.collector.events()},
        holds=lambda found: len(found) == len(("api", "worker", "relay")),
    )
    told = {name: each["exception"]["values"][-1] for name, each in reported.items()}
    assert {name: each["type"] for name, each in told.items()} == {
        "api": "UndefinedTableError",
        "relay": "ValueError",
        "worker": "TypeError",
    }
    assert "value" not in told["relay"] or told["relay"]["value"] is None
    (error,) = broken.json()["errors"]
    assert error["extensions"]["traceId"] == broken.headers["x-trace-id"]
    assert reported["api"]["tags"]["trace_id"] == broken.headers["x-trace-id"]
    await until(lambda: "job failed" in earful.log("worker"))
    await until(lambda: "an event led to nothing" in earful.log("relay"))
    everything = [
        *(earful.log(process).encode() for process in ("api", "worker", "relay")),
        *earful.collector.raw,
        *earful.collector.envelopes,
    ]
    found = [secret for secret in story.secrets for text in everything if secret.encode() in text]
    assert found == []


async def test_what_becomes_of_spans_is_told(story: Story) -> None:
    metrics = (await story.earful.http.get("/metrics")).text
    assert 'earful_trace_spans_total{outcome="dropped",process="api"} 0.0' in metrics
