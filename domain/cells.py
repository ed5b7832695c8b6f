"""Text in the cells of a table, so that no spreadsheet takes it for a formula, and text again."""

import re
from collections.abc import Iterable

# What a spreadsheet may begin to compute with, the full-width forms too, behind the apostrophes that we add ourselves.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SEPARATOR = ";"
_TAG = re.compile(r"(?:[^;\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def harmless(text: str) -> str:
    """With an apostrophe before it if it looks like a formula, or would look like one so changed."""
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """The text that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def joined(words: Iterable[str]) -> str:
    """Words in one cell: with semicolons between them, and a backslash before those and backslashes within."""
    return _SEPARATOR.join(
        word.replace("\\", "\\\\").replace(_SEPARATOR, f"\\{_SEPARATOR}") for word in words
    )


def split(cell: str) -> list[str]:
    """The words that `joined` was given; none of them may be empty."""
    return [_ESCAPED.sub(r"\1", word) for word in _TAG.findall(cell)]
