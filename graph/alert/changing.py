"""Mutations of alert rules, and trying one over the past."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import alert, ids
from domain.ids import Kind
from graph.access import signed_in
from graph.alert.rule import AlertChannelsInput, AlertConditionInput, AlertRule
from graph.context import Info
from graph.cost import Cost
from graph.errors import Conflict, Forbidden, InvalidInput, NotFound, RateLimited
from graph.job import Job
from graph.node import read_id
from persistence.limits import Limit

PREVIEWS = Limit("preview-alert-rule", points=60, seconds=60)
TESTS = Limit("test-alert-channels", points=20, seconds=60)


@strawberry.input(description="A new alert rule.")
class CreateAlertRuleInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="Up to 200 characters, in one line.")
    rule: AlertConditionInput = strawberry.field(description="What it goes by.")
    channels: AlertChannelsInput | None = strawberry.field(
        default=None, description="Whom it tells; nobody where it is missing."
    )
    enabled: bool = strawberry.field(default=True, description="Whether it is checked.")

    def command(self) -> alert.CreateRule:
        channels = self.channels
        return alert.CreateRule(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            name=self.name,
            definition=self.rule.definition(),
            channels=alert.Wanted() if channels is None else channels.wanted(),
            enabled=self.enabled,
        )


@strawberry.type(description="The rule was made.")
class CreateAlertRuleSuccess:
    alert_rule: AlertRule = strawberry.field(description="The new rule.")


@strawberry.input(description="What is to change of a rule; the rest stays.")
class UpdateAlertRuleInput:
    alert_rule_id: strawberry.ID = strawberry.field(description="The rule.")
    name: str | None = strawberry.field(default=None, description="Its new name.")
    rule: AlertConditionInput | None = strawberry.field(
        default=None, description="All that it goes by from now on."
    )
    channels: AlertChannelsInput | None = strawberry.field(
        default=None, description="All whom it tells from now on."
    )
    enabled: bool | None = strawberry.field(default=None, description="Whether it is checked.")

    def command(self) -> alert.UpdateRule:
        return alert.UpdateRule(
            rule_id=read_id(Kind.ALERT_RULE, self.alert_rule_id, "alertRuleId"),
            name=self.name,
            definition=None if self.rule is None else self.rule.definition(),
            channels=None if self.channels is None else self.channels.wanted(),
            enabled=self.enabled,
        )


@strawberry.type(description="The rule is changed.")
class UpdateAlertRuleSuccess:
    alert_rule: AlertRule = strawberry.field(description="The rule as it is now.")


@strawberry.input(description="Which rule to take away.")
class DeleteAlertRuleInput:
    alert_rule_id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.type(description="The rule is gone. Its alerts stay; the one that fired is resolved.")
class DeleteAlertRuleSuccess:
    alert_rule_id: strawberry.ID = strawberry.field(description="The id that the rule had.")


@strawberry.input(description="Whose channels to try.")
class TestAlertChannelsInput:
    alert_rule_id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.type(description="A test message is on its way by each channel.")
class TestAlertChannelsSuccess:
    jobs: list[Job] = strawberry.field(
        description="The job of each message: `jobUpdated` follows it, and its `error` says what went wrong."
    )


@strawberry.input(description="A rule to try over the past.")
class PreviewAlertRuleInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace.")
    rule: AlertConditionInput = strawberry.field(description="What the rule goes by.")
    from_: datetime | None = strawberry.field(
        name="from",
        default=None,
        description="From when on: at most 92 days before `to`, 30 where it is missing.",
    )
    to: datetime | None = strawberry.field(
        default=None, description="Up to when: now where it is missing."
    )

    def command(self) -> alert.PreviewRule:
        return alert.PreviewRule(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            definition=self.rule.definition(),
            start=self.from_,
            end=self.to,
        )


@strawberry.type(description="When a rule would have fired.")
class AlertFiring:
    fired_at: datetime = strawberry.field(description="When.")
    resolved_at: datetime | None = strawberry.field(
        description="When it would have been over; null where that is after the end."
    )
    value: float | None = strawberry.field(description="The number that it would have fired at.")
    baseline: float | None = strawberry.field(description="What it would have been compared with.")


@strawberry.type(description="What a rule would have done.")
class PreviewAlertRuleSuccess:
    start: datetime = strawberry.field(description="From when on.")
    end: datetime = strawberry.field(description="Up to when.")
    step_minutes: int = strawberry.field(
        description="The minutes between two checks of the preview: an hour, or less where the window is not whole "
        "hours. A real rule is checked more often, and may notice what came and went in between."
    )
    checks: int = strawberry.field(
        description="How many checks were made; 0 for MATCH, which needs none."
    )
    firings: list[AlertFiring] = strawberry.field(description="Each time, the earliest first.")

    @classmethod
    def of(cls, preview: alert.Preview) -> "PreviewAlertRuleSuccess":
        return cls(
            start=preview.start,
            end=preview.end,
            step_minutes=preview.step_minutes,
            checks=preview.checks,
            firings=[
                AlertFiring(
                    fired_at=each.fired_at,
                    resolved_at=each.resolved_at,
                    value=each.value,
                    baseline=each.baseline,
                )
                for each in preview.firings
            ],
        )


CreateAlertRuleResult = Annotated[
    CreateAlertRuleSuccess | InvalidInput | Forbidden | NotFound | Conflict,
    strawberry.union("CreateAlertRuleResult"),
]
UpdateAlertRuleResult = Annotated[
    UpdateAlertRuleSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateAlertRuleResult"),
]
DeleteAlertRuleResult = Annotated[
    DeleteAlertRuleSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteAlertRuleResult"),
]
TestAlertChannelsResult = Annotated[
    TestAlertChannelsSuccess | InvalidInput | Forbidden | NotFound | Conflict | RateLimited,
    strawberry.union("TestAlertChannelsResult"),
]
PreviewAlertRuleResult = Annotated[
    PreviewAlertRuleSuccess | InvalidInput | Forbidden | NotFound | RateLimited,
    strawberry.union("PreviewAlertRuleResult"),
]


@strawberry.type
class AlertMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Make an alert rule; a workspace has at most 100. Needs the role ADMIN.",
    )
    async def create_alert_rule(
        self, info: Info, input: CreateAlertRuleInput
    ) -> CreateAlertRuleResult:
        services = info.context.services
        async with info.context.transaction() as uow:
            created = await alert.create(
                uow,
                info.context.viewer,
                input.command(),
                services.seals,
                services.webhook_rules.problem_with_url,
            )
        return CreateAlertRuleSuccess(alert_rule=created)  # type: ignore[arg-type]  # rows are rules

    @strawberry.mutation(
        extensions=[signed_in],
        description="Change an alert rule, or switch it on or off. With another condition, or off, its firing alert is "
        "resolved without a message. Needs the role ADMIN.",
    )
    async def update_alert_rule(
        self, info: Info, input: UpdateAlertRuleInput
    ) -> UpdateAlertRuleResult:
        services = info.context.services
        async with info.context.transaction() as uow:
            changed = await alert.update(
                uow,
                info.context.viewer,
                input.command(),
                services.seals,
                services.webhook_rules.problem_with_url,
            )
        return UpdateAlertRuleSuccess(alert_rule=changed)  # type: ignore[arg-type]  # rows are rules

    @strawberry.mutation(
        extensions=[signed_in], description="Take an alert rule away. Needs the role ADMIN."
    )
    async def delete_alert_rule(
        self, info: Info, input: DeleteAlertRuleInput
    ) -> DeleteAlertRuleResult:
        async with info.context.transaction() as uow:
            gone = await alert.remove(
                uow,
                info.context.viewer,
                read_id(Kind.ALERT_RULE, input.alert_rule_id, "alertRuleId"),
            )
        return DeleteAlertRuleSuccess(alert_rule_id=strawberry.ID(ids.write(Kind.ALERT_RULE, gone)))

    @strawberry.mutation(
        extensions=[signed_in],
        description="Send a test message by each channel of a rule, quiet hours or not. Needs the role ADMIN.",
    )
    async def test_alert_channels(
        self, info: Info, input: TestAlertChannelsInput
    ) -> TestAlertChannelsResult:
        await info.context.spend(TESTS, info.context.viewer.id.hex)
        async with info.context.transaction() as uow:
            jobs = await alert.test_channels(
                uow,
                info.context.viewer,
                read_id(Kind.ALERT_RULE, input.alert_rule_id, "alertRuleId"),
            )
        return TestAlertChannelsSuccess(jobs=jobs)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[signed_in],
        directives=[Cost(weight="100")],
        description="Say what a rule would have done over the past, without saving it. Changes nothing. For MATCH it "
        "goes by when things were said and by the tags of today. Needs the role ADMIN.",
    )
    async def preview_alert_rule(
        self, info: Info, input: PreviewAlertRuleInput
    ) -> PreviewAlertRuleResult:
        await info.context.spend(PREVIEWS, info.context.viewer.id.hex)
        async with info.context.transaction() as uow:
            preview = await alert.preview(uow, info.context.viewer, input.command())
        return PreviewAlertRuleSuccess.of(preview)
