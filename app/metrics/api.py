"""What the API counts: requests, live deliveries, inbound webhooks."""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from app.hooks import Hooks
from app.metrics.registry import Collect, counter, gauge
from graph.engine import Engine
from graph.live.hub import Hub
from graph.requests import BOUNDS, Requests
from graph.seats import Seats


def of_graphql(engine: Engine, requests: Requests) -> Collect:
    """Requests by what became of them, and what of them graphql-core had to execute."""

    def collect() -> Iterable[Metric]:
        taken = HistogramMetricFamily(
            "earful_graphql_request_seconds",
            "Queries and mutations by kind and outcome, and how long they took.",
            labels=["kind", "outcome"],
        )
        bounds = [*map(str, BOUNDS), "+Inf"]
        for (kind, outcome), times in requests.times.items():
            buckets = list(zip(bounds, accumulate(times.numbers), strict=True))
            taken.add_metric([kind.value, outcome.value], buckets, times.seconds)
        yield taken
        yield counter(
            "earful_graphql_invalid_documents",
            "Requests whose document was not valid, or not known.",
            requests.invalid,
        )
        yield counter(
            "earful_graphql_operations",
            "Operations and subscription events executed.",
            engine.executed,
        )
        yield counter(
            "earful_graphql_fallbacks",
            "Those of them that were executed by graphql-core instead of a compiled plan.",
            engine.fell_back,
        )

    return collect


def of_live(hub: Hub, seats: Seats) -> Collect:
    """What the live hub delivers, and to how many."""
    counters = hub.counters

    def collect() -> Iterable[Metric]:
        yield counter(
            "earful_live_executed",
            "Answers to events and states, each executed once for a group of subscribers.",
            counters.executed,
        )
        yield counter(
            "earful_live_delivered",
            "Answers delivered to subscribers, each counted for each of them.",
            counters.delivered,
        )
        yield counter(
            "earful_live_gaps",
            "How often subscribers had to be told that events were no longer kept.",
            counters.gaps,
        )
        yield gauge(
            "earful_live_groups", "Groups of subscribers that share their executions.", hub.groups
        )
        yield gauge("earful_live_subscribers", "Subscribers in these groups.", hub.members)
        yield gauge(
            "earful_live_connections", "WebSockets and event streams that are open.", seats.taken
        )

    return collect


def of_hooks(hooks: Hooks) -> Collect:
    """Deliveries to inbound webhooks by the status that they were answered."""

    def collect() -> Iterable[Metric]:
        family = CounterMetricFamily(
            "earful_hook_deliveries",
            "Deliveries to inbound webhooks by the status that they were answered.",
            labels=["status"],
        )
        for status, number in hooks.answered.items():
            family.add_metric([str(status)], number)
        yield family

    return collect
