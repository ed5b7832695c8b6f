"""Scheduled exports in the schema: what is sent by mail again and again."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import orjson
import strawberry

from domain import export, ids
from domain.ids import Kind
from graph.access import signed_in
from graph.context import Info
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound
from graph.export import ExportFormat
from graph.feedback_filter import FeedbackFilter, shown, where
from graph.fields import column, computed, rows
from graph.node import Node, id_field, read_id, read_ids
from graph.scalars import JSON


@strawberry.enum(
    description="What each export is about: the DAY before; the WEEK before, sent on Mondays; the MONTH "
    "before, sent on the first."
)
class ExportPeriod(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


def _filter(root: strawberry.Parent[export.ExportSchedule]) -> JSON:
    return shown(export.filter_of(orjson.loads(root.filter)))


def _user_ids(root: strawberry.Parent[export.ExportSchedule]) -> list[strawberry.ID]:
    return [strawberry.ID(ids.write(Kind.USER, user)) for user in root.user_ids]


@strawberry.type(description="An export that is made again and again, and sent by mail.")
@rows(export.ExportSchedule)
class ExportSchedule(Node):
    id: strawberry.ID = id_field(Kind.EXPORT_SCHEDULE)
    name: str = strawberry.field(description="Its name, for people.")
    format: ExportFormat = strawberry.field(description="The file format.")
    filter: JSON = computed(
        _filter, reads=("filter",), description="Which feedback, in the form of a FeedbackFilter."
    )
    period: ExportPeriod = strawberry.field(description="What each is about.")
    hour: int = strawberry.field(description="When it is made by the clock there: 0 to 23.")
    time_zone: str = strawberry.field(description="The IANA time zone of its days and hours.")
    user_ids: list[strawberry.ID] = computed(
        _user_ids,
        reads=("user_ids",),
        description="Users who are mailed as long as they belong to the workspace and may export.",
    )
    enabled: bool = strawberry.field(description="Whether it is made: false while it is paused.")
    updated_by_id: strawberry.ID | None = column(
        "updated_by",
        ids.writer(Kind.USER),
        graphql_type=strawberry.ID | None,
        description="The id of the user as whom it is read: who changed it last; null when they are gone.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.input(description="An export to be sent by mail again and again.")
class CreateExportScheduleInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    name: str = strawberry.field(description="Up to 200 characters, in one line.")
    format: ExportFormat = strawberry.field(description="The file format.")
    period: ExportPeriod = strawberry.field(description="What each is about.")
    member_ids: list[strawberry.ID] = strawberry.field(
        description="Who is mailed: 1 to 20 members of the workspace who are ANALYST at least, as "
        "`Workspace.members` lists them."
    )
    filter: FeedbackFilter | None = strawberry.field(
        default=None, description="Which feedback, without times; all if missing."
    )
    hour: int = strawberry.field(
        default=7, description="When it is made by the clock of the time zone: 0 to 23."
    )
    time_zone: str = strawberry.field(
        default="UTC", description="The IANA time zone of its days and hours."
    )
    enabled: bool = strawberry.field(default=True, description="Whether it is made.")

    def settings(self) -> export.Settings:
        return export.Settings(
            name=self.name,
            format=export.Format(self.format.value),
            where=where(self.filter),
            period=export.Period(self.period.value),
            hour=self.hour,
            time_zone=self.time_zone,
            member_ids=read_ids(Kind.MEMBER, self.member_ids, "memberIds"),
            enabled=self.enabled,
        )


@strawberry.type(description="It is scheduled.")
class CreateExportScheduleSuccess:
    export_schedule: ExportSchedule = strawberry.field(description="The new schedule.")


CreateExportScheduleResult = Annotated[
    CreateExportScheduleSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CreateExportScheduleResult"),
]


@strawberry.input(description="What is to change of a scheduled export; the rest stays.")
class UpdateExportScheduleInput:
    export_schedule_id: strawberry.ID = strawberry.field(description="The schedule.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    format: ExportFormat | None = strawberry.field(
        default=None, description="The file format from now on."
    )
    period: ExportPeriod | None = strawberry.field(
        default=None, description="What each is about from now on."
    )
    member_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="All who are mailed from now on."
    )
    filter: FeedbackFilter | None = strawberry.field(
        default=None, description="Which feedback from now on, without times."
    )
    hour: int | None = strawberry.field(default=None, description="When it is made from now on.")
    time_zone: str | None = strawberry.field(
        default=None, description="The IANA time zone from now on."
    )
    enabled: bool | None = strawberry.field(
        default=None,
        description="Whether it is made from now on. What was missed while it was not is not made up for.",
    )

    def settings(self) -> export.Settings:
        members = self.member_ids
        return export.Settings(
            name=self.name,
            format=None if self.format is None else export.Format(self.format.value),
            where=None if self.filter is None else where(self.filter),
            period=None if self.period is None else export.Period(self.period.value),
            hour=self.hour,
            time_zone=self.time_zone,
            member_ids=None if members is None else read_ids(Kind.MEMBER, members, "memberIds"),
            enabled=self.enabled,
        )


@strawberry.type(description="It is changed.")
class UpdateExportScheduleSuccess:
    export_schedule: ExportSchedule = strawberry.field(description="The schedule as it is now.")


UpdateExportScheduleResult = Annotated[
    UpdateExportScheduleSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateExportScheduleResult"),
]


@strawberry.input(description="Which scheduled export to take away.")
class DeleteExportScheduleInput:
    export_schedule_id: strawberry.ID = strawberry.field(description="The schedule.")


@strawberry.type(description="It is gone; what it has sent stays.")
class DeleteExportScheduleSuccess:
    export_schedule_id: strawberry.ID = strawberry.field(
        description="The id that the schedule had."
    )


DeleteExportScheduleResult = Annotated[
    DeleteExportScheduleSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteExportScheduleResult"),
]


@strawberry.type
class ExportScheduleMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Have an export of each day, week or month made and mailed to members. Needs the role ADMIN.",
    )
    async def create_export_schedule(
        self, info: Info, input: CreateExportScheduleInput
    ) -> CreateExportScheduleResult:
        workspace = read_id(Kind.WORKSPACE, input.workspace_id, "workspaceId")
        async with info.context.transaction() as uow:
            made = await export.schedule(uow, info.context.viewer, workspace, input.settings())
        return CreateExportScheduleSuccess(export_schedule=made)  # type: ignore[arg-type]  # rows are schedules

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change a scheduled export, which is read as the caller from now on. Needs the role ADMIN.",
    )
    async def update_export_schedule(
        self, info: Info, input: UpdateExportScheduleInput
    ) -> UpdateExportScheduleResult:
        id_ = read_id(Kind.EXPORT_SCHEDULE, input.export_schedule_id, "exportScheduleId")
        async with info.context.transaction() as uow:
            changed = await export.reschedule(uow, info.context.viewer, id_, input.settings())
        return UpdateExportScheduleSuccess(export_schedule=changed)  # type: ignore[arg-type]  # rows are schedules

    @strawberry.mutation(
        extensions=[signed_in], description="Take a scheduled export away. Needs the role ADMIN."
    )
    async def delete_export_schedule(
        self, info: Info, input: DeleteExportScheduleInput
    ) -> DeleteExportScheduleResult:
        id_ = read_id(Kind.EXPORT_SCHEDULE, input.export_schedule_id, "exportScheduleId")
        async with info.context.transaction() as uow:
            gone = await export.unschedule(uow, info.context.viewer, id_)
        shown = ids.write(Kind.EXPORT_SCHEDULE, gone)
        return DeleteExportScheduleSuccess(export_schedule_id=strawberry.ID(shown))
