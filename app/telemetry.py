"""What a process tells of itself: its log, as JSON for machines or in colour for a terminal, traces, and its bugs."""

import atexit
import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from app.lines import Lines
from app.redaction import redacted, sentence
from app.settings import Settings
from telemetry import lines, trace

Report = Callable[[BaseException], None]

_log = structlog.get_logger("earful")
_closing: list[Callable[[], None]] = []


def configure(settings: Settings, process: str = "earful") -> None:
    """Set up structlog, the standard library's logging, traces and reports of bugs, for this process."""
    level = getattr(logging, settings.log_level.upper())
    pretty = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    reports: list[structlog.typing.Processor] = []
    if settings.sentry_dsn is not None:
        from app import sentry  # noqa: PLC0415 - loaded where it is used, as is what follows

        sentry.start(settings.sentry_dsn.get_secret_value(), settings, process)
        reports.append(_reporting(sentry.report))
        _closing.append(sentry.stop)
    if settings.traces_endpoint is not None:
        from app import tracing  # noqa: PLC0415

        _closing.append(tracing.start(settings, process))
    # On a terminal somebody looks for a bug, and nothing is kept.
    rendered: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if pretty
        else [redacted, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.dev.set_exc_info,
            _raised,
            _in_trace,
            *reports,
            *rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if settings.log_requests and level <= logging.INFO:
        lines.write_to(_say if pretty else Lines(sys.stderr.buffer).write)
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[_Others()], force=True)
    # Its pool writes a traceback for each try while Postgres is away; what matters is said by those who ask.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    atexit.register(close)


def close() -> None:
    """Hand over what is still to be told, for two seconds at most; once."""
    while _closing:
        _closing.pop()()


class _Others(logging.Handler):
    """What libraries log: of each text the first line, for those that follow show what was being worked on."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.log(
            record.levelno,
            sentence(record.getMessage()),
            logger=record.name,
            exc_info=record.exc_info,
        )


def _raised(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The error itself in place of a sign that there is one."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()[1]
    return event


def _in_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (id_ := trace.known()) is not None:
        event.setdefault("trace_id", id_)
    return event


def _reporting(report: Report) -> structlog.typing.Processor:
    """Bugs are what is logged as an error, with an exception."""

    def processor(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        found = event.get("exc_info")
        error = found[1] if isinstance(found, tuple) else found
        if method in {"error", "exception", "critical"} and isinstance(error, BaseException):
            report(error)
        return event

    return processor


def _say(line: dict[str, object]) -> None:
    _log.info(line.pop("event"), **{k: v for k, v in line.items() if k not in {"time", "level"}})
