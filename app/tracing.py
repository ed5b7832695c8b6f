"""Spans to an OpenTelemetry collector: in batches, from a thread of their own; what it does not take is dropped."""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from app import VERSION
from app.settings import Settings
from app.span_counts import COUNTS
from telemetry import trace
from telemetry.spans import Spans

log = structlog.get_logger(__name__)

_QUEUE = 4_096
_BATCH = 512
_PAUSE_MS = 1_000
_TIMEOUT_SECONDS = 5
_CLOSING_SECONDS = 2.0
_WARNING_SECONDS = 60.0


def start(
    settings: Settings,
    process: str,
    *,
    queue: int = _QUEUE,
    batch: int = _BATCH,
    timeout: float = _TIMEOUT_SECONDS,
) -> Callable[[], None]:
    """Record spans from now on; answers what ends that, within two seconds."""
    # It says of each batch that it could not be sent; we do, once a minute.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create(
        {
            "service.name": settings.otel_service_name,
            "service.version": VERSION,
            "earful.process": process,
            "deployment.environment.name": settings.environment,
        }
    )
    provider = TracerProvider(sampler=_sampler(settings), resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=timeout)
    provider.add_span_processor(_Counted(_Exporter(exporter, queue), queue, batch))
    trace.record(Spans(provider.get_tracer("earful", VERSION)))

    def stop() -> None:
        trace.record(None)
        # It may wait for a collector that does not answer.
        closing = threading.Thread(target=provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSING_SECONDS)

    return stop


def _sampler(settings: Settings) -> Sampler:
    name, ratio = settings.otel_traces_sampler, settings.otel_traces_sampler_arg
    of_roots = {
        "always_on": ALWAYS_ON,
        "always_off": ALWAYS_OFF,
        "traceidratio": TraceIdRatioBased(ratio),
    }[name.removeprefix("parentbased_")]
    return ParentBased(of_roots) if name.startswith("parentbased_") else of_roots


class _Counted(BatchSpanProcessor):
    """Counts what there is no room for: the queue lets go of its oldest."""

    def __init__(self, exporter: "_Exporter", queue: int, batch: int) -> None:
        super().__init__(
            exporter,
            max_queue_size=queue,
            schedule_delay_millis=_PAUSE_MS,
            max_export_batch_size=batch,
        )
        self._exporter = exporter

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self._exporter.add()
        super().on_end(span)


class _Exporter(SpanExporter):
    """Hands batches over, counts them, and says once in a while that none can be handed over."""

    def __init__(self, exporter: SpanExporter, most: int) -> None:
        self._exporter = exporter
        self._most = most
        self._lock = threading.Lock()
        self._waiting = 0
        self._lost = 0
        self._warned_at: float | None = None

    def add(self) -> None:
        """One more waits, perhaps in place of the oldest."""
        with self._lock:
            if self._waiting < self._most:
                self._waiting += 1
            else:
                COUNTS.dropped += 1

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock:
            self._waiting = max(self._waiting - len(spans), 0)
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            COUNTS.exported += len(spans)
        else:
            COUNTS.failed += len(spans)
            self._warn(len(spans))
        return result

    def _warn(self, lost: int) -> None:
        self._lost += lost
        now = monotonic()
        if self._warned_at is None or now - self._warned_at > _WARNING_SECONDS:
            log.warning("spans cannot be exported", lost=self._lost)
            self._warned_at, self._lost = now, 0

    def shutdown(self) -> None:
        self._exporter.shutdown()
