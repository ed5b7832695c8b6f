"""An attempt by each id in what workspaces ask for alerts, webhooks and API keys."""

from tests.callers import JSON
from tests.graph.isolation import mutation

HOOK: JSON = {"name": "Mine", "url": "https://me.example/", "eventTypes": ["FEEDBACK_ADDED"]}
COUNT: JSON = {"kind": "COUNT", "threshold": 1}
PARTNERS = {
    "Mutation.createAlertRule(input.workspaceId)": mutation(
        "createAlertRule",
        lambda w: {"workspaceId": w.tenant.gid, "name": "Mine", "rule": COUNT},
        "workspace",
    ),
    "Mutation.createAlertRule(input.rule.filter.sourceIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.createAlertRule(input.rule.filter.tagIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT | {"filter": {"tagIds": [w.tag]}},
        },
        "tag",
        viewer="NotFound",
    ),
    "Mutation.createAlertRule(input.channels.memberIds)": mutation(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT,
            "channels": {"memberIds": [w.owner]},
        },
        "its member",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.alertRuleId)": mutation(
        "updateAlertRule", lambda w: {"alertRuleId": w.rule, "name": "Mine"}, "rule"
    ),
    "Mutation.updateAlertRule(input.rule.filter.sourceIds)": mutation(
        "updateAlertRule",
        lambda w: {
            "alertRuleId": w.own_rule,
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.rule.filter.tagIds)": mutation(
        "updateAlertRule",
        lambda w: {"alertRuleId": w.own_rule, "rule": COUNT | {"filter": {"tagIds": [w.tag]}}},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateAlertRule(input.channels.memberIds)": mutation(
        "updateAlertRule",
        lambda w: {"alertRuleId": w.own_rule, "channels": {"memberIds": [w.owner]}},
        "its member",
        viewer="NotFound",
    ),
    "Mutation.createWebhook(input.workspaceId)": mutation(
        "createWebhook", lambda w: HOOK | {"workspaceId": w.tenant.gid}, "workspace"
    ),
    "Mutation.createWebhook(input.sourceIds)": mutation(
        "createWebhook",
        lambda w: HOOK | {"workspaceId": w.stranger.gid, "sourceIds": [w.tenant.source_gid]},
        "source",
        viewer="NotFound",
    ),
    "Mutation.createWebhook(input.tagIds)": mutation(
        "createWebhook",
        lambda w: HOOK | {"workspaceId": w.stranger.gid, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateWebhook(input.webhookId)": mutation(
        "updateWebhook", lambda w: {"webhookId": w.webhook, "name": "Mine"}, "webhook"
    ),
    "Mutation.updateWebhook(input.sourceIds)": mutation(
        "updateWebhook",
        lambda w: {"webhookId": w.own_webhook, "sourceIds": [w.tenant.source_gid]},
        "source",
        viewer="NotFound",
    ),
    "Mutation.updateWebhook(input.tagIds)": mutation(
        "updateWebhook",
        lambda w: {"webhookId": w.own_webhook, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.deleteWebhook(input.webhookId)": mutation(
        "deleteWebhook", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.rotateWebhookSecret(input.webhookId)": mutation(
        "rotateWebhookSecret", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.sendTestWebhook(input.webhookId)": mutation(
        "sendTestWebhook", lambda w: {"webhookId": w.webhook}, "webhook"
    ),
    "Mutation.replayWebhookDelivery(input.deliveryId)": mutation(
        "replayWebhookDelivery", lambda w: {"deliveryId": w.delivery}, "delivery"
    ),
    "Mutation.replayWebhookDeliveries(input.webhookId)": mutation(
        "replayWebhookDeliveries",
        lambda w: {
            "webhookId": w.webhook,
            "from": "2026-06-15T00:00:00Z",
            "to": "2026-06-16T00:00:00Z",
        },
        "webhook",
    ),
    "Mutation.previewWebhookPayload(input.workspaceId)": mutation(
        "previewWebhookPayload", lambda w: {"workspaceId": w.tenant.gid}, "workspace"
    ),
    "Mutation.previewWebhookPayload(input.feedbackId)": mutation(
        "previewWebhookPayload",
        lambda w: {"workspaceId": w.stranger.gid, "feedbackId": w.feedback},
        "its feedback",
        viewer="NotFound",
    ),
    "Mutation.deleteAlertRule(input.alertRuleId)": mutation(
        "deleteAlertRule", lambda w: {"alertRuleId": w.rule}, "rule"
    ),
    "Mutation.testAlertChannels(input.alertRuleId)": mutation(
        "testAlertChannels", lambda w: {"alertRuleId": w.rule}, "rule"
    ),
    "Mutation.previewAlertRule(input.workspaceId)": mutation(
        "previewAlertRule", lambda w: {"workspaceId": w.tenant.gid, "rule": COUNT}, "workspace"
    ),
    "Mutation.previewAlertRule(input.rule.filter.sourceIds)": mutation(
        "previewAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "rule": COUNT | {"filter": {"sourceIds": [w.tenant.source_gid]}},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.previewAlertRule(input.rule.filter.tagIds)": mutation(
        "previewAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "rule": COUNT | {"filter": {"tagIds": [w.tag]}},
        },
        "tag",
        viewer="NotFound",
    ),
    "Mutation.createApiKey(input.workspaceId)": mutation(
        "createApiKey",
        lambda w: {"workspaceId": w.tenant.gid, "name": "Mine", "scopes": []},
        "workspace",
    ),
    "Mutation.updateApiKey(input.apiKeyId)": mutation(
        "updateApiKey", lambda w: {"apiKeyId": w.key, "scopes": []}, "key"
    ),
    "Mutation.rotateApiKey(input.apiKeyId)": mutation(
        "rotateApiKey", lambda w: {"apiKeyId": w.key}, "key"
    ),
    "Mutation.revokeApiKey(input.apiKeyId)": mutation(
        "revokeApiKey", lambda w: {"apiKeyId": w.key}, "key"
    ),
}
