"""What a process may tell: nothing that it was not told that it may, and nobody waits for it."""

import ast
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import pytest
import structlog

from app import tracing
from app.lines import Lines
from app.observed import observed
from app.redaction import FIELDS, redacted, sentence
from app.settings import Settings
from app.span_counts import COUNTS
from graph.http import Receive, Scope, Send
from persistence.database import StoreUnavailableError
from telemetry import lines, trace
from tests.processes import ROOT

PACKAGES = ("app", "graph", "domain", "persistence", "jobs", "inference", "clients")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# Handled by the processors themselves.
OF_STRUCTLOG = {"exc_info"}


def fields(module: Path) -> Iterator[tuple[Path, str]]:
    """The names of what is logged beside an event."""
    for node in ast.walk(ast.parse(module.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"log", "_log"}
        ):
            for keyword in node.keywords:
                yield module.relative_to(ROOT), keyword.arg or ""


def test_whatever_is_logged_anywhere_is_a_field_that_may_be() -> None:
    found = {
        each
        for package in PACKAGES
        for module in (ROOT / package).rglob("*.py")
        for each in fields(module)
    }
    assert len(found) > 20
    assert {each for each in found if each[1] not in FIELDS | OF_STRUCTLOG | {""}} == set()


def test_a_field_that_nobody_named_is_not_logged() -> None:
    event = {"event": "told", "job": "job_1", "email": "ada@partner.example", "jobs": 3}
    assert redacted(None, "info", event) == {"event": "told", "job": "job_1", "jobs": 3}


def test_on_a_terminal_an_error_is_told_with_its_text_and_without_the_values_around_it() -> None:
    script = """
from app import telemetry
from app.settings import Settings
import structlog

telemetry.configure(Settings(log_format="console"))
try:
    password = "long enough, " + "and secret"
    raise KeyError("what broke")
except KeyError:
    structlog.get_logger("earful").exception("it broke")
"""
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stderr
    assert "KeyError: 'what broke'" in told
    assert "long enough, and secret" not in told


def test_of_an_error_the_type_and_the_place_are_logged_and_not_what_it_quotes() -> None:
    def fail() -> None:
        try:
            int("quibble@kettles.example")
        except ValueError as error:
            raise KeyError("Mrs Quibble") from error

    with pytest.raises(KeyError) as raised:
        fail()
    told = redacted(None, "error", {"event": "it broke", "exc_info": raised.value})
    first, second = told["exception"]
    assert (first["type"], second["type"]) == ("builtins.KeyError", "builtins.ValueError")
    assert first["frames"][-1].endswith(" fail")
    assert "uibble" not in json.dumps(told)


def test_what_is_away_is_named_and_of_postgres_what_it_found() -> None:
    away = StoreUnavailableError("Postgres cannot be reached: postgres://earful:pw@db/earful")
    twice = asyncpg.UniqueViolationError("Key (email)=(ada@partner.example) already exists.")
    told = [redacted(None, "error", {"exc_info": each})["exception"][0] for each in (away, twice)]
    assert told[0]["message"] == "Postgres cannot be reached: postgres://[hidden]db/earful"
    assert told[1]["message"] == "23505"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bearer abc.def", "[hidden]"),
        ("mail to ada@partner.example failed", "mail to [hidden] failed"),
        ("redis://:pw@host:6379/0 is away", "redis://[hidden]host:6379/0 is away"),
        ("signed by whsec_abcdef", "signed by [hidden]"),
        ("the first line\nfuture: <Task exception=ValueError('Ada')>", "the first line"),
        ("the store is away", "the store is away"),
    ],
)
def test_sentences_lose_what_looks_like_a_secret(text: str, kept: str) -> None:
    assert sentence(text) == kept


async def test_a_line_says_what_it_may_and_nothing_else() -> None:
    stream = io.BytesIO()
    written = Lines(stream)
    lines.write_to(lambda line: written.write(line | {"email": "ada@partner.example"}))
    try:
        trace.begin(f"00-{'a' * 32}-{'b' * 16}-00")
        with lines.line("job", kind="send_mail", attempt=2):
            lines.note(outcome="succeeded")
    finally:
        lines.write_to(None)
    assert stream.getvalue() == b""
    written.flush()
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert {"time", "seconds"} <= line.keys()
    assert {name: line[name] for name in line if name not in {"time", "seconds"}} == {
        "level": "info",
        "event": "job",
        "kind": "send_mail",
        "attempt": 2,
        "outcome": "succeeded",
        "trace_id": "a" * 32,
    }


async def test_what_breaks_is_answered_with_the_id_by_which_it_is_found() -> None:
    async def broken(_: Scope, __: Receive, ___: Send) -> None:
        raise ValueError("Mrs Quibble")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await observed(broken, scope, receive, send)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        with structlog.testing.capture_logs() as said:
            sent = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            answer = await http.post("/hooks/source_1", headers=sent)

    assert answer.status_code == 500
    assert answer.headers["x-trace-id"] == "a" * 32
    assert answer.json() == {
        "error": {"message": "Something went wrong on our side.", "traceId": "a" * 32}
    }
    assert [(each["event"], each["exc_info"]) for each in said] == [("request failed", True)]


def test_without_settings_neither_sentry_nor_opentelemetry_is_loaded() -> None:
    program = """
import sys
from app import settings, telemetry
from jobs import relay, runner
telemetry.configure(settings.load())
print([name for name in sys.modules if name.startswith(("sentry_sdk", "opentelemetry.sdk.trace"))])
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "[]\n"


def test_spans_that_no_collector_takes_are_dropped_and_said_once(settings: Settings) -> None:
    before = replace(COUNTS)
    away = settings.model_copy(update={"otel_exporter_otlp_endpoint": "http://127.0.0.1:9"})
    with structlog.testing.capture_logs() as said:
        stop = tracing.start(away, "tests", queue=8, batch=4, timeout=0.05)
        try:
            for _ in range(100):
                trace.begin(None)
                with trace.span("lost"):
                    pass
        finally:
            stop()
            trace.begin(None)
            logging.getLogger("opentelemetry").setLevel(logging.NOTSET)
    assert COUNTS.exported == before.exported
    assert COUNTS.failed + COUNTS.dropped - before.failed - before.dropped == 100
    assert [each["event"] for each in said] == ["spans cannot be exported"]
