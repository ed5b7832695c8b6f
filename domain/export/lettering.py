"""The report's letters: one font, and text that it can show."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT = "DejaVuSans"
_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
MISSING = "\u25a1"
# What joins, turns and varies the letters beside it, which takes more than drawing them.
_INVISIBLE = {"Cf", "Me", "Mn"}
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=1)
def letters() -> frozenset[str]:
    """The characters that the font has; it is known to the library from now on."""
    font = TTFont(FONT, str(_FILE))
    pdfmetrics.registerFont(font)
    return frozenset(chr(code) for code in font.face.charToGlyph if code > ord(" "))


def style(size: float, color: Color, *, leading: float = 1.4, **more: Any) -> ParagraphStyle:
    letters()
    return ParagraphStyle(
        "", fontName=FONT, fontSize=size, leading=leading * size, textColor=color, **more
    )


def width(text: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(text, FONT, size))


def plain(text: str, longest: int) -> str:
    """The text in one line and at most so long; a box stands for each run of what the font has no letters for."""
    glyphs = letters()
    shown: list[str] = []
    for character in unicodedata.normalize("NFC", text[: 4 * longest]):
        if character.isspace() or unicodedata.category(character) == "Cc":
            shown.append(" ")
        elif unicodedata.category(character) in _INVISIBLE:
            continue
        elif character in glyphs:
            shown.append(character)
        elif shown[-1:] != [MISSING]:
            shown.append(MISSING)
    line = _SPACES.sub(" ", "".join(shown)).strip()
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}\u2026"


def marked(text: str, longest: int) -> str:
    """The same for a paragraph, which takes markup."""
    return escape(plain(text, longest))
