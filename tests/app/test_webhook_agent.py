"""Whom webhooks say that they come from."""

import tomllib
from pathlib import Path

from app import VERSION

ROOT = Path(__file__).parents[2]


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION
