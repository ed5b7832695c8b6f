"""Which endpoint wants which event."""

from typing import Any
from uuid import UUID

import pytest

from domain.events import AlertEvent, Facets, FeedbackEvent
from domain.webhook.event import EventType, wants
from persistence.webhook import WebhookRow
from tests.factories import NOON

SHOP, APP, RED, BLUE = (UUID(int=number) for number in range(1, 5))


class _Row(WebhookRow, dict[str, Any]):  # type: ignore[misc]  # as rows that came within another are
    pass


def endpoint(**columns: Any) -> WebhookRow:
    nothing = dict.fromkeys(("source_ids", "tag_ids", "sentiments"))
    return _Row({"event_types": ["feedback.added", "feedback.scored"]} | nothing | columns)


def told(kind: str, label: str | None, *tags: UUID) -> tuple[str, str]:
    """A kind and payload as the outbox has them."""
    event = FeedbackEvent(kind, UUID(int=9), Facets(SHOP, 3, label, NOON, tags))
    return event.kind, event.to_json()


@pytest.mark.parametrize(
    ("columns", "kind", "label", "tags", "expected"),
    [
        ({}, "ADDED", None, (), True),
        ({}, "UPDATED", None, (), False),
        ({"source_ids": [APP, SHOP]}, "ADDED", None, (), True),
        ({"source_ids": [APP]}, "ADDED", None, (), False),
        ({"source_ids": []}, "ADDED", None, (), False),
        ({"tag_ids": [RED]}, "ADDED", None, (BLUE, RED), True),
        ({"tag_ids": [RED]}, "ADDED", None, (BLUE,), False),
        ({"tag_ids": [RED]}, "ADDED", None, (), False),
        ({"sentiments": ["NEGATIVE"]}, "SCORED", "NEGATIVE", (), True),
        ({"sentiments": ["NEGATIVE"]}, "SCORED", "POSITIVE", (), False),
        ({"sentiments": ["NEGATIVE"]}, "ADDED", None, (), False),
        ({"source_ids": [SHOP], "sentiments": ["NEUTRAL"]}, "SCORED", "NEGATIVE", (), False),
    ],
)
def test_an_endpoint_wants_what_passes_all_of_its_filter(
    columns: dict[str, Any], kind: str, label: str | None, tags: tuple[UUID, ...], expected: bool
) -> None:
    assert wants(endpoint(**columns), *told(kind, label, *tags)) is expected


def test_events_of_other_sorts_pass_filters_of_feedback() -> None:
    row = endpoint(event_types=["alert.fired"], source_ids=[APP])

    assert wants(row, "alert.fired", "{}")


@pytest.mark.parametrize("type_", [each for each in EventType if each.startswith("feedback.")])
def test_what_can_be_asked_for_of_feedback_is_named_as_in_the_outbox(type_: EventType) -> None:
    kind, payload = told(type_.name.removeprefix("FEEDBACK_"), None)

    assert kind == type_
    assert wants(endpoint(event_types=[type_]), kind, payload)


@pytest.mark.parametrize("type_", ["FIRED", "RESOLVED"])
def test_what_can_be_asked_for_of_alerts_is_named_as_in_the_outbox(type_: str) -> None:
    event = AlertEvent(type_, UUID(int=9), None, "FIRING")

    assert event.kind == EventType[f"ALERT_{type_}"]
    assert wants(endpoint(event_types=[event.kind], source_ids=[APP]), event.kind, event.to_json())
