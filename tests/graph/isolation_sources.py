"""Attempts by the ids of sources and of what they sent, and a row in each of the tables that are theirs."""

from tests.graph.isolation import mutation

SOURCES = {
    "Mutation.updateSource(input.sourceId)": mutation(
        "updateSource", lambda w: {"sourceId": w.tenant.source_gid, "name": "Mine"}, "any source"
    ),
    "Mutation.rotateSourceSecret(input.sourceId)": mutation(
        "rotateSourceSecret", lambda w: {"sourceId": w.tenant.source_gid}, "any source"
    ),
    "Mutation.deleteSource(input.sourceId)": mutation(
        "deleteSource", lambda w: {"sourceId": w.tenant.source_gid}, "any source"
    ),
    "Mutation.replayQuarantined(input.sourceId)": mutation(
        "replayQuarantined", lambda w: {"sourceId": w.tenant.source_gid}, "any source"
    ),
    "Mutation.replayQuarantined(input.ids)": mutation(
        "replayQuarantined",
        lambda w: {"sourceId": w.stranger.source_gid, "ids": [w.quarantined]},
        "quarantined",
        viewer="NotFound",
    ),
    "Mutation.previewSource(input.workspaceId)": mutation(
        "previewSource",
        lambda w: {"workspaceId": w.tenant.gid, "body": "{}", "mapping": {"body": "@"}},
        "workspace",
    ),
    "Mutation.submitFeedbackBatch(input.workspaceId)": mutation(
        "submitFeedbackBatch",
        lambda w: {"workspaceId": w.tenant.gid, "items": [{"body": "Mine."}]},
        "workspace",
    ),
    "Mutation.submitFeedbackBatch(input.sourceId)": mutation(
        "submitFeedbackBatch",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "sourceId": w.tenant.source_gid,
            "items": [{"body": "Mine."}],
        },
        "source",
        viewer="NotFound",
    ),
}
