"""What stands at the other end: a collector of OTLP, a receiver of Sentry's envelopes, and a partner's webhook."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """One as it was exported, and by which process."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Collector:
    """What has come so far."""

    port: int
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)
    posts: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spans(self) -> list[Span]:
        return [span for body in self.raw for span in _spans(body)]

    def events(self) -> list[dict[str, Any]]:
        """Sentry's: an envelope is lines of JSON, of which the third is the event."""
        return [json.loads(envelope.splitlines()[2]) for envelope in self.envelopes]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A real server, on a thread of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    collector = Collector(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"collector": collector})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            self.collector.raw.append(body)
        elif self.path.endswith("/envelope/"):
            self.collector.envelopes.append(body)
        else:
            self.collector.posts.append({k.lower(): v for k, v in self.headers.items()})
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _spans(body: bytes) -> Iterator[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    for of_process in request.resource_spans:
        resource = {each.key: each.value.string_value for each in of_process.resource.attributes}
        for scope in of_process.scope_spans:
            for span in scope.spans:
                yield Span(
                    resource["earful.process"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {
                        each.key: each.value.string_value or str(each.value.int_value)
                        for each in span.attributes
                    },
                )
