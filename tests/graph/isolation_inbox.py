"""Attempts by each id of what people work on feedback with: triage, notes and saved views."""

from collections.abc import Callable

from tests.callers import JSON
from tests.graph.isolation import Attempt, World, mutation, not_for_rules

COUNT: JSON = {"kind": "COUNT", "threshold": 1}
VIEW: JSON = {"name": "Mine", "isShared": True}


def _by_assignee(w: World) -> JSON:
    return {"filter": {"assigneeIds": [w.owner]}}


_NAMED: dict[str, tuple[str, Callable[[World], JSON]]] = {
    "sourceIds": ("source", lambda w: {"filter": {"sourceIds": [w.tenant.source_gid]}}),
    "tagIds": ("tag", lambda w: {"filter": {"tagIds": [w.tag]}}),
    "assigneeIds": ("its member", _by_assignee),
}


def _created(name: str) -> Attempt:
    kind, named = _NAMED[name]
    return mutation(
        "createSavedView",
        lambda w: VIEW | {"workspaceId": w.stranger.gid} | named(w),
        kind,
        viewer="NotFound",
    )


def _updated(name: str) -> Attempt:
    kind, named = _NAMED[name]
    return mutation(
        "updateSavedView",
        lambda w: {"savedViewId": w.own_view} | named(w),
        kind,
        viewer="NotFound",
    )


INBOX = {
    "Mutation.updateFeedback(input.ids)": mutation(
        "updateFeedback", lambda w: {"ids": [w.feedback], "status": "CLOSED"}, "feedback"
    ),
    "Mutation.updateFeedback(input.assigneeId)": mutation(
        "updateFeedback",
        lambda w: {"ids": [w.own_feedback], "assigneeId": w.owner},
        "its member",
        viewer="NotFound",
    ),
    "Mutation.updateFeedback(input.addTagIds)": mutation(
        "updateFeedback",
        lambda w: {"ids": [w.own_feedback], "addTagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateFeedback(input.removeTagIds)": mutation(
        "updateFeedback",
        lambda w: {"ids": [w.own_feedback], "removeTagIds": [w.tag]},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.addFeedbackNote(input.feedbackId)": mutation(
        "addFeedbackNote", lambda w: {"feedbackId": w.feedback, "body": "Mine."}, "feedback"
    ),
    "Mutation.editFeedbackNote(input.noteId)": mutation(
        "editFeedbackNote", lambda w: {"noteId": w.note, "body": "Mine."}, "note"
    ),
    "Mutation.deleteFeedbackNote(input.noteId)": mutation(
        "deleteFeedbackNote", lambda w: {"noteId": w.note}, "note"
    ),
    "Mutation.createSavedView(input.workspaceId)": mutation(
        "createSavedView", lambda w: VIEW | {"workspaceId": w.tenant.gid}, "workspace"
    ),
    **{f"Mutation.createSavedView(input.filter.{name})": _created(name) for name in _NAMED},
    "Mutation.updateSavedView(input.savedViewId)": mutation(
        "updateSavedView", lambda w: {"savedViewId": w.view, "name": "Mine"}, "view"
    ),
    **{f"Mutation.updateSavedView(input.filter.{name})": _updated(name) for name in _NAMED},
    "Mutation.deleteSavedView(input.savedViewId)": mutation(
        "deleteSavedView", lambda w: {"savedViewId": w.view}, "view"
    ),
    "Mutation.startExport(input.filter.assigneeIds)": mutation(
        "startExport",
        lambda w: {"workspaceId": w.stranger.gid, "format": "CSV"} | _by_assignee(w),
        "its member",
        viewer="NotFound",
    ),
    "Mutation.createExportSchedule(input.filter.assigneeIds)": mutation(
        "createExportSchedule",
        lambda w: (
            {"name": "Mine", "format": "CSV", "period": "DAY", "workspaceId": w.stranger.gid}
            | {"memberIds": [w.owner]}
            | _by_assignee(w)
        ),
        "its member",
        viewer="NotFound",
    ),
    "Mutation.updateExportSchedule(input.filter.assigneeIds)": mutation(
        "updateExportSchedule",
        lambda w: {"exportScheduleId": w.own_export} | _by_assignee(w),
        "its member",
        viewer="NotFound",
    ),
    "Mutation.createAlertRule(input.rule.filter.assigneeIds)": not_for_rules(
        "createAlertRule",
        lambda w: {
            "workspaceId": w.stranger.gid,
            "name": "Mine",
            "rule": COUNT | _by_assignee(w),
        },
    ),
    "Mutation.updateAlertRule(input.rule.filter.assigneeIds)": not_for_rules(
        "updateAlertRule", lambda w: {"alertRuleId": w.own_rule, "rule": COUNT | _by_assignee(w)}
    ),
    "Mutation.previewAlertRule(input.rule.filter.assigneeIds)": not_for_rules(
        "previewAlertRule",
        lambda w: {"workspaceId": w.stranger.gid, "rule": COUNT | _by_assignee(w)},
    ),
}
