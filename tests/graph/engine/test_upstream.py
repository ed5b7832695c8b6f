"""graphql-core's own execution tests pass on our engine."""

import os
import re
import subprocess
import sys

from tests.graph.engine.not_applicable import NOT_APPLICABLE
from tests.graph.engine.upstream_source import HERE, ROOT, upstream_source

_TESTS = (
    "tests/execution",
    "--ignore=tests/execution/incremental",
    "tests/test_graphql.py",
    "tests/test_star_wars_introspection.py",
    "tests/test_star_wars_query.py",
    "tests/test_user_registry.py",
    "tests/type/test_custom_scalars.py",
    "tests/type/test_enum.py",
    "tests/type/test_introspection.py",
)
_PASSED, _EXECUTE_NOTHING = 330, 83


def test_graphql_core_s_own_tests_pass() -> None:
    listed = [f"--deselect={entry}" for group in NOT_APPLICABLE.values() for entry in group]
    plugin = HERE / "upstream"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "engine_plugin"),
            *("-c", str(plugin / "pytest.ini"), "--rootdir=.", "--assert=plain", *listed, *_TESTS),
        ],
        cwd=upstream_source(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(plugin), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", run.stdout)}
    assert (counts["passed"], counts["skipped"]) == (_PASSED, _EXECUTE_NOTHING)
