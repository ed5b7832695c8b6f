"""From a message to a receiver that is a process of its own, and verifies what it gets with the published library."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.resources import Api
from app.settings import Settings
from jobs.relay import Relay
from tests.factories import POSITIVE, Factory
from tests.jobs.couriers import courier

CREATE = """
    mutation($input: CreateWebhookInput!) {
      createWebhook(input: $input) {
        ... on CreateWebhookSuccess { webhook { id } secret publicKey }
        ... on Problem { message }
      }
    }
"""
SUBMIT = """
    mutation($input: SubmitFeedbackInput!) {
      submitFeedback(input: $input) { ... on SubmitFeedbackSuccess { feedback { id } } }
    }
"""
SELECTION = "{ type feedback { id body rating sentiment { label score } source { name } } }"
ROOT = Path(__file__).parents[2]


class Process:
    """The receiver: its port, and what it has seen."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.receiver", str(log)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def verify_with(self, key: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{key}\n")
        self.process.stdin.flush()

    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path / "seen")
    yield started
    started.end()


@pytest.mark.parametrize(
    ("algorithm", "key", "version"), [("HMAC", "secret", "v1"), ("ED25519", "publicKey", "v1a")]
)
async def test_a_receiver_verifies_the_payload_that_it_selected(
    algorithm: str,
    key: str,
    version: str,
    settings: Settings,
    api: Api,
    factory: Factory,
    relay: Relay,
    http: httpx.AsyncClient,
    process: Process,
    tmp_path: Path,
) -> None:
    tenant = await factory.tenant()
    owner = tenant.owner.on(http)
    made = await owner.ask(
        CREATE,
        input={
            "workspaceId": tenant.gid,
            "name": "Shop",
            "url": f"http://receiver.example:{process.port}/hook",
            "eventTypes": ["FEEDBACK_ADDED"],
            "selection": SELECTION,
            "algorithm": algorithm,
        },
    )
    process.verify_with(made["createWebhook"][key])

    sent = await owner.ask(
        SUBMIT, input={"workspaceId": tenant.gid, "body": "Grüße 🎉", "rating": 7}
    )
    async with courier(settings, api, factory, tmp_path / "mail") as worker:
        await worker.planned(1)
        await worker.work()
        assert await worker.statuses() == [("SUCCEEDED", 1)]

    (seen,) = process.seen()
    ((event, occurred_at),) = await factory.rows(
        "SELECT event_id, occurred_at FROM webhook_delivery"
    )
    assert json.loads(seen["body"]) == {
        "type": "feedback.added",
        "timestamp": occurred_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "type": "feedback.added",
            "feedback": {
                "id": sent["submitFeedback"]["feedback"]["id"],
                "body": "Grüße 🎉",
                "rating": 7,
                "sentiment": None,
                "source": {"name": "API"},
            },
        },
    }
    assert seen["status"] == 204
    assert seen["headers"]["webhook-id"] == f"event_{event.hex}"
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["user-agent"] == "Earful/tests"
    assert seen["headers"]["webhook-signature"].startswith(f"{version},")


async def test_a_receiver_with_another_secret_refuses(
    settings: Settings, api: Api, factory: Factory, process: Process, tmp_path: Path
) -> None:
    tenant = await factory.tenant()
    webhook = await factory.webhook(tenant, f"http://receiver.example:{process.port}/")
    await factory.delivery(tenant, webhook, await factory.feedback(tenant, score=POSITIVE))
    process.verify_with("whsec_" + "A" * 32)

    async with courier(settings, api, factory, tmp_path / "mail") as worker:
        await worker.work()

        assert await worker.statuses() == [("PENDING", 1)]
    assert [seen["status"] for seen in process.seen()] == [401]
