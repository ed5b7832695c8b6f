"""Alert rules and dashboards: whole, and about series that there are. whole_topology.py asks a real Prometheus."""

import re
from pathlib import Path

from tests.deploy.queries import dashboards, named, names, rules

DOCS = Path(__file__).parents[2] / "docs"
# tests/app/test_metrics.py holds the table to what the processes tell.
TABLE = re.compile(r"^\| `(earful_\w+)` \| (\w+)", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
# Of Prometheus' client, of node-exporter, and of Prometheus itself.
OTHERS = {
    *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"),
    *("process_max_fds", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"),
    *("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "up", "ALERTS"),
}


def test_names_are_found_wherever_they_stand() -> None:
    query = (
        '(sum by (le) (rate(a_total{b="c"}[5m] offset 1h)) or vector(0)) / -d != on (x) topk(2, e)'
    )
    assert names(query) == {"a_total", "d", "e"}


def test_no_rule_or_panel_names_a_series_that_is_not_documented() -> None:
    known = {
        name + suffix
        for name, kind in TABLE.findall((DOCS / "metrics.md").read_text())
        for suffix in SUFFIXES.get(kind, ("",))
    }
    unknown = {where: series - known - OTHERS for where, series in named().items()}
    assert {where: series for where, series in unknown.items() if series} == {}


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in {"page", "warning"}
        assert rule["annotations"].keys() == {"summary", "cure"}


def test_every_alert_is_in_the_runbook() -> None:
    told = re.findall(r"^\| (\w+) \|", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert {rule["alert"] for rule in rules() if "alert" in rule} <= set(told)


def test_dashboards_can_be_provisioned() -> None:
    for name, dashboard in dashboards().items():
        assert dashboard["uid"] == f"earful-{name}"
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
