"""Reports of bugs to Sentry: what they are and where, and nothing of what was being worked on."""

import sentry_sdk
from sentry_sdk.types import Event, Hint

from app import VERSION
from app.redaction import described
from app.settings import Settings
from telemetry import trace

_SECONDS = 2.0
_FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app")
_KEPT = ("event_id", "timestamp", "platform", "level", "environment", "release", "sdk", "tags")


def start(dsn: str, settings: Settings, process: str) -> None:
    """Report from now on, from a thread of Sentry's own."""
    sentry_sdk.init(
        dsn=dsn,
        environment=settings.environment,
        release=f"earful@{VERSION}",
        server_name="",
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_backpressure_handling=False,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=_stripped,
        shutdown_timeout=_SECONDS,
    )
    sentry_sdk.set_tag("process", process)


def report(error: BaseException) -> None:
    """Queue a report of a bug, in the trace that it was met in."""
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("trace_id", trace.current())
        scope.capture_exception(error)


def stop() -> None:
    """Send what waits, for two seconds at most."""
    sentry_sdk.flush(_SECONDS)


def _stripped(event: Event, hint: Hint) -> Event:
    """Made anew of what may be told: what Sentry's client learns to add one day is not among it."""
    kept = {name: event[name] for name in _KEPT if name in event}  # type: ignore[literal-required]
    values = []
    for value in (event.get("exception") or {}).get("values") or ():
        frames = (value.get("stacktrace") or {}).get("frames") or ()
        values.append(
            {
                "type": value.get("type"),
                "module": value.get("module"),
                "mechanism": {"type": "generic", "handled": True},
                "stacktrace": {
                    "frames": [{name: f[name] for name in _FRAME if name in f} for f in frames]
                },
            }
        )
    if values and hint.get("exc_info"):
        # The last is the error itself; its message is told where it may be.
        values[-1]["value"] = described(hint["exc_info"][1]).get("message")
    return kept | {"exception": {"values": values}}  # type: ignore[return-value]  # of an event's fields
