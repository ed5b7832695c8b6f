"""What the API counts: requests, live deliveries, inbound webhooks."""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from app.hooks import Hooks
from app.metrics.registry import Collect, counter, gauge
from graph.caching import Cache
from graph.documents import Documents
from graph.engine import Engine
from graph.live.hub import Hub
from graph.requests import BOUNDS, Requests
from graph.seats import Seats
from persistence.replica import Replica


def of_documents(documents: Documents) -> Collect:
    """Documents, which are compiled once."""

    def collect() -> Iterable[Metric]:
        yield gauge("earful_graphql_documents", "Compiled documents that are kept.", documents.kept)
        yield counter(
            "earful_graphql_documents_compiled",
            "How often a document was read, checked and compiled.",
            documents.compiled,
        )
        yield counter(
            "earful_graphql_document_hits",
            "How often a document was asked for that had been compiled before.",
            documents.hits,
        )

    return collect


def of_replica(replica: Replica) -> Collect:
    """How far the replica is behind, and what was read from it."""

    def collect() -> Iterable[Metric]:
        lag = replica.lag
        yield gauge(
            "earful_replica_up",
            "Whether the replica answers and it is known how far it is behind.",
            lag is not None,
        )
        if lag is not None:
            yield gauge(
                "earful_replica_lag_seconds", "By how much the replica is behind at most.", lag
            )
        queries = CounterMetricFamily(
            "earful_replica_queries", "Queries by where they were read from.", labels=["source"]
        )
        queries.add_metric(["replica"], replica.reads)
        queries.add_metric(["primary"], replica.bypassed)
        yield queries

    return collect


def of_cache(cache: Cache) -> Collect:
    """How often the response cache had the answer."""

    def collect() -> Iterable[Metric]:
        asked = CounterMetricFamily(
            "earful_response_cache", "Queries that may be answered from it.", labels=["outcome"]
        )
        asked.add_metric(["hit"], cache.hits)
        asked.add_metric(["miss"], cache.misses)
        yield asked

    return collect


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
        named = HistogramMetricFamily(
            "earful_graphql_operation_seconds",
            "Operations of trusted documents by name and outcome, and how long they took.",
            labels=["operation", "outcome"],
        )
        for (name, outcome), times in requests.operations.items():
            buckets = list(zip(bounds, accumulate(times.numbers), strict=True))
            named.add_metric([name, outcome.value], buckets, times.seconds)
        yield named
        points = CounterMetricFamily(
            "earful_graphql_points", "What queries and mutations cost.", labels=["kind"]
        )
        for kind, number in requests.points.items():
            points.add_metric([kind.value], number)
        yield points
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
        yield counter(
            "earful_live_dropped",
            "WebSockets and event streams that were ended because their clients did not read.",
            counters.dropped,
        )
        behind, lag = hub.lag()
        yield gauge("earful_live_behind", "Subscribers that are behind their streams.", behind)
        yield gauge("earful_live_lag_events", "By how many events the last of them is behind.", lag)
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
