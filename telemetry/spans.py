"""Spans as OpenTelemetry has them."""

from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from telemetry.trace import Fact, Kind, Place

_KINDS = {kind: SpanKind[kind.name] for kind in Kind}


class Span:
    """One that was begun here. What it says of an error is its type: messages may quote what people wrote."""

    __slots__ = ("_span", "is_recording", "place")

    def __init__(self, span: OtelSpan) -> None:
        context = span.get_span_context()
        self._span = span
        self.is_recording = span.is_recording()
        self.place = Place(
            f"{context.trace_id:032x}",
            f"{context.span_id:016x}",
            is_sampled=context.trace_flags.sampled,
            span=self,
        )

    @property
    def traceparent(self) -> str:
        return self.place.traceparent

    def note(self, **facts: Fact | None) -> None:
        """Say more of it; names are written with double underscores for dots."""
        if self.is_recording:
            self._span.set_attributes(_attributes(facts))

    def rename(self, name: str) -> None:
        """It is known now what it is."""
        self._span.update_name(name)

    def fail(self, error: BaseException | str) -> None:
        """It went wrong."""
        if self.is_recording:
            kind = error if isinstance(error, str) else type(error).__qualname__
            self._span.set_attribute("error.type", kind)
            self._span.set_status(Status(StatusCode.ERROR, kind))

    def end(self) -> None:
        """It is over; what is done later is no part of it."""
        self.is_recording = False
        self._span.end()


class Spans:
    """Begins spans, which the tracer's provider samples and exports."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(
        self,
        name: str,
        kind: Kind,
        parent: Place | None,
        links: Sequence[Place],
        facts: Mapping[str, Fact],
    ) -> Span:
        return Span(
            self._tracer.start_span(
                name,
                context=Context() if parent is None else _context(parent),
                kind=_KINDS[kind],
                attributes=_attributes(facts),
                links=[Link(_span_context(each)) for each in links],
            )
        )


def _context(place: Place) -> Context:
    return set_span_in_context(NonRecordingSpan(_span_context(place)), Context())


def _span_context(place: Place) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if place.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(
        int(place.id, 16), int(place.parent, 16), is_remote=place.span is None, trace_flags=flags
    )


def _attributes(facts: Mapping[str, Fact | None]) -> dict[str, Fact]:
    return {name.replace("__", "."): value for name, value in facts.items() if value is not None}
