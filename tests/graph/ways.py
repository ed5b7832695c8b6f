"""A way to every field of the schema: a document for each, in a world that may be small or large."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_introspection_type,
)

from domain import account, ids
from domain.account import About, Client
from domain.account.mails import LIFETIMES
from domain.ids import Kind
from domain.tokens import hash_token, new_mailed_token
from graph.context import Services
from graph.schema import schema
from persistence import account as account_store
from tests.callers import Caller
from tests.factories import PASSWORD, POSITIVE, Factory, Person, Tenant

SCHEMA = schema._schema
PROBLEMS = {
    "Conflict",
    "FieldProblem",
    "Forbidden",
    "InvalidCredentials",
    "InvalidInput",
    "NotFound",
    "RateLimited",
    "SecondFactorRequired",
}
NOT_YET = {
    "SubmitContactSuccess",
}
"""Types of which there are no objects yet."""
PLAIN = {
    "ChangePasswordSuccess",
    "ConfirmTotpSuccess",
    "DeleteAccountSuccess",
    "DisableTotpSuccess",
    "Header",
    "ImportProblem",
    "ImportRow",
    "RegenerateRecoveryCodesSuccess",
    "RequestEmailChangeSuccess",
    "RequestEmailVerificationSuccess",
    "RequestPasswordResetSuccess",
    "ResetPasswordSuccess",
    "RevokeOtherSessionsSuccess",
    "RevokeSessionSuccess",
    "StartTotpSuccess",
    "UploadPart",
}
"""Types whose objects are made whole, with those around them or by what was changed."""
LIVE = {"AlertEvent", "FeedbackEvent", "StreamGap", "Subscription"}
"""Types whose objects come over a socket: the events' resolvers have read before they are answered."""

PERIOD = '(from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z")'
ARGUMENTS = {
    "Mutation.cancelJob": "(input: {jobId: $queued})",
    "Mutation.changePassword": '(input: {currentPassword: "wrong", newPassword: $new})',
    "Mutation.confirmEmailChange": "(input: {token: $changing})",
    "Mutation.confirmTotp": '(input: {code: "wrong"})',
    "Mutation.deleteAccount": '(input: {password: "wrong"})',
    "Mutation.disableTotp": '(input: {password: "wrong", code: "wrong"})',
    "Mutation.regenerateRecoveryCodes": '(input: {password: "wrong", code: "wrong"})',
    "Mutation.requestEmailChange": "(input: {newEmail: $address, password: $password})",
    "Mutation.requestPasswordReset": "(input: {email: $address})",
    "Mutation.resetPassword": "(input: {token: $resetting, newPassword: $password})",
    "Mutation.revokeSession": f'(input: {{sessionId: "session_{"0" * 32}"}})',
    "Mutation.startTotp": '(input: {password: "wrong"})',
    "Mutation.updateProfile": "(input: {name: $new})",
    "Mutation.verifyEmail": "(input: {token: $verifying})",
    "Mutation.changeMemberRole": "(input: {memberId: $newcomer, role: ANALYST})",
    "Mutation.attachFiles": "(input: {feedbackId: $first, fileIds: [$file]})",
    "Mutation.completeUpload": "(input: {fileId: $file})",
    "Mutation.createApiKey": '(input: {workspaceId: $workspace, name: "key", scopes: []})',
    "Mutation.revokeApiKey": "(input: {apiKeyId: $key})",
    "Mutation.rotateApiKey": "(input: {apiKeyId: $key})",
    "Mutation.updateApiKey": "(input: {apiKeyId: $key, name: $new})",
    "Mutation.createAlertRule": "(input: {workspaceId: $workspace, name: $new,"
    " rule: {kind: COUNT, threshold: 1}})",
    "Mutation.deleteAlertRule": "(input: {alertRuleId: $rule})",
    "Mutation.previewAlertRule": "(input: {workspaceId: $workspace, rule: {kind: COUNT, threshold: 1},"
    ' from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z"})',
    "Mutation.testAlertChannels": "(input: {alertRuleId: $rule})",
    "Mutation.updateAlertRule": "(input: {alertRuleId: $rule, name: $new})",
    "Mutation.createSource": '(input: {workspaceId: $workspace, name: "Shop"})',
    "Mutation.createTag": "(input: {workspaceId: $workspace, name: $new})",
    "Mutation.createUpload": '(input: {workspaceId: $workspace, name: "f", contentType: "text/csv",'
    " size: 1, purpose: IMPORT})",
    "Mutation.createWorkspace": "(input: {name: $new, slug: $new})",
    "Mutation.login": "(input: {email: $email, password: $password})",
    "Mutation.refreshSession": "(input: {refreshToken: $refresh})",
    "Mutation.register": "(input: {email: $address, password: $password, name: $new})",
    "Mutation.removeMember": "(input: {memberId: $newcomer})",
    "Mutation.requeueJobs": "(input: {jobIds: [$failed]})",
    "Mutation.retryJob": "(input: {jobId: $failed})",
    "Mutation.setAvatar": "(input: {fileId: null})",
    "Mutation.setFeedbackTags": "(input: {feedbackId: $first, tagIds: $tags})",
    "Mutation.startExport": "(input: {workspaceId: $workspace, format: CSV})",
    "Mutation.startImport": "(input: {fileId: $table, sourceId: $hook})",
    "Mutation.previewImport": "(input: {fileId: $table})",
    "Mutation.undoImport": "(input: {jobId: $imported})",
    "Mutation.submitContact": '(input: {workspaceSlug: "slug", name: "n", email: "e", message: "m"})',
    "Mutation.submitFeedback": '(input: {workspaceId: $workspace, body: "Late again."})',
    "Mutation.updateWorkspace": "(input: {workspaceId: $workspace, name: $new})",
    "Query.analyzeSentiment": "(texts: $texts)",
    "Query.job": "(id: $queued)",
    "Mutation.createWebhook": "(input: {workspaceId: $workspace, name: $new, eventTypes: [FEEDBACK_ADDED],"
    ' url: "https://receiver.example/"})',
    "Mutation.deleteWebhook": "(input: {webhookId: $webhook})",
    "Mutation.previewWebhookPayload": "(input: {workspaceId: $workspace})",
    "Mutation.replayWebhookDeliveries": "(input: {webhookId: $webhook,"
    ' from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z"})',
    "Mutation.replayWebhookDelivery": "(input: {deliveryId: $delivery})",
    "Mutation.rotateWebhookSecret": "(input: {webhookId: $webhook})",
    "Mutation.sendTestWebhook": "(input: {webhookId: $webhook})",
    "Mutation.updateWebhook": "(input: {webhookId: $webhook, name: $new})",
    "Query.node": "(id: $first)",
    "Query.nodes": "(ids: $feedback)",
    "Query.workspace": "(slug: $slug)",
    "Workspace.feedback": "(first: 100)",
    "Workspace.alerts": "(first: 100)",
    "Workspace.jobs": "(first: 100)",
    "Workspace.stats": PERIOD,
}
_VARIABLES = {
    "address": "String!",
    "alerts": "[ID!]!",
    "changing": "String!",
    "resetting": "String!",
    "verifying": "String!",
    "rule": "ID!",
    "rules": "[ID!]!",
    "deliveries": "[ID!]!",
    "delivery": "ID!",
    "email": "String!",
    "failed": "ID!",
    "feedback": "[ID!]!",
    "file": "ID!",
    "files": "[ID!]!",
    "hook": "ID!",
    "imported": "ID!",
    "first": "ID!",
    "jobs": "[ID!]!",
    "key": "ID!",
    "keys": "[ID!]!",
    "members": "[ID!]!",
    "new": "String!",
    "newcomer": "ID!",
    "password": "String!",
    "queued": "ID!",
    "refresh": "String!",
    "schedules": "[ID!]!",
    "sessions": "[ID!]!",
    "slug": "String!",
    "sources": "[ID!]!",
    "table": "ID!",
    "tags": "[ID!]!",
    "texts": "[String!]!",
    "users": "[ID!]!",
    "webhook": "ID!",
    "webhooks": "[ID!]!",
    "workspace": "ID!",
    "workspaces": "[ID!]!",
}
STATEMENTS = {
    "Query.deadJobs": 1,
    "Query.job": 1,
    "Query.node": 1,
    "Query.nodes": 1,
    "Query.schedules": 1,
    "Query.workspace": 1,
    "Viewer.sessions": 1,
    "Viewer.user": 1,
    "Viewer.workspaces": 1,
    "Workspace.feedback": 1,
    "Workspace.alertRules": 1,
    "Workspace.apiKeys": 1,
    "Workspace.alerts": 1,
    "Alert.rule": 1,
    "Alert.samples": 1,
    "AlertRule.alerts": 1,
    "Workspace.jobs": 1,
    "Workspace.members": 1,
    "Workspace.sources": 1,
    "Workspace.stats": 1,
    "Workspace.tags": 1,
    "Workspace.webhooks": 1,
    "Webhook.deliveries": 1,
    "WebhookDelivery.attempts": 1,
    "WebhookEvent.feedback": 1,
    "Feedback.attachments": 1,
    "Feedback.source": 1,
    "Feedback.tags": 1,
    "FeedbackConnection.totalCount": 1,
    "Member.user": 1,
    "Schedule.lastJob": 1,
    "Source.lastReceivedAt": 1,
    "Mutation.cancelJob": 5,
    "Mutation.changePassword": 1,
    "Mutation.confirmEmailChange": 7,
    "Mutation.confirmTotp": 3,
    "Mutation.deleteAccount": 1,
    "Mutation.disableTotp": 1,
    "Mutation.regenerateRecoveryCodes": 1,
    "Mutation.requestEmailChange": 7,
    "Mutation.requestEmailVerification": 4,
    "Mutation.requestPasswordReset": 3,
    "Mutation.resetPassword": 15,
    "Mutation.revokeOtherSessions": 5,
    "Mutation.revokeSession": 3,
    "Mutation.startTotp": 1,
    "Mutation.updateProfile": 3,
    "Mutation.verifyEmail": 6,
    "Mutation.attachFiles": 6,
    "Mutation.changeMemberRole": 7,
    "Mutation.completeUpload": 3,
    "Mutation.createAlertRule": 5,
    "Mutation.createApiKey": 9,
    "Mutation.revokeApiKey": 9,
    "Mutation.rotateApiKey": 9,
    "Mutation.updateApiKey": 6,
    "Mutation.deleteAlertRule": 8,
    "Mutation.previewAlertRule": 4,
    "Mutation.testAlertChannels": 6,
    "Mutation.updateAlertRule": 5,
    "Mutation.createSource": 4,
    "Mutation.createTag": 4,
    "Mutation.createUpload": 4,
    "Mutation.createWebhook": 7,
    "Mutation.deleteWebhook": 5,
    "Mutation.previewWebhookPayload": 4,
    "Mutation.replayWebhookDeliveries": 6,
    "Mutation.replayWebhookDelivery": 8,
    "Mutation.rotateWebhookSecret": 7,
    "Mutation.sendTestWebhook": 8,
    "Mutation.updateWebhook": 5,
    "Mutation.createWorkspace": 6,
    "Mutation.login": 6,
    "Mutation.logout": 4,
    "Mutation.refreshSession": 6,
    "Mutation.register": 6,
    "Mutation.removeMember": 7,
    "Mutation.requeueJobs": 5,
    "Mutation.retryJob": 5,
    "Mutation.setAvatar": 3,
    "Mutation.setFeedbackTags": 7,
    "Mutation.startExport": 4,
    "Mutation.startImport": 12,
    "Mutation.previewImport": 3,
    "Mutation.undoImport": 5,
    "Mutation.submitFeedback": 1,
    "Mutation.updateWorkspace": 5,
}
"""What a field takes for all of its parents together, BEGIN and COMMIT included; nothing where it is not named."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to objects of a type: what is around the selection of them, and the fields that this takes."""

    around: str
    fields: tuple[str, ...]
    is_alone: bool = False
    """Whether there is one object, however large the world is."""

    def to(self, selection: str) -> str:
        """The operation that selects this of the objects."""
        body = self.around % selection
        names = sorted(set(re.findall(r"\$(\w+)", body)))
        variables = ", ".join(f"${name}: {_VARIABLES[name]}" for name in names)
        kind = self.fields[0].partition(".")[0].lower()
        return f"{kind}{f'({variables})' if variables else ''} {{ {body} }}"


def _node(type_: str, ids: str, inside: str = "%s") -> Way:
    return Way(f"nodes(ids: ${ids}) {{ ... on {type_} {{ {inside} }} }}", ("Query.nodes",))


def _within(field: str, inside: str) -> Way:
    """One object in each of the workspaces."""
    around = f"nodes(ids: $workspaces) {{ ... on Workspace {{ {field}{inside} }} }}"
    return Way(around, ("Query.nodes", f"Workspace.{field}"))


def _made(mutation: str, inside: str = "%s") -> Way:
    success = f"{mutation[0].upper()}{mutation[1:]}Success"
    field = f"Mutation.{mutation}"
    around = f"{mutation}{ARGUMENTS.get(field, '')} {{ ... on {success} {{ {inside} }} }}"
    return Way(around, (field,), is_alone=True)


WAYS = {
    "Query": Way("%s", ("Query",), is_alone=True),
    "Mutation": Way("%s", ("Mutation",), is_alone=True),
    "Viewer": Way("viewer { %s }", ("Query.viewer",), is_alone=True),
    "RateLimit": Way("rateLimit { %s }", ("Query.rateLimit",), is_alone=True),
    "Feedback": _node("Feedback", "feedback"),
    "Alert": _node("Alert", "alerts"),
    "AlertRule": _node("AlertRule", "rules"),
    "AlertMessage": _node("Alert", "alerts", "messages { %s }"),
    "AlertCondition": _node("AlertRule", "rules", "condition { %s }"),
    "AlertFilter": _node("AlertRule", "rules", "condition { filter { %s } }"),
    "QuietHours": _node("AlertRule", "rules", "condition { quietHours { %s } }"),
    "AlertChannels": _node("AlertRule", "rules", "channels { %s }"),
    "ApiKey": _node("ApiKey", "keys"),
    "File": _node("File", "files"),
    "Job": _node("Job", "jobs"),
    "Member": _node("Member", "members"),
    "Schedule": _node("Schedule", "schedules"),
    "Session": _node("Session", "sessions"),
    "Source": _node("Source", "sources"),
    "Tag": _node("Tag", "tags"),
    "User": _node("User", "users"),
    "Workspace": _node("Workspace", "workspaces"),
    "Author": _node("Feedback", "feedback", "author { %s }"),
    "Sentiment": _node("Feedback", "feedback", "sentiment { %s }"),
    "Webhook": _node("Webhook", "webhooks"),
    "WebhookDelivery": _node("WebhookDelivery", "deliveries"),
    "WebhookEvent": _node("WebhookDelivery", "deliveries", "event { %s }"),
    "WebhookAttempt": Way(
        "nodes(ids: $deliveries) { ... on WebhookDelivery { attempts { %s } } }",
        ("Query.nodes", "WebhookDelivery.attempts"),
    ),
    "WebhookDeliveryConnection": Way(
        "nodes(ids: $webhooks) { ... on Webhook { deliveries { %s } } }",
        ("Query.nodes", "Webhook.deliveries"),
    ),
    "WebhookDeliveryEdge": Way(
        "nodes(ids: $webhooks) { ... on Webhook { deliveries(first: 1) { edges { %s } } } }",
        ("Query.nodes", "Webhook.deliveries"),
    ),
    "FeedbackConnection": _within("feedback", " { %s }"),
    "FeedbackEdge": _within("feedback", "(first: 1) { edges { %s } }"),
    "PageInfo": _within("feedback", " { pageInfo { %s } }"),
    "AlertConnection": _within("alerts", " { %s }"),
    "AlertEdge": _within("alerts", "(first: 1) { edges { %s } }"),
    "JobConnection": _within("jobs", " { %s }"),
    "JobEdge": _within("jobs", "(first: 1) { edges { %s } }"),
    "FeedbackStats": _within("stats", PERIOD + " { %s }"),
    "SentimentCounts": _within("stats", PERIOD + " { totals { %s } }"),
    "StatsBucket": _within("stats", PERIOD + " { buckets { %s } }"),
    "AuthTokens": _made("login", "tokens { %s }"),
    "CancelJobSuccess": _made("cancelJob"),
    "AttachFilesSuccess": _made("attachFiles"),
    "ChangeMemberRoleSuccess": _made("changeMemberRole"),
    "ConfirmEmailChangeSuccess": _made("confirmEmailChange"),
    "UpdateProfileSuccess": _made("updateProfile"),
    "VerifyEmailSuccess": _made("verifyEmail"),
    "CreateApiKeySuccess": _made("createApiKey"),
    "UpdateApiKeySuccess": _made("updateApiKey"),
    "RotateApiKeySuccess": _made("rotateApiKey"),
    "RevokeApiKeySuccess": _made("revokeApiKey"),
    "CreateAlertRuleSuccess": _made("createAlertRule"),
    "UpdateAlertRuleSuccess": _made("updateAlertRule"),
    "DeleteAlertRuleSuccess": _made("deleteAlertRule"),
    "TestAlertChannelsSuccess": _made("testAlertChannels"),
    "PreviewAlertRuleSuccess": _made("previewAlertRule"),
    "AlertFiring": _made("previewAlertRule", "firings { %s }"),
    "CompleteUploadSuccess": _made("completeUpload"),
    "CreateSourceSuccess": _made("createSource"),
    "CreateTagSuccess": _made("createTag"),
    "CreateUploadSuccess": _made("createUpload"),
    "CreateWebhookSuccess": _made("createWebhook"),
    "UpdateWebhookSuccess": _made("updateWebhook"),
    "DeleteWebhookSuccess": _made("deleteWebhook"),
    "RotateWebhookSecretSuccess": _made("rotateWebhookSecret"),
    "SendTestWebhookSuccess": _made("sendTestWebhook"),
    "ReplayWebhookDeliverySuccess": _made("replayWebhookDelivery"),
    "ReplayWebhookDeliveriesSuccess": _made("replayWebhookDeliveries"),
    "PreviewWebhookPayloadSuccess": _made("previewWebhookPayload"),
    "CreateWorkspaceSuccess": _made("createWorkspace"),
    "LoginSuccess": _made("login"),
    "LogoutSuccess": _made("logout"),
    "RefreshSessionSuccess": _made("refreshSession"),
    "RegisterSuccess": _made("register"),
    "RemoveMemberSuccess": _made("removeMember"),
    "RequeueJobsSuccess": _made("requeueJobs"),
    "RetryJobSuccess": _made("retryJob"),
    "SetAvatarSuccess": _made("setAvatar"),
    "SetFeedbackTagsSuccess": _made("setFeedbackTags"),
    "StartExportSuccess": _made("startExport"),
    "StartImportSuccess": _made("startImport"),
    "PreviewImportSuccess": _made("previewImport"),
    "ImportPreview": _made("previewImport", "preview { %s }"),
    "UndoImportSuccess": _made("undoImport"),
    "SubmitFeedbackSuccess": _made("submitFeedback"),
    "UploadTarget": _made("createUpload", "upload { %s }"),
    "UpdateWorkspaceSuccess": _made("updateWorkspace"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """An operation that selects one field of all objects that the way to its type leads to."""

    coordinate: str
    operation: str
    statements: int
    is_alone: bool


def visits() -> Iterator[Visit]:
    """One of each field."""
    for type_, name, field in fields():
        way = WAYS.get(type_)
        if way is not None:
            coordinate = f"{type_}.{name}"
            inside = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            yield Visit(
                coordinate,
                way.to(f"it: {name}{ARGUMENTS.get(coordinate, '')}{inside}"),
                sum(STATEMENTS.get(field, 0) for field in (*way.fields, coordinate)),
                way.is_alone,
            )


def fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """The type, the name and the definition of each field of our object types."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for name, field in type_.fields.items():
                yield type_.name, name, field


@dataclass(frozen=True, slots=True)
class World:
    """One user with so many of everything: workspaces, and in each of them a feedback and a job."""

    services: Services
    factory: Factory
    first: Tenant
    owner: Person
    variables: dict[str, Any]

    async def visitor(self, http: httpx.AsyncClient) -> tuple[Caller, dict[str, Any]]:
        """The owner in a session of its own, and what an operation may ask with, some of it new."""
        client = Client("127.0.0.1", "tests")
        async with self.services.database.transaction() as uow:
            tokens = await account.open_session(uow, self.services.policy, client, self.owner.id)
        newcomer = await self.factory.member(self.first, "VIEWER")
        failed = await self.factory.job(self.first)
        imported = await self.factory.job(self.first, "import")
        await self.factory.job_changed(self.first, imported, "SUCCEEDED")
        await self.factory.job_changed(self.first, failed, "FAILED")
        # A workspace has no more than 50 of them.
        await self.factory.change("DELETE FROM webhook WHERE name = 'Visited'", within=self.first)
        webhook = await self.factory.webhook(self.first, name="Visited")
        # And no more than 100 of these.
        await self.factory.change("DELETE FROM alert_rule WHERE name <> 'Much'", within=self.first)
        rule, _ = await self.factory.alert(self.first)
        await self.factory.change(
            "UPDATE alert_rule SET name = 'Visited' WHERE id = :id",
            within=self.first,
            id=ids.read(Kind.ALERT_RULE, rule),
        )
        new = tokens.refresh.text[-20:].lower().translate(_PLAIN)
        mailed = {
            name: await self._mailed(newcomer, about, email or newcomer.email)
            for name, about, email in (
                ("changing", About.CHANGE_EMAIL, f"changed.{new}@example.com"),
                ("resetting", About.RESET_PASSWORD, None),
                ("verifying", About.VERIFY_EMAIL, None),
            )
        }
        return Caller(http, tokens.access.text), self.variables | mailed | {
            "new": f"n{new}n",
            "newcomer": await self.factory.membership(self.first, newcomer),
            "rule": rule,
            "webhook": webhook,
            "delivery": await self.factory.delivery(self.first, webhook),
            "address": f"{new}@example.com",
            "refresh": tokens.refresh.text,
            "queued": await self.factory.job(self.first),
            "key": await self._spare_key(),
            "failed": failed,
            "imported": imported,
            "table": await self.factory.table(self.first),
        }

    async def _spare_key(self) -> str:
        """A key that may be revoked; the one before is taken away, for a workspace has so many at most."""
        sql = "DELETE FROM api_key WHERE name = 'spare'"
        await self.factory.change(sql, within=self.first)
        return (await self.factory.api_key(self.first, name="spare")).gid

    async def _mailed(self, person: Person, about: About, email: str) -> str:
        """A token as in a mail to that address."""
        token = new_mailed_token()
        async with self.services.database.transaction() as uow:
            await account_store.add_token(
                uow,
                token_hash=hash_token(token),
                user=person.id,
                purpose=about.value,
                email=email,
                expires_at=uow.now + LIFETIMES[about],
            )
        return token


_PLAIN = str.maketrans("-_", "00")


async def world(factory: Factory, services: Services, size: int) -> World:
    owner = await factory.person()
    tenants = [await factory.tenant(owner=owner) for _ in range(size)]
    first = tenants[0]
    feedback = [
        await factory.feedback(tenant, author_name="Ada", score=POSITIVE) for tenant in tenants
    ]
    files = [
        await factory.file(tenant, feedback=said)
        for tenant, said in zip(tenants, feedback, strict=True)
    ]
    people = [owner, *[await factory.member(first, "VIEWER") for _ in range(size - 1)]]
    await factory.change(_SESSIONS, user=owner.id, size=size - 1)
    members = await factory.rows(_MEMBERS, workspace=first.id)
    sessions = await factory.rows(_OF_USER, user=owner.id)
    alerts = [
        await factory.alert(tenant, said) for tenant, said in zip(tenants, feedback, strict=True)
    ]
    webhooks = [await factory.webhook(tenant) for tenant in tenants]
    deliveries = [
        await factory.delivery(tenant, webhook, said)
        for tenant, webhook, said in zip(tenants, webhooks, feedback, strict=True)
    ]
    for tenant, delivery in zip(tenants, deliveries, strict=True):
        await factory.webhook_attempt(tenant, delivery)
    variables = {
        "deliveries": deliveries,
        "webhooks": webhooks,
        "alerts": [alert for _, alert in alerts],
        "rules": [rule for rule, _ in alerts],
        "email": owner.email,
        "password": PASSWORD,
        "feedback": feedback,
        "file": files[0],
        "files": files,
        "hook": first.source_gid,
        "first": feedback[0],
        "jobs": [await factory.job(tenant) for tenant in tenants],
        "keys": [(await factory.api_key(tenant)).gid for tenant in tenants],
        "members": [ids.write(Kind.MEMBER, id_) for (id_,) in members],
        "schedules": [await factory.schedule(tenant) for tenant in tenants],
        "sessions": [ids.write(Kind.SESSION, id_) for (id_,) in sessions],
        "slug": first.slug,
        "sources": [tenant.source_gid for tenant in tenants],
        "tags": [await factory.tag(first, f"tag {i}", feedback[0]) for i in range(size)],
        "texts": ["Late again."] * size,
        "users": [person.gid for person in people],
        "workspace": first.gid,
        "workspaces": [tenant.gid for tenant in tenants],
    }
    return World(services, factory, first, owner, variables)


_MEMBERS = "SELECT id FROM member WHERE workspace_id = :workspace"
_OF_USER = "SELECT id FROM session WHERE user_id = :user"
_SESSIONS = """
    INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at)
    SELECT gen_random_uuid(), :user, now(), now(), now() + interval '1 day'
    FROM generate_series(1, :size)
"""
