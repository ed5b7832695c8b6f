"""An attempt by each id that the schema takes."""

from domain import ids
from domain.ids import Kind
from tests.factories import PASSWORD
from tests.graph.isolation import PROBLEM, Attempt, filtered, mutation
from tests.graph.isolation_exports import EXPORTS
from tests.graph.isolation_inbox import INBOX
from tests.graph.isolation_partners import PARTNERS
from tests.graph.isolation_sentiment import SENTIMENT
from tests.graph.isolation_sources import SOURCES

BY_SOURCE = filtered("sourceIds", lambda w: w.tenant.source_gid)
BY_TAG = filtered("tagIds", lambda w: w.tag)
BY_ASSIGNEE = filtered("assigneeIds", lambda w: w.owner)
ATTEMPTS = {
    "Query.node(id)": Attempt(
        "query($id: ID!) { node(id: $id) { id } }", lambda w: {"id": w.feedback}, {"node": None}
    ),
    "Query.nodes(ids)": Attempt(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        lambda w: {
            "ids": [
                w.tenant.gid,
                w.tenant.source_gid,
                w.tenant.owner.gid,
                w.feedback,
                w.tag,
                w.job,
                w.schedule,
                w.rule,
                w.alert,
                w.webhook,
                w.delivery,
                w.file,
                w.key,
                w.invitation,
                w.identity,
                w.entry,
                w.receipt,
                w.export,
                w.note,
                w.view,
                w.owner,
                w.own_feedback,
            ]
        },
        {"nodes": [None] * 21 + [{"id": ...}]},
    ),
    "Query.job(id)": Attempt(
        "query($id: ID!) { job(id: $id) { id } }", lambda w: {"id": w.job}, {"job": None}
    ),
    "Query.deadJobs(workspaceId)": Attempt(
        "query($id: ID!) { deadJobs(workspaceId: $id) { nodes { id } } }",
        lambda w: {"id": w.tenant.gid},
        {"deadJobs": {"nodes": []}},
    ),
    "Workspace.feedback(filter.sourceIds)": BY_SOURCE[0],
    "Workspace.stats(filter.sourceIds)": BY_SOURCE[1],
    "Workspace.feedback(filter.tagIds)": BY_TAG[0],
    "Workspace.stats(filter.tagIds)": BY_TAG[1],
    "Workspace.feedback(filter.assigneeIds)": BY_ASSIGNEE[0],
    "Workspace.stats(filter.assigneeIds)": BY_ASSIGNEE[1],
    "Workspace.auditLog(actorId)": Attempt(
        'query($id: ID!) { workspace(slug: "stranger") { auditLog(actorId: $id) { nodes { id } } } }',
        lambda w: {"id": w.tenant.owner.gid},
        {"workspace": {"auditLog": {"nodes": []}}},
    ),
    "Mutation.eraseAuthor(input.workspaceId)": mutation(
        "eraseAuthor",
        lambda w: {"workspaceId": w.tenant.gid, "email": "a@example.com", "mode": "ERASE"},
        "workspace",
    ),
    "Mutation.exportAuthorData(input.workspaceId)": mutation(
        "exportAuthorData",
        lambda w: {"workspaceId": w.tenant.gid, "email": "a@example.com"},
        "workspace",
    ),
    "Mutation.createSource(input.workspaceId)": mutation(
        "createSource", lambda w: {"workspaceId": w.tenant.gid, "name": "Mine"}, "workspace"
    ),
    "Mutation.revokeSession(input.sessionId)": mutation(
        "revokeSession",
        lambda w: {"sessionId": ids.write(Kind.SESSION, w.tenant.owner.session_id)},
        "session",
        viewer="NotFound",
    ),
    "Mutation.createTag(input.workspaceId)": mutation(
        "createTag", lambda w: {"workspaceId": w.tenant.gid, "name": "mine"}, "workspace"
    ),
    "Mutation.updateWorkspace(input.workspaceId)": mutation(
        "updateWorkspace", lambda w: {"workspaceId": w.tenant.gid, "name": "Mine"}, "workspace"
    ),
    "Mutation.changeMemberRole(input.memberId)": mutation(
        "changeMemberRole", lambda w: {"memberId": w.owner, "role": "VIEWER"}, "member"
    ),
    "Mutation.unlinkIdentity(input.identityId)": mutation(
        "unlinkIdentity", lambda w: {"identityId": w.identity}, "identity", viewer="NotFound"
    ),
    "Mutation.inviteMember(input.workspaceId)": mutation(
        "inviteMember",
        lambda w: {"workspaceId": w.tenant.gid, "email": "me@example.com", "role": "VIEWER"},
        "workspace",
    ),
    "Mutation.resendInvitation(input.invitationId)": mutation(
        "resendInvitation", lambda w: {"invitationId": w.invitation}, "invitation"
    ),
    "Mutation.revokeInvitation(input.invitationId)": mutation(
        "revokeInvitation", lambda w: {"invitationId": w.invitation}, "invitation"
    ),
    "Mutation.transferOwnership(input.workspaceId)": mutation(
        "transferOwnership",
        lambda w: {"workspaceId": w.tenant.gid, "memberId": w.owner, "password": PASSWORD},
        "member",
    ),
    "Mutation.transferOwnership(input.memberId)": mutation(
        "transferOwnership",
        lambda w: {"workspaceId": w.stranger.gid, "memberId": w.owner, "password": PASSWORD},
        "member",
        viewer="NotFound",
    ),
    "Mutation.removeMember(input.memberId)": mutation(
        "removeMember", lambda w: {"memberId": w.owner}, "member"
    ),
    "Mutation.submitFeedback(input.workspaceId)": mutation(
        "submitFeedback", lambda w: {"workspaceId": w.tenant.gid, "body": "Mine."}, "workspace"
    ),
    "Mutation.submitFeedback(input.sourceId)": mutation(
        "submitFeedback",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "sourceId": w.tenant.source_gid,
            "body": "Mine.",
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.setFeedbackTags(input.feedbackId)": mutation(
        "setFeedbackTags", lambda w: {"feedbackId": w.feedback, "tagIds": []}, "feedback"
    ),
    "Mutation.setFeedbackTags(input.tagIds)": mutation(
        "setFeedbackTags",
        lambda w: {"feedbackId": w.own_feedback, "tagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.cancelJob(input.jobId)": mutation("cancelJob", lambda w: {"jobId": w.job}, "job"),
    "Mutation.retryJob(input.jobId)": mutation("retryJob", lambda w: {"jobId": w.dead}, "job"),
    # It does what it may, which is nothing.
    "Mutation.requeueJobs(input.jobIds)": Attempt(
        f"mutation($input: RequeueJobsInput!) {{ result: requeueJobs(input: $input) {PROBLEM} }}",
        lambda w: {"input": {"jobIds": [w.dead]}},
        {"result": {"__typename": "RequeueJobsSuccess"}},
        "RequeueJobsSuccess",
    ),
    "Mutation.createUpload(input.workspaceId)": mutation(
        "createUpload",
        lambda w: {
            "workspaceId": w.tenant.gid,
            "name": "mine.csv",
            "contentType": "text/csv",
            "size": 1,
            "purpose": "IMPORT",
        },
        "workspace",
    ),
    "Mutation.completeUpload(input.fileId)": mutation(
        "completeUpload", lambda w: {"fileId": w.file}, "file", viewer="NotFound"
    ),
    "Mutation.attachFiles(input.feedbackId)": mutation(
        "attachFiles", lambda w: {"feedbackId": w.feedback, "fileIds": []}, "feedback"
    ),
    "Mutation.attachFiles(input.fileIds)": mutation(
        "attachFiles",
        lambda w: {"feedbackId": w.own_feedback, "fileIds": [w.file]},
        "its file",
        viewer="NotFound",
    ),
    "Mutation.setAvatar(input.fileId)": mutation(
        "setAvatar", lambda w: {"fileId": w.file}, "file", viewer="NotFound"
    ),
    "Mutation.startImport(input.fileId)": mutation(
        "startImport", lambda w: {"fileId": w.file}, "file"
    ),
    "Mutation.startImport(input.sourceId)": mutation(
        "startImport",
        lambda w: {"fileId": w.own_file, "sourceId": w.tenant.source_gid},
        "source",
        viewer="NotFound",
    ),
    "Mutation.previewImport(input.fileId)": mutation(
        "previewImport", lambda w: {"fileId": w.file}, "file"
    ),
    "Mutation.undoImport(input.jobId)": mutation(
        "undoImport", lambda w: {"jobId": w.job}, "import"
    ),
    "Mutation.startExport(input.workspaceId)": mutation(
        "startExport", lambda w: {"workspaceId": w.tenant.gid, "format": "CSV"}, "workspace"
    ),
    "Mutation.startExport(input.filter.sourceIds)": mutation(
        "startExport",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "format": "CSV",
            "filter": {"sourceIds": [w.tenant.source_gid]},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.startExport(input.filter.tagIds)": mutation(
        "startExport",
        lambda w: {"workspaceId": w.stranger.gid, "format": "CSV", "filter": {"tagIds": [w.tag]}},
        "tag",
        viewer="NotFound",
    ),
    **INBOX,
    **SENTIMENT,
    **PARTNERS,
    **EXPORTS,
    **SOURCES,
}
# Nobody need sign in for them, and finds nothing either.
PUBLIC = {"Query.job(id)"}
MUTATIONS = [name for name, attempt in ATTEMPTS.items() if attempt.viewer]
