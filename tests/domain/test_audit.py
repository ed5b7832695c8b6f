"""What the logs tell, and the page that says so."""

import re
from pathlib import Path

import pytest

from domain import audit, security
from persistence.account import User
from persistence.alert.row import AlertRule
from persistence.api_key import ApiKey
from persistence.export_schedule import ExportSchedule
from persistence.file import File
from persistence.invitation import Invitation
from persistence.job import Job
from persistence.note import FeedbackNote
from persistence.saved_view import SavedView
from persistence.source import Source
from persistence.tag import Tag
from persistence.webhook.row import Webhook
from persistence.workspace import Member, Workspace

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"

MODELS = (User, AlertRule, ApiKey, File, Job, Source, Tag, Webhook, Member, Workspace)


def test_the_page_has_every_action() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    written = [name for row in rows for name in re.findall(r"`(\w+\.\w+)`", row.split("|")[1])]

    assert sorted(written) == sorted([*map(str, audit.Action), *map(str, security.Action)])


@pytest.mark.parametrize("action", audit.Action)
def test_an_action_begins_with_the_kind_of_what_it_is_done_to(action: audit.Action) -> None:
    assert action.kind in audit._TOLD


def test_nothing_is_told_that_is_sealed_or_hashed_or_written_by_customers() -> None:
    told = {name for columns in audit._TOLD.values() for name in columns}
    models = (*MODELS, ExportSchedule, FeedbackNote, Invitation, SavedView)
    known = {name for model in models for name in model.model_fields}

    assert told <= known
    assert [name for name in told if re.search("seal|hash|secret|token|body|author", name)] == []
