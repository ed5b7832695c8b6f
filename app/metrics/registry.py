"""The metrics of one process, and those that every process has."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from app import VERSION
from app.span_counts import COUNTS
from persistence.database import Database

if TYPE_CHECKING:
    # The relay has no model, and is not to load one.
    from inference.batcher import Scorer
    from inference.counters import Histogram

Collect = Callable[[], Iterable[Metric]]


class Metrics:
    """The metrics of one process; each sample says in `process` whose it is."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._collects: list[Collect] = [
            ProcessCollector(registry=CollectorRegistry()).collect,
            _build,
            of_spans,
        ]

    def watch(self, *collects: Collect) -> None:
        """These are asked too from now on."""
        self._collects += collects

    def collect(self) -> Iterable[Metric]:
        for collect in self._collects:
            for family in collect():
                yield _labelled(family, self._process)

    def text(self, others: Iterable[Metric] = ()) -> bytes:
        """What Prometheus reads: this process' metrics, and with them those of others."""
        return generate_latest(_Joined((*self.collect(), *others)))


class _Joined(Collector):
    """Families of several processes: each name once, with the samples of all."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._by_name: dict[str, Metric] = {}
        for family in families:
            known = self._by_name.setdefault(family.name, family)
            if known is not family and known.type == family.type:
                known.samples += family.samples

    def collect(self) -> Iterable[Metric]:
        return self._by_name.values()


def _labelled(family: Metric, process: str) -> Metric:
    found = Metric(family.name, family.documentation, family.type)
    found.samples = [
        Sample(each.name, {"process": process} | each.labels, each.value)
        for each in family.samples
        # When a counter was made is no figure of ours.
        if not each.name.endswith("_created")
    ]
    return found


def _build() -> Iterable[Metric]:
    yield gauge("earful_build_info", "Which version runs; the value is 1.", 1, version=VERSION)


def of_database(database: Database) -> Collect:
    """How much of the pool of connections is used."""

    def collect() -> Iterable[Metric]:
        usage = database.usage
        yield gauge(
            "earful_database_connections_most",
            "Connections to Postgres that there may be: DATABASE_POOL_SIZE.",
            usage.most,
        )
        yield gauge("earful_database_connections_open", "Those that there are.", usage.open)
        yield gauge("earful_database_connections_busy", "Those in use.", usage.busy)
        yield gauge("earful_database_waiting", "Who waits for a connection.", usage.waiting)
        yield counter(
            "earful_database_waits",
            "How often somebody had to wait for a connection because all were in use.",
            usage.waits,
        )

    return collect


def of_model(scorer: "Scorer") -> Collect:
    """Runs of the sentiment model."""
    counters = scorer.counters

    def collect() -> Iterable[Metric]:
        yield histogram(
            "earful_model_run_seconds",
            "Runs of the sentiment model, each of several sentences, and how long they took.",
            counters.run_seconds,
        )
        yield histogram(
            "earful_model_batch_sentences",
            "How many sentences (or parts of long ones) were in each run.",
            counters.batch_parts,
        )
        yield histogram(
            "earful_model_request_seconds",
            "How long callers waited for the scores of their texts.",
            counters.request_seconds,
        )
        yield counter("earful_model_texts", "Texts that were read to be scored.", counters.texts)
        yield counter("earful_model_tokens", "Tokens that were run.", counters.tokens)
        yield counter(
            "earful_model_failures", "Reads and runs of the model that broke.", counters.failed
        )
        yield counter("earful_model_swaps", "How often another model was taken.", counters.swaps)
        yield counter(
            "earful_model_refused",
            "How often a request was refused because too many texts were waiting.",
            counters.refused,
        )
        yield gauge(
            "earful_model_texts_pending", "Texts that wait or are being scored.", scorer.pending
        )

    return collect


def of_spans() -> Iterable[Metric]:
    """What became of the spans of traces."""
    family = CounterMetricFamily(
        "earful_trace_spans",
        "Spans by what became of them: exported, failed (the collector did not take them), dropped (no room to wait).",
        labels=["outcome"],
    )
    for outcome in ("exported", "failed", "dropped"):
        family.add_metric([outcome], getattr(COUNTS, outcome))
    yield family


def histogram(name: str, documentation: str, values: "Histogram") -> Metric:
    return HistogramMetricFamily(
        name, documentation, buckets=list(values.buckets()), sum_value=values.total
    )


def counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(name, documentation, value=value)


def gauge(name: str, documentation: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
