"""The report's drawings: sentiment over time, and the strip that shows how a part of it is divided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import Color, HexColor

from domain.export.figures import Bar, Course, Part
from domain.export.lettering import FONT, width
from domain.stats import Interval

# Told apart by those too who cannot tell red from green.
NEGATIVE = HexColor("#d9662b")
NEUTRAL = HexColor("#b9c1cb")
POSITIVE = HexColor("#2a78b5")
UNSCORED = HexColor("#e6e9ed")
INK = HexColor("#1d2733")
PALE = HexColor("#667281")
LINE = HexColor("#dde2e8")
_SMALL = 7
_HEIGHT = 150
_BROADEST = 30
_EACH = {
    Interval.HOUR: "an hour",
    Interval.DAY: "a day",
    Interval.WEEK: "a week",
    Interval.MONTH: "a month",
}
_FORMATS = {
    Interval.HOUR: "%d %b %H:%M",
    Interval.DAY: "%d %b",
    Interval.WEEK: "%d %b %Y",
    Interval.MONTH: "%b %Y",
}


def course(of: Course, broad: float) -> Drawing:
    """Bars of what was negative, neutral, positive and not scored, one on the other."""
    drawing = Drawing(broad, _HEIGHT)
    chart: Any = VerticalBarChart()
    chart.x, chart.y = 34, 18
    chart.width, chart.height = broad - chart.x, _HEIGHT - 26
    chart.data = [
        tuple(bar.negative for bar in of.bars),
        tuple(bar.neutral for bar in of.bars),
        tuple(bar.positive for bar in of.bars),
        tuple(bar.unscored for bar in of.bars),
    ]
    for number, color in enumerate((NEGATIVE, NEUTRAL, POSITIVE, UNSCORED)):
        chart.bars[number].fillColor = color
        chart.bars[number].strokeColor = None
    # As broad as they may be: a few are not to fill the page.
    broadest = chart.width / len(of.bars) / _BROADEST
    chart.barWidth, chart.groupSpacing = 10, max(2.5, 10 * (broadest - 1))
    days = chart.categoryAxis
    days.style = "stacked"
    days.categoryNames = _labels(of, chart.width)
    days.visibleTicks = False
    days.strokeColor = LINE
    numbers = chart.valueAxis
    numbers.valueMin = 0
    numbers.valueMax, numbers.valueStep = _scale(max(map(_height, of.bars)))
    numbers.labelTextFormat = "{:,.0f}".format
    numbers.visibleAxis = numbers.visibleTicks = False
    numbers.visibleGrid, numbers.gridStrokeColor, numbers.gridStrokeWidth = True, LINE, 0.4
    for axis in (days, numbers):
        axis.labels.fontName, axis.labels.fontSize, axis.labels.fillColor = FONT, _SMALL, PALE
    drawing.add(chart)
    return drawing


def strip(part: Part, broad: float, high: float) -> Drawing:
    """How the scored ones of a part are divided."""
    drawing = Drawing(broad, high)
    scored = part.negative + part.neutral + part.positive
    drawing.add(_bar(0, broad, high, UNSCORED))
    left = 0.0
    for number, color in (
        (part.negative, NEGATIVE),
        (part.neutral, NEUTRAL),
        (part.positive, POSITIVE),
    ):
        if number:
            drawing.add(_bar(left, broad * number / scored, high, color))
            left += broad * number / scored
    return drawing


def key(color: Color) -> Drawing:
    """A spot of a color, for what tells what it means."""
    drawing = Drawing(7, 7)
    drawing.add(_bar(0, 7, 7, color))
    return drawing


def _bar(left: float, broad: float, high: float, color: Color) -> Rect:
    bar = Rect(left, 0, broad, high)
    bar.fillColor, bar.strokeColor = color, None
    return bar


def _height(bar: Bar) -> int:
    return bar.negative + bar.neutral + bar.positive + bar.unscored


def _scale(highest: int) -> tuple[int, int]:
    """Where the axis ends, and its step: a round number, so that there are two to five."""
    step = 1
    for each in (1, 2, 5):
        candidate = each
        while candidate * 5 < highest:
            candidate *= 10
        step = candidate if each == 1 else min(step, candidate)
    return max(step, -(-highest // step) * step), step


def _labels(of: Course, broad: float) -> list[str]:
    """The starts of as many bars as there is room to say them below."""
    room = broad / (width(_said(of, of.bars[0].start), _SMALL) + 12)
    every = max(1, -(-len(of.bars) // max(1, int(room))))
    return [
        _said(of, bar.start) if number % every == 0 else "" for number, bar in enumerate(of.bars)
    ]


def _said(of: Course, moment: datetime) -> str:
    return moment.strftime(_FORMATS[of.interval]).lstrip("0")


def caption(of: Course) -> str:
    """What a bar is."""
    if of.number == 1:
        return f"One bar {_EACH[of.interval]}"
    return f"One bar for {of.number} {of.interval.lower()}s"


def meanings() -> Sequence[tuple[str, Color]]:
    """What the colors mean."""
    return (
        ("negative", NEGATIVE),
        ("neutral", NEUTRAL),
        ("positive", POSITIVE),
        ("not scored", UNSCORED),
    )
