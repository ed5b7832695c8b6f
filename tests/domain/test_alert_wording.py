"""What messages say of each kind of rule."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from domain.alert.rule import Comparison, Definition, Kind, Metric
from domain.alert.wording import sentence
from persistence.alert import AlertRow
from persistence.feedback import Filter

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SOURCE = Filter(source_ids=(UUID(int=1),))
COUNT = Definition(Kind.COUNT, metric=Metric.COUNT, threshold=10)
CHANGE = Definition(Kind.CHANGE, metric=Metric.SHARE, threshold=50, window_minutes=1_440)


def alert(
    value: float | None, threshold: float | None = None, baseline: float | None = None
) -> Any:
    """The numbers of an alert."""
    return SimpleNamespace(value=value, threshold=threshold, baseline=baseline)


@pytest.mark.parametrize(
    ("definition", "raised", "said"),
    [
        (COUNT, alert(12, 10), "the number of messages within 1 hour is 12 (alert at 10 or more)."),
        (
            replace(COUNT, comparison=Comparison.AT_MOST, window_minutes=90),
            alert(0, 1),
            "the number of messages within 90 minutes is 0 (alert at 1 or less).",
        ),
        (
            Definition(Kind.SHARE, metric=Metric.SHARE, share_of=("NEGATIVE", "NEUTRAL")),
            alert(66.666, 50),
            "66.7 % of what was scored within 1 hour is negative or neutral (alert at 50 % or more).",
        ),
        (
            Definition(Kind.AVERAGE, metric=Metric.SCORE, comparison=Comparison.AT_MOST),
            alert(-0.25, -0.2),
            "the average score within 1 hour is -0.25 (alert at -0.2 or less).",
        ),
        (
            CHANGE,
            alert(60, 50, 40),
            (
                "the share within 1 day rose to 60 % from 40 %, the mean of this weekday and time in"
                " the 4 weeks before (alert at 50 %)."
            ),
        ),
        (
            replace(CHANGE, metric=Metric.COUNT, comparison=Comparison.AT_MOST),
            alert(3, 50, 7.5),
            (
                "the number of messages within 1 day fell to 3 from 7.5, the mean of this weekday and"
                " time in the 4 weeks before (alert at 50 %)."
            ),
        ),
        (
            Definition(Kind.SILENCE, SOURCE),
            alert(120, 60),
            "the source has been silent for 2 hours (alert after 1 hour).",
        ),
        (
            Definition(Kind.SILENCE, SOURCE, threshold=2),
            alert(125, 120, 60),
            (
                "the source has been silent for 125 minutes (alert after 2 hours; its longest usual"
                " pause is 1 hour)."
            ),
        ),
        (
            Definition(Kind.MATCH, Filter(search="refund")),
            alert(None),
            "somebody wrote what this rule looks for.",
        ),
    ],
)
def test_a_message_says_what_was_seen_and_what_it_goes_by(
    definition: Definition, raised: Any, said: str
) -> None:
    assert sentence(cast("AlertRow", raised), definition) == said
