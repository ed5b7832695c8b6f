"""Logs: one line an event, JSON for machines, colour for a terminal."""

import logging
import sys

import structlog

from app.settings import Settings

# Without the local variables, which are messages, tokens and people.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(settings: Settings) -> None:
    """Set up structlog and the standard library's logging, for this process."""
    level = getattr(logging, settings.log_level.upper())
    pretty = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if pretty else [_TRACEBACKS]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(level, logging.WARNING),
        stream=sys.stderr,
        format="%(levelname)s %(name)s %(message)s",
    )
    # Its pool writes a traceback for each try while Postgres is away; what matters is said by those who ask.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
