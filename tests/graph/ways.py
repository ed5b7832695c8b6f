"""A way to every field of the schema: a document for each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_introspection_type,
)

from graph.schema import schema
from tests.graph.ways_statements import STATEMENTS
from tests.graph.ways_world import VARIABLES

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
    "AcceptInvitationSuccess",
    "ActivateSentimentModelSuccess",
    "ChangePasswordSuccess",
    "CompleteSignInSuccess",
    "ConfirmTotpSuccess",
    "DeleteAccountSuccess",
    "DisableTotpSuccess",
    "Header",
    "ImportProblem",
    "IdentityProvider",
    "ImportRow",
    "InviteMemberSuccess",
    "RegenerateRecoveryCodesSuccess",
    "RequestEmailChangeSuccess",
    "RequestEmailVerificationSuccess",
    "RequestPasswordResetSuccess",
    "ResendInvitationSuccess",
    "ResetPasswordSuccess",
    "RevokeOtherSessionsSuccess",
    "RevokeSessionSuccess",
    "SentimentModel",
    "StartIdentityLinkSuccess",
    "StartTotpSuccess",
    "TransferOwnershipSuccess",
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
    "Mutation.activateSentimentModel": '(input: {name: "default"})',
    "Mutation.rescoreFeedback": "(input: {workspaceId: $workspace})",
    "Mutation.revealFeedback": "(input: {feedbackId: $first})",
    "Mutation.eraseAuthor": "(input: {workspaceId: $workspace, email: $address, mode: ERASE})",
    "Mutation.exportAuthorData": "(input: {workspaceId: $workspace, email: $address})",
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
    "Mutation.updateSource": "(input: {sourceId: $hook, name: $new})",
    "Mutation.rotateSourceSecret": "(input: {sourceId: $hook, overlapHours: 0})",
    "Mutation.deleteSource": "(input: {sourceId: $spare})",
    "Mutation.replayQuarantined": "(input: {sourceId: $hook})",
    "Mutation.previewSource": """(input: {workspaceId: $workspace, body: "{}", mapping: {body: "text"}})""",
    "Mutation.submitFeedbackBatch": '(input: {workspaceId: $workspace, items: [{body: "Late again."}]})',
    "Mutation.createTag": "(input: {workspaceId: $workspace, name: $new})",
    "Mutation.createUpload": '(input: {workspaceId: $workspace, name: "f", contentType: "text/csv",'
    " size: 1, purpose: IMPORT})",
    "Mutation.createWorkspace": "(input: {name: $new, slug: $new})",
    "Mutation.login": "(input: {email: $email, password: $password})",
    "Mutation.refreshSession": "(input: {refreshToken: $refresh})",
    "Mutation.register": "(input: {email: $address, password: $password, name: $new})",
    "Mutation.completeSignIn": '(input: {code: "wrong"})',
    "Mutation.startIdentityLink": '(input: {providerId: "nowhere"})',
    "Mutation.unlinkIdentity": "(input: {identityId: $identity})",
    "Mutation.acceptInvitation": '(input: {token: "wrong"})',
    "Mutation.inviteMember": "(input: {workspaceId: $workspace, email: $address, role: VIEWER})",
    "Mutation.resendInvitation": "(input: {invitationId: $invitation})",
    "Mutation.revokeInvitation": "(input: {invitationId: $invitation})",
    "Mutation.transferOwnership": '(input: {workspaceId: $workspace, memberId: $newcomer, password: "wrong"})',
    "Mutation.removeMember": "(input: {memberId: $newcomer})",
    "Mutation.requeueJobs": "(input: {jobIds: [$failed]})",
    "Mutation.retryJob": "(input: {jobId: $failed})",
    "Mutation.setAvatar": "(input: {fileId: null})",
    "Mutation.updateFeedback": "(input: {ids: [$first], status: OPEN})",
    "Mutation.addFeedbackNote": "(input: {feedbackId: $first, body: $new})",
    "Mutation.editFeedbackNote": "(input: {noteId: $note, body: $new})",
    "Mutation.deleteFeedbackNote": "(input: {noteId: $spareNote})",
    "Mutation.createSavedView": "(input: {workspaceId: $workspace, name: $new, isShared: true})",
    "Mutation.updateSavedView": "(input: {savedViewId: $view, name: $new})",
    "Mutation.deleteSavedView": "(input: {savedViewId: $spareView})",
    "Mutation.setFeedbackTags": "(input: {feedbackId: $first, tagIds: $tags})",
    "Mutation.startExport": "(input: {workspaceId: $workspace, format: CSV})",
    "Mutation.createExportSchedule": "(input: {workspaceId: $workspace, name: $new, format: CSV,"
    " period: DAY, memberIds: [$place]})",
    "Mutation.updateExportSchedule": "(input: {exportScheduleId: $export, name: $new})",
    "Mutation.deleteExportSchedule": "(input: {exportScheduleId: $export})",
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
        variables = ", ".join(f"${name}: {VARIABLES[name]}" for name in names)
        kind = self.fields[0].partition(".")[0].lower()
        return f"{kind}{f'({variables})' if variables else ''} {{ {body} }}"


def _node(type_: str, ids: str, inside: str = "%s") -> Way:
    return Way(f"nodes(ids: ${ids}) {{ ... on {type_} {{ {inside} }} }}", ("Query.nodes",))


def _within(field: str, inside: str, *further: str) -> Way:
    """One object in each of the workspaces; `further` are fields on the way that take statements."""
    around = f"nodes(ids: $workspaces) {{ ... on Workspace {{ {field}{inside} }} }}"
    return Way(around, ("Query.nodes", f"Workspace.{field}", *further))


def _logged(inside: str) -> Way:
    """The one event in the caller's log: that they have signed in."""
    around = f"viewer {{ securityLog(first: 1) {{ {inside} }} }}"
    return Way(around, ("Query.viewer", "Viewer.securityLog"), is_alone=True)


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
    "ExportSchedule": _node("ExportSchedule", "exports"),
    "AlertMessage": _node("Alert", "alerts", "messages { %s }"),
    "AlertCondition": _node("AlertRule", "rules", "condition { %s }"),
    "AlertFilter": _node("AlertRule", "rules", "condition { filter { %s } }"),
    "QuietHours": _node("AlertRule", "rules", "condition { quietHours { %s } }"),
    "AlertChannels": _node("AlertRule", "rules", "channels { %s }"),
    "ApiKey": _node("ApiKey", "keys"),
    "File": _node("File", "files"),
    "Invitation": _node("Invitation", "invitations"),
    "LinkedIdentity": _node("LinkedIdentity", "identities"),
    "Job": _node("Job", "jobs"),
    "Member": _node("Member", "members"),
    "Schedule": _node("Schedule", "schedules"),
    "Session": _node("Session", "sessions"),
    "Source": _node("Source", "sources"),
    "SourceHealth": Way(
        "nodes(ids: $sources) { ... on Source { health { %s } } }", ("Query.nodes", "Source.health")
    ),
    "QuarantineConnection": Way(
        "nodes(ids: $sources) { ... on Source { quarantine { %s } } }",
        ("Query.nodes", "Source.quarantine"),
    ),
    "QuarantinedEdge": Way(
        "nodes(ids: $sources) { ... on Source { quarantine(first: 1) { edges { %s } } } }",
        ("Query.nodes", "Source.quarantine"),
    ),
    "Quarantined": Way(
        "nodes(ids: $sources) { ... on Source { quarantine { nodes { %s } } } }",
        ("Query.nodes", "Source.quarantine"),
    ),
    "FeedbackRevision": Way(
        "nodes(ids: $feedback) { ... on Feedback { revisions { %s } } }",
        ("Query.nodes", "Feedback.revisions"),
    ),
    "FeedbackAssignee": Way(
        "nodes(ids: $feedback) { ... on Feedback { assignee { %s } } }",
        ("Query.nodes", "Feedback.assignee"),
    ),
    "FeedbackChange": Way(
        "nodes(ids: $feedback) { ... on Feedback { history { %s } } }",
        ("Query.nodes", "Feedback.history"),
    ),
    "FeedbackNote": _node("FeedbackNote", "notes"),
    "FeedbackNoteConnection": Way(
        "nodes(ids: $feedback) { ... on Feedback { notes { %s } } }",
        ("Query.nodes", "Feedback.notes"),
    ),
    "FeedbackNoteEdge": Way(
        "nodes(ids: $feedback) { ... on Feedback { notes(first: 1) { edges { %s } } } }",
        ("Query.nodes", "Feedback.notes"),
    ),
    "SavedView": _node("SavedView", "views"),
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
    "AuditEntry": _node("AuditEntry", "entries"),
    "ErasureReceipt": _node("ErasureReceipt", "receipts"),
    "EraseAuthorSuccess": _made("eraseAuthor"),
    "FeedbackOriginal": _made("revealFeedback", "original { %s }"),
    "Masking": _node("Source", "sources", "masking { %s }"),
    "ModelCount": _within("stats", PERIOD + " { models { %s } }", "FeedbackStats.models"),
    "RescoreFeedbackSuccess": _made("rescoreFeedback"),
    "RevealFeedbackSuccess": _made("revealFeedback"),
    "SentimentSpan": Way(
        "nodes(ids: $feedback) { ... on Feedback { sentiment { spans { %s } } } }",
        ("Query.nodes", "Sentiment.spans"),
    ),
    "ExportAuthorDataSuccess": _made("exportAuthorData"),
    "AuditActor": _node("AuditEntry", "entries", "actor { %s }"),
    "AuditEntryConnection": _within("auditLog", " { %s }"),
    "AuditEntryEdge": _within("auditLog", "(first: 1) { edges { %s } }"),
    "SecurityEvent": _logged("nodes { %s }"),
    "SecurityEventConnection": _logged("%s"),
    "SecurityEventEdge": _logged("edges { %s }"),
    "AlertConnection": _within("alerts", " { %s }"),
    "AlertEdge": _within("alerts", "(first: 1) { edges { %s } }"),
    "JobConnection": _within("jobs", " { %s }"),
    "JobEdge": _within("jobs", "(first: 1) { edges { %s } }"),
    "FeedbackStats": _within("stats", PERIOD + " { %s }"),
    "SentimentCounts": _within("stats", PERIOD + " { totals { %s } }", "FeedbackStats.totals"),
    "StatsBucket": _within("stats", PERIOD + " { buckets { %s } }", "FeedbackStats.buckets"),
    "SourceCounts": _within("stats", PERIOD + " { sources { %s } }", "FeedbackStats.sources"),
    "TagCounts": _within("stats", PERIOD + " { tags { %s } }", "FeedbackStats.tags"),
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
    "UpdateSourceSuccess": _made("updateSource"),
    "RotateSourceSecretSuccess": _made("rotateSourceSecret"),
    "DeleteSourceSuccess": _made("deleteSource"),
    "ReplayQuarantinedSuccess": _made("replayQuarantined"),
    "PreviewSourceSuccess": _made("previewSource"),
    "SourcePreviewEntry": _made("previewSource", "entries { %s }"),
    "SubmitFeedbackBatchSuccess": _made("submitFeedbackBatch"),
    "FeedbackItemResult": _made("submitFeedbackBatch", "results { %s }"),
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
    "UnlinkIdentitySuccess": _made("unlinkIdentity"),
    "RevokeInvitationSuccess": _made("revokeInvitation"),
    "RemoveMemberSuccess": _made("removeMember"),
    "RequeueJobsSuccess": _made("requeueJobs"),
    "RetryJobSuccess": _made("retryJob"),
    "SetAvatarSuccess": _made("setAvatar"),
    "SetFeedbackTagsSuccess": _made("setFeedbackTags"),
    "UpdateFeedbackSuccess": _made("updateFeedback"),
    "AddFeedbackNoteSuccess": _made("addFeedbackNote"),
    "EditFeedbackNoteSuccess": _made("editFeedbackNote"),
    "DeleteFeedbackNoteSuccess": _made("deleteFeedbackNote"),
    "CreateSavedViewSuccess": _made("createSavedView"),
    "UpdateSavedViewSuccess": _made("updateSavedView"),
    "DeleteSavedViewSuccess": _made("deleteSavedView"),
    "StartExportSuccess": _made("startExport"),
    "CreateExportScheduleSuccess": _made("createExportSchedule"),
    "UpdateExportScheduleSuccess": _made("updateExportSchedule"),
    "DeleteExportScheduleSuccess": _made("deleteExportSchedule"),
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
