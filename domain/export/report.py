"""The report as people like to read it: one to three pages of PDF."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from domain.export import plot
from domain.export.figures import Figures, Part
from domain.export.lettering import FONT, marked, plain, style, width
from domain.export.plot import INK, LINE, NEGATIVE, PALE, POSITIVE
from domain.feedback import Feedback
from domain.stats import Counts

_BROAD, _HIGH = A4
_MARGIN = 18 * mm
_INSIDE = _BROAD - 2 * _MARGIN
# The library's frames have it.
_PADDING = 6
_LONGEST_NAME = 60
_LONGEST_QUOTE = 420
# The library's fonts are one process's, and written while a document is.
_ONE_AT_A_TIME = Lock()


def draw(figures: Figures, to: BinaryIO, made_at: datetime) -> None:
    """Write the document; it takes a second or so."""
    with _ONE_AT_A_TIME:
        title = plain(f"{figures.workspace}: customer feedback", 200)
        document = SimpleDocTemplate(
            to,
            pagesize=A4,
            leftMargin=_MARGIN - _PADDING,
            rightMargin=_MARGIN - _PADDING,
            topMargin=_MARGIN,
            bottomMargin=20 * mm,
            title=title,
            author="Earful",
        )
        footing = f"Made by Earful on {_moment(made_at)}"
        document.build(list(_story(figures)), canvasmaker=partial(_Numbered, footing=footing))


class _Numbered(Canvas):
    """Writes below each page which of how many it is, once they are known."""

    def __init__(self, *args: Any, footing: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._footing = footing
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the library's name
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # the library's own way

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont(FONT, 7)
            self.setFillColor(PALE)
            self.drawString(_MARGIN, 11 * mm, self._footing)
            self.drawRightString(_BROAD - _MARGIN, 11 * mm, f"Page {number} of {len(self._pages)}")
            super().showPage()
        super().save()


def _story(figures: Figures) -> Iterator[Flowable]:
    yield from _heading(figures)
    if figures.course is None:
        yield Spacer(1, 12 * mm)
        yield Paragraph("There is no feedback that passes this filter.", style(11, INK))
        return
    yield _totals(figures.totals)
    yield KeepTogether(
        [
            _section("Sentiment over time"),
            plot.course(figures.course, _INSIDE),
            _keys(plot.caption(figures.course)),
        ]
    )
    yield from _parts("By source", "Source", figures.sources, figures.totals.total)
    yield from _parts("Top tags", "Tag", figures.tags, figures.totals.total)
    yield from _quotes("Most negative", figures.most_negative, NEGATIVE)
    yield from _quotes("Most positive", figures.most_positive, POSITIVE)


def _heading(figures: Figures) -> Iterator[Flowable]:
    yield Paragraph("Customer feedback", style(9, PALE))
    yield Paragraph(marked(figures.workspace, 100), style(22, INK, leading=1.25))
    yield Spacer(1, 2 * mm)
    yield Paragraph(_period(figures), style(10, INK))
    words = "; ".join(figures.conditions)
    yield Paragraph(
        f"Filter: {marked(words, 600)}" if words else "All feedback of this time.",
        style(8, PALE),
    )
    yield Spacer(1, 5 * mm)


def _period(figures: Figures) -> str:
    if figures.start is None or figures.end is None:
        return "All time"
    first, last = _day(figures.start), _day(figures.end)
    return first if first == last else f"{first} to {last}"


def _totals(totals: Counts) -> Table:
    """The numbers that people look for first."""
    scored = totals.negative + totals.neutral + totals.positive
    shown = [
        (f"{totals.total:,}", "feedback", INK),
        (_share(totals.negative, scored), f"negative ({totals.negative:,})", NEGATIVE),
        (_share(totals.neutral, scored), f"neutral ({totals.neutral:,})", PALE),
        (_share(totals.positive, scored), f"positive ({totals.positive:,})", POSITIVE),
        (_mean(totals.average_score, "+.2f"), "mean score, -1 to 1", INK),
        (_mean(totals.average_rating, ".1f"), "mean rating, 0 to 10", INK),
    ]
    rows = [
        [Paragraph(number, style(17, color, leading=1.2)) for number, _, color in shown],
        [Paragraph(word, style(7, PALE)) for _, word, _ in shown],
    ]
    table = Table(rows, colWidths=[_INSIDE / len(shown)] * len(shown))
    table.setStyle(
        TableStyle(
            [
                ("LINEABOVE", (0, 0), (-1, 0), 0.6, LINE),
                ("LINEBELOW", (0, -1), (-1, -1), 0.6, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, 0), 6),
                ("BOTTOMPADDING", (0, -1), (-1, -1), 7),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _keys(caption: str) -> Table:
    cells: list[Any] = []
    widths: list[float] = []
    for word, color in plot.meanings():
        cells += [plot.key(color), Paragraph(word, style(7, PALE))]
        widths += [10, width(word, 7) + 14]
    cells.append(Paragraph(f"{caption}. Times are UTC.", style(7, PALE, alignment=2)))
    widths.append(_INSIDE - sum(widths))
    table = Table([cells], colWidths=widths)
    table.setStyle(_tight())
    return table


def _parts(title: str, name: str, parts: Sequence[Part], total: int) -> Iterator[Flowable]:
    """A table of sources or tags, each with its share and how it is divided."""
    if not parts:
        return
    head, left, right = style(7, PALE), style(8, INK), style(8, INK, alignment=2)
    titled = style(7, PALE, alignment=2)
    rows: list[list[Any]] = [
        [
            Paragraph(name, head),
            Paragraph("Feedback", titled),
            Paragraph("Share", titled),
            "",
            Paragraph("Negative", titled),
            Paragraph("Positive", titled),
        ]
    ]
    for part in parts:
        scored = part.negative + part.neutral + part.positive
        rows.append(
            [
                Paragraph(marked(part.name, _LONGEST_NAME), left),
                Paragraph(f"{part.total:,}", right),
                Paragraph(_share(part.total, total), right),
                plot.strip(part, 52 * mm, 6),
                Paragraph(_share(part.negative, scored), right),
                Paragraph(_share(part.positive, scored), right),
            ]
        )
    widths = [58 * mm, 17 * mm, 14 * mm, 55 * mm, 15 * mm]
    table = Table(rows, colWidths=[*widths, _INSIDE - sum(widths)], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                *_tight().getCommands(),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (3, 0), (3, -1), 3 * mm),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ]
        )
    )
    yield KeepTogether([_section(title), table])


def _quotes(title: str, rows: Sequence[Feedback], color: Any) -> Iterator[Flowable]:
    if not rows:
        return
    quotes = [_quote(row, color) for row in rows]
    yield KeepTogether([_section(title), quotes[0]])
    yield from quotes[1:]


def _quote(row: Feedback, color: Any) -> Table:
    assert row.source is not None  # noqa: S101 - the page of quotes brings it along
    said = [_day(row.occurred_at), marked(row.source.name, _LONGEST_NAME)]
    if row.author_name:
        said.insert(0, marked(row.author_name, _LONGEST_NAME))
    if row.rating is not None:
        said.append(f"rated {row.rating}")
    said.append(f"score {row.sentiment_score:+.2f}")
    lines = [
        Paragraph(marked(row.body, _LONGEST_QUOTE), style(9, INK)),
        Paragraph(" \u00b7 ".join(said), style(7, PALE)),
    ]
    table = Table([[line] for line in lines], colWidths=[_INSIDE], spaceAfter=3 * mm)
    table.setStyle(
        TableStyle(
            [
                ("LINEBEFORE", (0, 0), (0, -1), 2, color),
                ("LEFTPADDING", (0, 0), (-1, -1), 3 * mm),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
                ("NOSPLIT", (0, 0), (-1, -1)),
            ]
        )
    )
    return table


def _section(title: str) -> Paragraph:
    return Paragraph(title, style(12, INK, spaceBefore=6 * mm, spaceAfter=2 * mm))


def _tight() -> TableStyle:
    return TableStyle(
        [
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ]
    )


def _share(number: int, of: int) -> str:
    return f"{number / of:.0%}" if of else "\u2013"


def _mean(value: float | None, form: str) -> str:
    return "\u2013" if value is None else format(value, form)


def _day(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment)}, {moment.astimezone(UTC):%H:%M} UTC"
