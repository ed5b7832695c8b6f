"""Ids as the outside sees them: `<type>_<uuid as 32 hex digits>`."""

import re
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

_ID = re.compile(r"([a-z]+(?:_[a-z]+)*)_([0-9a-f]{32})")


class Kind(StrEnum):
    """The types that have ids."""

    USER = "user"
    SESSION = "session"
    WORKSPACE = "workspace"
    MEMBER = "member"
    SOURCE = "source"
    FEEDBACK = "feedback"
    TAG = "tag"
    JOB = "job"
    SCHEDULE = "schedule"
    API_KEY = "api_key"
    WEBHOOK = "webhook"
    WEBHOOK_DELIVERY = "webhook_delivery"
    ALERT_RULE = "alert_rule"
    ALERT = "alert"
    FILE = "file"
    EXPORT_SCHEDULE = "export_schedule"
    INVITATION = "invitation"
    IDENTITY = "identity"
    AUDIT_ENTRY = "audit_entry"
    ERASURE = "erasure"
    QUARANTINED = "quarantined"
    FEEDBACK_NOTE = "feedback_note"
    SAVED_VIEW = "saved_view"


_KINDS = {str(kind): kind for kind in Kind}


def write(kind: Kind, value: UUID) -> str:
    return f"{kind}_{value.hex}"


def writer(kind: Kind) -> Callable[[UUID], str]:
    """`write` for many ids of one kind."""
    prefix = f"{kind}_"
    return lambda value: prefix + value.bytes.hex()  # half of what `value.hex` takes


def read(kind: Kind, text: str) -> UUID | None:
    """The UUID inside, or None for what is no id of this kind."""
    found = parse(text)
    return found[1] if found is not None and found[0] is kind else None


def parse(text: str) -> tuple[Kind, UUID] | None:
    """Kind and UUID, or None for what is no id."""
    match = _ID.fullmatch(text)
    kind = None if match is None else _KINDS.get(match[1])
    return None if match is None or kind is None else (kind, UUID(int=int(match[2], 16)))
