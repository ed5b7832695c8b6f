"""The documentation's links lead somewhere, and its runbook knows each alert."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^()\s]+)\)", text)
    return [link for link in found if not re.match(r"[a-z]+:|/", link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [link for link in _links(page) if not _leads_somewhere(page, link)] == []


def test_every_page_is_in_the_index() -> None:
    index = set(_links(ROOT / "docs" / "README.md"))

    assert {page.name for page in (ROOT / "docs").glob("*.md")} - index == {"README.md"}


def test_the_runbook_knows_each_alert() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
    alerts = set(re.findall(r"- alert: (\w+)", rules))

    rows = re.findall(r"^\| (\w+) \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)

    assert "EarfulNoApi" in alerts
    assert alerts - set(rows) == set()
