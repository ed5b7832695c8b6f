"""What tests of statistics ask over GraphQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.callers import JSON
from tests.factories import Tenant

HOUR = timedelta(hours=1)
COUNTS = "total negative neutral positive unscored averageScore averageRating"
STATS = f"""
    query(
      $slug: String!, $from: DateTime!, $to: DateTime!, $interval: Interval! = DAY,
      $zone: String! = "UTC", $filter: FeedbackFilter
    ) {{
      workspace(slug: $slug) {{
        stats(from: $from, to: $to, interval: $interval, timeZone: $zone, filter: $filter) {{
          totals {{ {COUNTS} }} buckets {{ start counts {{ {COUNTS} }} }}
        }}
      }}
    }}
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def stats(
    tenant: Tenant,
    http: httpx.AsyncClient,
    start: str,
    end: str,
    interval: str = "DAY",
    zone: str = "UTC",
    **filter: Any,
) -> JSON:
    variables = {"from": start, "to": end, "interval": interval, "zone": zone, "filter": filter}
    answer = await tenant.owner.on(http).ask(STATS, slug=tenant.slug, **variables)
    return answer["workspace"]["stats"]


def starts(answer: JSON) -> list[str]:
    return [bucket["start"] for bucket in answer["buckets"]]


def totals(answer: JSON) -> list[int]:
    return [bucket["counts"]["total"] for bucket in answer["buckets"]]
