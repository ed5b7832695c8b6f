"""Cursors into a topic: its epoch and an offset, opaque to clients."""

import base64
import binascii
from dataclasses import dataclass


class BadCursorError(ValueError):
    """The text is no cursor that a topic gave."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to and including `offset` in this epoch has been seen."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.epoch}:{self.offset}".encode()).decode().rstrip("=")

    @staticmethod
    def parse(text: str) -> "Cursor":
        """Read what `str` wrote; BadCursorError for anything else."""
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
            epoch, _, offset = raw.partition(":")
            cursor = Cursor(epoch, int(offset))
        except (binascii.Error, ValueError):
            raise BadCursorError(text[:64]) from None
        if cursor.offset < 0 or str(cursor) != text:
            raise BadCursorError(text[:64])
        return cursor
