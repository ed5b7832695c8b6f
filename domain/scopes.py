"""What an API key may be used for: the one table, read by the rules of roles, by the edge and by the documentation."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

_KEY = "KEY "


class Scope(StrEnum):
    """Each is good for fields of the schema that name it, and for the actions below."""

    FEEDBACK_READ = "feedback:read"
    FEEDBACK_WRITE = "feedback:write"
    FEEDBACK_TAG = "feedback:tag"
    STATS_READ = "stats:read"
    SENTIMENT_ANALYZE = "sentiment:analyze"
    SOURCES_MANAGE = "sources:manage"
    JOBS_READ = "jobs:read"
    JOBS_MANAGE = "jobs:manage"
    IMPORTS_CREATE = "imports:create"
    EXPORTS_CREATE = "exports:create"


ALL = frozenset(map(str, Scope))

ACTIONS: Mapping[Scope, tuple[str, ...]] = {
    Scope.FEEDBACK_READ: ("READ",),
    Scope.FEEDBACK_WRITE: ("SUBMIT_FEEDBACK", "TRIAGE_FEEDBACK"),
    Scope.FEEDBACK_TAG: ("TAG_FEEDBACK",),
    Scope.STATS_READ: ("READ",),
    Scope.SENTIMENT_ANALYZE: (),
    Scope.SOURCES_MANAGE: ("MANAGE_SOURCES",),
    Scope.JOBS_READ: ("READ",),
    Scope.JOBS_MANAGE: ("READ", "MANAGE_JOBS"),
    Scope.IMPORTS_CREATE: ("UPLOAD_FILES", "IMPORT_FEEDBACK"),
    Scope.EXPORTS_CREATE: ("READ", "EXPORT_FEEDBACK"),
}
"""The names of the actions of domain/roles.py that a scope allows in the key's workspace."""


def role(scopes: Iterable[str]) -> str:
    """What a key with these scopes is in its workspace, as a member's role is written."""
    return _KEY + " ".join(sorted(scopes))


def of_role(text: str) -> frozenset[str] | None:
    """The scopes in a role that `role` wrote; None for a person's."""
    return frozenset(text[len(_KEY) :].split()) if text.startswith(_KEY) else None
