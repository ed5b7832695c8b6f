"""What tests of webhooks ask over GraphQL."""

from typing import Any

import httpx

from tests.callers import JSON, Caller
from tests.factories import Person, Tenant

_REFUSED = "... on Problem { message } ... on InvalidInput { fields { path message } }"
_FIELDS = """
    id name url eventTypes sourceIds tagIds sentiments selection algorithm ratePerSecond
    enabled disabledReason failingSince createdById
"""


def _mutation(field: str, selection: str) -> str:
    kind = field[0].upper() + field[1:]
    return (
        f"mutation($input: {kind}Input!) {{ result: {field}(input: $input) {{ __typename"
        f" ... on {kind}Success {{ {selection} }} {_REFUSED} }} }}"
    )


CREATE = _mutation("createWebhook", f"webhook {{ {_FIELDS} }} secret publicKey")
UPDATE = _mutation("updateWebhook", f"webhook {{ {_FIELDS} }}")
DELETE = _mutation("deleteWebhook", "webhookId")
ROTATE = _mutation("rotateWebhookSecret", "webhook { id } secret publicKey")
TEST = _mutation(
    "sendTestWebhook", "delivery { id status attemptCount event { id type feedbackId } }"
)
REPLAY = _mutation("replayWebhookDelivery", "delivery { id status nextAttemptAt }")
REPLAY_RANGE = _mutation("replayWebhookDeliveries", "replayed")
PREVIEW = _mutation("previewWebhookPayload", "payload")
WEBHOOKS = f"query($slug: String!) {{ workspace(slug: $slug) {{ webhooks {{ {_FIELDS} }} }} }}"
LOG = """
    query($id: ID!, $first: Int, $after: String, $status: WebhookDeliveryStatus) {
      node(id: $id) { ... on Webhook { deliveries(first: $first, after: $after, status: $status) {
        edges { cursor node { id status } }
        nodes { id attempts { number responseStatus responseBody error requestBody durationMs } }
        pageInfo { hasNextPage endCursor }
      } } }
    }
"""


async def result(caller: Caller, query: str, **input: Any) -> JSON:
    """What a mutation answers."""
    return (await caller.ask(query, input=input))["result"]


async def created(http: httpx.AsyncClient, tenant: Tenant, **input: Any) -> JSON:
    """What createWebhook answers the tenant's owner."""
    given = {
        "workspaceId": tenant.gid,
        "name": "Shop",
        "url": "https://receiver.example/hook",
        "eventTypes": ["FEEDBACK_ADDED"],
    }
    return await result(tenant.owner.on(http), CREATE, **(given | input))


async def webhooks(http: httpx.AsyncClient, tenant: Tenant, person: Person) -> JSON:
    """The workspace's webhooks, as that person sees them."""
    return (await person.on(http).ask(WEBHOOKS, slug=tenant.slug))["workspace"]["webhooks"]
