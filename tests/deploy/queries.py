"""The PromQL of the alert rules and dashboards in deploy/."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


def rules() -> list[dict[str, Any]]:
    """Alerts and recordings."""
    groups = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboards() -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_text())
        for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    }


def panels() -> Iterator[tuple[str, str]]:
    """Where a query of a panel is, and the query as Grafana would send it."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                query = target["expr"].replace("$__rate_interval", "1m")
                yield f"{name}: {panel['title']}", query


def names(query: str) -> set[str]:
    """The series that a query names."""
    found: set[str] = set()
    waiting = [promql_parser.parse(query)]
    while waiting:
        expression = waiting.pop()
        for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
            child = getattr(expression, part, None)
            if isinstance(child, promql_parser.Expr):
                waiting.append(child)
        waiting += getattr(expression, "args", None) or []
        if isinstance(expression, promql_parser.VectorSelector):
            found.add(str(expression.name))
        assert not isinstance(expression, promql_parser.SubqueryExpr)
    return found


def named() -> dict[str, set[str]]:
    """Where series are named, and which; what our own rules record is not among them."""
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    found = {rule.get("alert") or rule["record"]: names(rule["expr"]) for rule in rules()}
    for where, query in panels():
        found[where] = found.get(where, set()) | names(query)
    return {where: series - recorded for where, series in found.items()}
