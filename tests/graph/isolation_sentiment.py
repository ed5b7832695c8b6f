"""Attempts of strangers to have others' feedback scored again, and to see what was masked of it."""

from tests.graph.isolation import Attempt, mutation

SENTIMENT: dict[str, Attempt] = {
    "Mutation.revealFeedback(input.feedbackId)": mutation(
        "revealFeedback", lambda w: {"feedbackId": w.feedback}, "feedback"
    ),
    "Mutation.rescoreFeedback(input.workspaceId)": mutation(
        "rescoreFeedback", lambda w: {"workspaceId": w.tenant.gid}, "workspace"
    ),
    "Mutation.rescoreFeedback(input.filter.sourceIds)": mutation(
        "rescoreFeedback",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "filter": {"sourceIds": [w.tenant.source_gid]},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.rescoreFeedback(input.filter.tagIds)": mutation(
        "rescoreFeedback",
        lambda w: {"workspaceId": w.stranger.gid, "filter": {"tagIds": [w.tag]}},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.rescoreFeedback(input.filter.assigneeIds)": mutation(
        "rescoreFeedback",
        lambda w: {"workspaceId": w.stranger.gid, "filter": {"assigneeIds": [w.owner]}},
        "its member",
        viewer="NotFound",
    ),
}
