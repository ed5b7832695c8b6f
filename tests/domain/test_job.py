"""Kinds of jobs: how patient they are, and what the documentation says of that."""

import re
from datetime import timedelta
from pathlib import Path

from domain.job import Kind
from domain.mail import SEND_MAIL

DOCS = Path(__file__).parents[2] / "docs" / "jobs.md"


def test_a_pause_is_by_chance_between_half_and_all_of_what_it_has_grown_to() -> None:
    kind = Kind("dig", first_pause=timedelta(seconds=8), longest_pause=timedelta(seconds=20))
    found = [[kind.pause(n, chance).total_seconds() for chance in (0, 1)] for n in range(3)]
    assert found == [[4, 8], [8, 16], [10, 20]]


def test_the_documentation_says_how_long_mail_is_tried() -> None:
    said = re.search(r"mail is tried (\d+) times within about (\d+) hours", DOCS.read_text())
    assert said is not None
    pauses = [SEND_MAIL.pause(failures, 0.5) for failures in range(SEND_MAIL.most_failures - 1)]
    hours = sum(pauses, timedelta()) / timedelta(hours=1)
    assert said.groups() == (str(SEND_MAIL.most_failures), f"{hours:.0f}")
