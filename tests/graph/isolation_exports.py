"""Attempts by the ids of scheduled exports, and of what they name."""

from tests.graph.isolation import mutation

DAILY = {"name": "Mine", "format": "CSV", "period": "DAY"}
EXPORTS = {
    "Mutation.createExportSchedule(input.workspaceId)": mutation(
        "createExportSchedule",
        lambda w: DAILY | {"workspaceId": w.tenant.gid, "memberIds": [w.owner]},
        "workspace",
    ),
    "Mutation.createExportSchedule(input.memberIds)": mutation(
        "createExportSchedule",
        lambda w: DAILY | {"workspaceId": w.stranger.gid, "memberIds": [w.owner]},
        "its member",
        viewer="NotFound",
    ),
    "Mutation.createExportSchedule(input.filter.sourceIds)": mutation(
        "createExportSchedule",
        lambda w: (
            DAILY
            | {
                "workspaceId": w.stranger.gid,
                "memberIds": [w.owner],
                "filter": {"sourceIds": [w.tenant.source_gid]},
            }
        ),
        "source",
        viewer="NotFound",
    ),
    "Mutation.createExportSchedule(input.filter.tagIds)": mutation(
        "createExportSchedule",
        lambda w: (
            DAILY
            | {
                "workspaceId": w.stranger.gid,
                "memberIds": [w.owner],
                "filter": {"tagIds": [w.tag]},
            }
        ),
        "tag",
        viewer="NotFound",
    ),
    "Mutation.updateExportSchedule(input.exportScheduleId)": mutation(
        "updateExportSchedule", lambda w: {"exportScheduleId": w.export, "hour": 1}, "export"
    ),
    "Mutation.updateExportSchedule(input.memberIds)": mutation(
        "updateExportSchedule",
        lambda w: {"exportScheduleId": w.own_export, "memberIds": [w.owner]},
        "its member",
        viewer="NotFound",
    ),
    "Mutation.updateExportSchedule(input.filter.sourceIds)": mutation(
        "updateExportSchedule",
        lambda w: {
            "exportScheduleId": w.own_export,
            "filter": {"sourceIds": [w.tenant.source_gid]},
        },
        "source",
        viewer="NotFound",
    ),
    "Mutation.updateExportSchedule(input.filter.tagIds)": mutation(
        "updateExportSchedule",
        lambda w: {"exportScheduleId": w.own_export, "filter": {"tagIds": [w.tag]}},
        "tag",
        viewer="NotFound",
    ),
    "Mutation.deleteExportSchedule(input.exportScheduleId)": mutation(
        "deleteExportSchedule", lambda w: {"exportScheduleId": w.export}, "export"
    ),
}
