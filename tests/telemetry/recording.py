"""Spans that are kept in this process, by OpenTelemetry's own SDK."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

from telemetry import trace
from telemetry.spans import Spans


@contextmanager
def recording() -> Iterator[InMemorySpanExporter]:
    """Record for the length of the block."""
    provider = TracerProvider(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)
    kept = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.record(Spans(provider.get_tracer("tests")))
    trace.begin(None)
    try:
        yield kept
    finally:
        trace.record(None)
        trace.begin(None)
        provider.shutdown()


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"
