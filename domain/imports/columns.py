"""Which column of a file is which of our fields: as it was said, and otherwise guessed by the columns' names."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.checks import Checks

FIELDS = (
    "body", "rating", "occurredAt", "externalId", "authorName", "authorEmail", "tags",
    "authorExternalId", "language", "metadata", "source",
)  # fmt: skip

_SPELLINGS: Mapping[str, Sequence[str]] = {
    "body": (
        "body", "text", "comment", "comments", "review", "feedback", "message", "content",
        "reviewtext", "reviewbody", "feedbacktext", "description", "answer", "response", "verbatim",
        "kommentar", "nachricht", "commentaire", "avis", "comentario",
    ),
    "rating": (
        "rating", "stars", "score", "star", "starrating", "nps", "npsscore", "csat", "grade",
        "overall", "bewertung", "note", "puntuacion",
    ),
    "occurredAt": (
        "occurredat", "createdat", "date", "datetime", "timestamp", "created", "time",
        "submittedat", "reviewdate", "reviewtime", "sentat", "postedat", "datum",
    ),
    "externalId": (
        "externalid", "id", "reviewid", "feedbackid", "messageid", "ticketid", "responseid", "uuid",
        "key", "number",
    ),
    "authorName": (
        "authorname", "name", "author", "customer", "customername", "user", "username", "reviewer",
        "reviewername", "fullname", "from",
    ),
    "authorEmail": (
        "authoremail", "email", "emailaddress", "mail", "customeremail", "useremail",
        "revieweremail",
    ),
    "tags": ("tags", "tag", "labels", "label", "categories", "category", "topics", "topic"),
    "authorExternalId": ("authorexternalid", "authorid", "customerid", "userid", "reviewerid"),
}  # fmt: skip
# What means the same in no two files, so that it is only taken from what we have written ourselves.
_ONLY_OURS = ("language", "metadata", "source")
# What only our own exports have together.
_OF_OURS = frozenset(
    {"id", "sourceId", "externalId", "authorExternalId", "sentimentModel", "receivedAt"}
)
_SPELLED = re.compile(r"[\W_]+")


def is_ours(columns: Sequence[str]) -> bool:
    """Whether the file is an export of ours, which has each text as it is or made harmless, and sources' names."""
    return _OF_OURS.issubset(columns)


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Our fields by the columns whose names are usual for them; each column once, the first that fits.

    A column of objects, whose parts have names with a dot, can only be the metadata.
    """
    by_spelling: dict[str, str] = {}
    objects = {column.partition(".")[0] for column in columns if "." in column}
    for column in columns:
        if column not in objects:
            by_spelling.setdefault(_SPELLED.sub("", column.casefold()), column)
    found = {
        field: by_spelling[found]
        for field, spellings in _SPELLINGS.items()
        if (found := next((each for each in spellings if each in by_spelling), None)) is not None
    }
    known = _ONLY_OURS if is_ours(columns) else [name for name in ("metadata",) if name in objects]
    return found | {name: name for name in known if name in columns}


def check(given: Any) -> dict[str, str | None]:
    """What a client says of columns, by our fields; InvalidInputError unless it is an object of those and names."""
    checks = Checks()
    if given is not None and not isinstance(given, Mapping):
        checks.refuse(["columns"], "must be a JSON object of our fields and the file's columns")
        checks.done()
    said = dict(given or {})
    for field, column in said.items():
        if field not in FIELDS:
            checks.refuse(["columns", str(field)], f"must be one of {', '.join(FIELDS)}")
        elif column is not None and not (isinstance(column, str) and column.strip()):
            checks.refuse(["columns", field], "must be the name of a column, or null")
    checks.done()
    return {field: column and column.strip() for field, column in said.items()}


def resolve(said: Mapping[str, str | None], columns: Sequence[str]) -> dict[str, str]:
    """The column of each field: what was said goes before what is guessed, and null before both.

    InvalidInputError where the file lacks a column, has two of that name, or has none for the body.
    """
    checks = Checks()
    left = [column for column in columns if column not in said.values()]
    found: dict[str, str | None] = {**guess(left), **said}
    mapping = {field: found[field] for field in FIELDS if found.get(field)}
    chosen = {field: column for field, column in mapping.items() if column is not None}
    for field, column in chosen.items():
        if column not in columns:
            shown = ", ".join(columns)[:500]
            checks.refuse(["columns", field], f"must be one of the file's columns: {shown}")
        elif columns.count(column) > 1:
            checks.refuse(["columns", field], "must be a column whose name no other one has")
    if "body" not in chosen:
        checks.refuse(["columns", "body"], "must name the column with what customers wrote")
    checks.done("The file's columns do not fit.")
    return chosen
