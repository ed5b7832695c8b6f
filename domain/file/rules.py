"""What files may be: the table of purposes, types and sizes, and for how long each thing holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

MIB = 2**20
LARGEST_ATTACHMENT = 25 * MIB
LARGEST_AVATAR = 5 * MIB
MOST_ATTACHED = 20


class Purpose(StrEnum):
    """What a file is for. Exports are made by jobs."""

    IMPORT = "IMPORT"
    ATTACHMENT = "ATTACHMENT"
    AVATAR = "AVATAR"
    EXPORT = "EXPORT"


_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
_TABLES = frozenset(
    {
        "application/json",
        "application/jsonl",
        "application/ndjson",
        "application/vnd.ms-excel",  # what Windows calls a CSV file
        "application/x-ndjson",
        "text/csv",
        "text/plain",
        "text/tab-separated-values",
    }
)
# Nothing that a browser would run.
_OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES: Mapping[Purpose, frozenset[str]] = {
    Purpose.IMPORT: _TABLES | {f"{_OFFICE}spreadsheetml.sheet"},
    Purpose.ATTACHMENT: _PICTURES
    | _TABLES
    | {
        "application/pdf",
        "application/zip",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "image/gif",
        "message/rfc822",
        "video/mp4",
        "video/webm",
        f"{_OFFICE}presentationml.presentation",
        f"{_OFFICE}spreadsheetml.sheet",
        f"{_OFFICE}wordprocessingml.document",
    },
    Purpose.AVATAR: _PICTURES,
}
# What is answered as it was called; all else as bytes that say nothing about themselves.
HARMLESS = _PICTURES | {"application/pdf", "image/gif", "text/csv", "text/plain"}
UNUSED_TIME = {
    Purpose.IMPORT: timedelta(days=7),
    Purpose.ATTACHMENT: timedelta(days=1),
    Purpose.AVATAR: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What this server allows, in bytes: of one import, and of all files of a workspace together."""

    largest_import: int
    quota: int

    def largest(self, purpose: Purpose) -> int:
        sizes = {Purpose.ATTACHMENT: LARGEST_ATTACHMENT, Purpose.AVATAR: LARGEST_AVATAR}
        return sizes.get(purpose, self.largest_import)
