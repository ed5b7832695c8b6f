"""Who uses the topology through its gateway: people who query, a sender of webhooks, dashboards that follow live."""

import asyncio
import hashlib
import itertools
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.app.deliveries import sign
from tests.callers import Caller
from tests.deploy.topology import Topology

PASSWORD = "a password of the topology"
_REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
  ... on RegisterSuccess { tokens { accessToken } } } }"""
_LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  ... on LoginSuccess { tokens { accessToken } } } }"""
_WORKSPACE = """mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  ... on CreateWorkspaceSuccess { workspace { id feedbackCursor } } } }"""
_SOURCE = """mutation ($input: CreateSourceInput!) { createSource(input: $input) {
  ... on CreateSourceSuccess { source { id } signingSecret } } }"""
_LATEST = (
    '{ workspace(slug: "w") { feedback(first: 20) { nodes { id body sentiment { label } } } } }'
)
_EVENTS = """subscription ($workspaceId: ID!, $after: String) {
  feedbackEvents(workspaceId: $workspaceId, after: $after) {
    __typename ... on FeedbackEvent { cursor type feedback { body } } ... on StreamGap { cursor }
  } }"""
_SUBMIT = """mutation ($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
  ... on SubmitFeedbackSuccess { feedback { id } } } }"""
_CREATE = """mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
  ... on CreateUploadSuccess { upload { url headers { name value } file { id } } } } }"""
_COMPLETE = """mutation ($input: CompleteUploadInput!) { completeUpload(input: $input) {
  ... on CompleteUploadSuccess { file { status } } } }"""
# Seconds between two requests of one person, and two deliveries.
_PACE = 0.05


@dataclass
class Crowd:
    """One workspace, and what its users met."""

    topology: Topology
    trust: ssl.SSLContext
    token: str = ""
    workspace: str = ""
    source: str = ""
    secret: str = ""
    cursor: str = ""
    queries: int = 0
    failures: dict[str, list[str]] = field(default_factory=dict)
    """Of queries, by the way they are sent."""
    stored: list[str] = field(default_factory=list)
    """The texts that a webhook was told are stored."""
    again: list[str] = field(default_factory=list)
    """Answers after which the sender delivered once more."""
    dashboards: list["Dashboard"] = field(default_factory=list)

    @asynccontextmanager
    async def http(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(
            base_url=self.topology.url, verify=self.trust, timeout=30, **options
        ) as client:
            yield client

    async def settle(self) -> None:
        """An account, a workspace and a source, made through the gateway."""
        async with self.http(http2=True) as http:
            who = {"email": "ann@topology.example", "password": PASSWORD, "name": "Ann"}
            tokens = (await Caller(http).ask(_REGISTER, input=who))["register"]["tokens"]
            self.token = tokens["accessToken"]
            ann = Caller(http, self.token)
            made = (await ann.ask(_WORKSPACE, input={"name": "W", "slug": "w"}))["createWorkspace"]
            self.workspace = made["workspace"]["id"]
            self.cursor = made["workspace"]["feedbackCursor"]
            of = {"workspaceId": self.workspace, "name": "Till"}
            source = (await ann.ask(_SOURCE, input=of))["createSource"]
            self.source, self.secret = source["source"]["id"], source["signingSecret"]

    @asynccontextmanager
    async def at_work(self, dashboards: int) -> AsyncIterator[None]:
        """Everybody at once, for the length of the block; dashboards hear the rest after it."""
        over = asyncio.Event()
        ways = itertools.cycle((Dashboard.by_socket, Dashboard.by_stream))
        self.dashboards = [Dashboard(self) for _ in range(dashboards)]
        following = [
            asyncio.ensure_future(way(each))
            for way, each in zip(ways, self.dashboards, strict=False)
        ]
        asking = [
            asyncio.ensure_future(work)
            for work in (
                self._query(over, "GET", http2=True),
                self._query(over, "POST", http2=True),
                self._query(over, "POST", http2=False),
                self._deliver(over),
            )
        ]
        try:
            yield
            over.set()
            await asyncio.gather(*asking)
            await self._heard_all()
        finally:
            for task in (*following, *asking):
                task.cancel()
            ended = await asyncio.gather(*following, *asking, return_exceptions=True)
        assert not [each for each in ended if isinstance(each, Exception)], ended

    async def submit_and_find(self) -> None:
        """Submit feedback, and find it in the list at once: whichever API and Postgres answer."""
        async with self.http() as http:
            ann = Caller(http, self.token)
            text = f"submitted {len(self.stored)}"
            given = {"workspaceId": self.workspace, "body": text}
            made = (await ann.ask(_SUBMIT, input=given))["submitFeedback"]["feedback"]
            self.stored.append(text)
            found = (await ann.ask(_LATEST))["workspace"]["feedback"]["nodes"]
            assert made["id"] in {each["id"] for each in found}

    async def upload(self, content: bytes) -> str:
        """Send a file to S3 through the gateway; its status then."""
        async with self.http() as http:
            ann = Caller(http, self.token)
            given = {
                "workspaceId": self.workspace,
                "name": "reviews.csv",
                "contentType": "text/csv",
                "size": len(content),
                "purpose": "IMPORT",
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            upload = (await ann.ask(_CREATE, input=given))["createUpload"]["upload"]
            headers = {each["name"]: each["value"] for each in upload["headers"]}
            sent = await http.put(upload["url"], content=content, headers=headers)
            assert sent.status_code == httpx.codes.OK, sent.text
            done = await ann.ask(_COMPLETE, input={"fileId": upload["file"]["id"]})
        status: str = done["completeUpload"]["file"]["status"]
        return status

    async def _query(self, over: asyncio.Event, method: str, *, http2: bool) -> None:
        """Ask for the latest feedback, again and again."""
        headers = {"authorization": f"Bearer {self.token}"}
        asked: dict[str, Any] = {"params" if method == "GET" else "json": {"query": _LATEST}}
        # A connection for each request over HTTP/1.1: who sends on one that is just being closed has to ask again.
        limits = httpx.Limits() if http2 else httpx.Limits(max_keepalive_connections=0)
        async with self.http(http2=http2, headers=headers, limits=limits) as http:
            while not over.is_set():
                self.queries += 1
                try:
                    answer = await http.request(method, "/graphql", **asked)
                except httpx.TransportError as error:
                    # nginx ends a connection properly (GOAWAY) when it is told its new settings, and would still
                    # answer what is under way; this client does not wait for that, as browsers do.
                    said = str(error)
                    is_ended_properly = said.startswith("<ConnectionTerminated error_code:0")
                else:
                    said, is_ended_properly = f"{answer.status_code} {answer.text}", False
                if not is_ended_properly and (not said.startswith("200") or '"errors"' in said):
                    self.failures.setdefault(method, []).append(said)
                await asyncio.sleep(_PACE)

    async def _deliver(self, over: asyncio.Event) -> None:
        """Deliver messages with ids; one that was not confirmed comes again, as senders do."""
        async with self.http(limits=httpx.Limits(max_keepalive_connections=0)) as http:
            while not over.is_set():
                text = f"message {len(self.stored)}"
                content = {"type": "feedback.created", "data": {"body": text}}
                body = json.dumps(content | {"timestamp": "2026-01-01T00:00:00Z"}).encode()
                while not await self._delivered(http, text, body):
                    await asyncio.sleep(0.1)
                self.stored.append(text)
                await asyncio.sleep(_PACE)

    async def _delivered(self, http: httpx.AsyncClient, text: str, body: bytes) -> bool:
        headers = sign(self.secret, body, webhook_id=text.replace(" ", "_"))
        try:
            answer = await http.post(f"/hooks/{self.source}", content=body, headers=headers)
        except httpx.TransportError as error:
            self.again.append(str(error))
            return False
        if answer.status_code not in {httpx.codes.OK, httpx.codes.ACCEPTED}:
            self.again.append(f"{answer.status_code} {answer.text}")
            return False
        return True

    async def _heard_all(self) -> None:
        """Wait until everybody has heard that everything came and was scored."""
        async with asyncio.timeout(120):
            while any(len(each.heard) < 2 * len(self.stored) for each in self.dashboards):
                await asyncio.sleep(0.05)

    def check_events(self) -> None:
        """Nobody has lost an event or had one twice, and all had them in one order."""
        once = Counter((kind, text) for text in self.stored for kind in ("ADDED", "SCORED"))
        for each in self.dashboards:
            assert Counter(each.heard) == once
            assert each.gaps == 0
            assert each.heard == self.dashboards[0].heard


@dataclass
class Dashboard:
    """Follows all events of the workspace, and comes back behind the last one that it has dealt with."""

    crowd: Crowd
    heard: list[tuple[str, str]] = field(default_factory=list)
    gaps: int = 0
    connections: int = 0
    after: str = ""

    def _asked(self) -> dict[str, Any]:
        after = self.after or self.crowd.cursor
        variables = {"workspaceId": self.crowd.workspace, "after": after}
        return {"query": _EVENTS, "variables": variables}

    def _take(self, result: Any) -> None:
        event = result["data"]["feedbackEvents"]
        self.after = event["cursor"]
        if event["__typename"] == "StreamGap":
            self.gaps += 1
        else:
            self.heard.append((event["type"], event["feedback"]["body"]))

    async def by_socket(self) -> None:
        url = self.crowd.topology.url.replace("https", "wss") + "/graphql"
        protocol = Subprotocol("graphql-transport-ws")
        hello = {"authorization": f"Bearer {self.crowd.token}"}
        while True:
            try:
                async with connect(url, ssl=self.crowd.trust, subprotocols=[protocol]) as socket:
                    self.connections += 1
                    await socket.send(json.dumps({"type": "connection_init", "payload": hello}))
                    asked = {"id": "1", "type": "subscribe", "payload": self._asked()}
                    await socket.send(json.dumps(asked))
                    async for text in socket:
                        message = json.loads(text)
                        if message["type"] == "next":
                            self._take(message["payload"])
            except (WebSocketException, OSError):
                pass
            await asyncio.sleep(0.1)

    async def by_stream(self) -> None:
        headers = {
            "authorization": f"Bearer {self.crowd.token}",
            "accept": "text/event-stream",
        }
        async with self.crowd.http(http2=True, headers=headers) as http:
            while True:
                with suppress(httpx.TransportError):
                    await self._follow(http)
                await asyncio.sleep(0.1)

    async def _follow(self, http: httpx.AsyncClient) -> None:
        async with http.stream("POST", "/graphql", json=self._asked()) as answer:
            self.connections += 1
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    self._take(json.loads(line.removeprefix("data: ")))
