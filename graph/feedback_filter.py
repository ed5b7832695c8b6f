"""Which feedback to take: the filter of lists, statistics, streams, exports and saved views."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain import feedback, ids
from domain.errors import FieldError, InvalidInputError
from domain.ids import Kind
from domain.triage import Status
from graph.node import read_id, read_ids
from graph.scalars import JSON
from graph.sentiment import SentimentLabel

FeedbackStatus = strawberry.enum(
    Status,
    name="FeedbackStatus",
    description="How far people have come with a feedback. What comes in is OPEN.",
)


@strawberry.input(
    description="Which feedback to take. Conditions are joined by AND; values in a list by OR."
)
class FeedbackFilter:
    search: str | None = strawberry.field(
        default=None,
        description='Words to find in the body (full-text): `late -refund`, `"on hold"`, `slow OR broken`.',
    )
    source_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="From one of these sources."
    )
    tag_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="With at least one of these tags."
    )
    sentiments: list[SentimentLabel] | None = strawberry.field(
        default=None, description="Scored as one of these."
    )
    rating_gte: int | None = strawberry.field(default=None, description="Rated at least this.")
    rating_lte: int | None = strawberry.field(default=None, description="Rated at most this.")
    occurred_after: datetime | None = strawberry.field(
        default=None, description="Said at this moment or later."
    )
    occurred_before: datetime | None = strawberry.field(
        default=None, description="Said before this moment."
    )
    statuses: list[Status] | None = strawberry.field(
        default=None, description="With one of these statuses. Not for alert rules."
    )
    assignee_ids: list[strawberry.ID | None] | None = strawberry.field(
        default=None,
        description="Assigned to one of these members, as `Workspace.members` lists them; null among them: to nobody. "
        "Not for alert rules.",
    )

    def where(self) -> feedback.Filter:
        search = (self.search or "").strip() or None
        if search is not None and ("\x00" in search or len(search) > 1_000):  # noqa: PLR2004
            message = "must have at most 1,000 characters and no NUL"
            raise InvalidInputError(
                f"`filter.search` {message}.", [FieldError(("filter", "search"), message)]
            )
        assignees = self.assignee_ids
        return feedback.Filter(
            search=search,
            source_ids=read_ids(Kind.SOURCE, self.source_ids, "filter", "sourceIds"),
            tag_ids=read_ids(Kind.TAG, self.tag_ids, "filter", "tagIds"),
            sentiments=None
            if self.sentiments is None
            else tuple(label.value for label in self.sentiments),
            rating_gte=_clamped(self.rating_gte),
            rating_lte=_clamped(self.rating_lte),
            occurred_after=self.occurred_after,
            occurred_before=self.occurred_before,
            statuses=None
            if self.statuses is None
            else tuple(status.value for status in self.statuses),
            assignee_ids=None if assignees is None else _members(assignees),
            unassigned=True if assignees is not None and None in assignees else None,
        )


def _clamped(rating: int | None) -> int | None:
    """Within what the column can be compared with; all ratings are well inside."""
    return None if rating is None else max(-1, min(rating, 11))


def _members(values: Sequence[strawberry.ID | None]) -> tuple[UUID, ...]:
    return tuple(
        read_id(Kind.MEMBER, value, "filter", "assigneeIds", str(index))
        for index, value in enumerate(values)
        if value is not None
    )


def where(filter: FeedbackFilter | None) -> feedback.Filter:
    return feedback.ALL if filter is None else filter.where()


_KINDS = {"source_ids": Kind.SOURCE, "tag_ids": Kind.TAG, "assignee_ids": Kind.MEMBER}


def shown(where: feedback.Filter) -> JSON:
    """The filter in the form of a FeedbackFilter, with what it asks for alone."""
    values = where.values()
    if values.pop("unassigned", False):
        values["assignee_ids"] = (*values.get("assignee_ids", ()), None)
    return JSON({_camel(name): _shown(name, value) for name, value in values.items()})


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _shown(name: str, value: Any) -> Any:
    if name in _KINDS:
        return [each and ids.write(_KINDS[name], each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value
