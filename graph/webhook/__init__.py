"""Webhooks that leave, in the schema: endpoints, their log, and what they are told."""

from graph.webhook.delivery import WebhookDelivery, WebhookDeliveryMutation
from graph.webhook.endpoint import Webhook, WebhookMutation
from graph.webhook.event import WebhookEvent

__all__ = [
    "Webhook",
    "WebhookDelivery",
    "WebhookDeliveryMutation",
    "WebhookEvent",
    "WebhookMutation",
]
