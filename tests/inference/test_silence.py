"""The model tells nobody outside of what it does."""

import subprocess
import sys
from pathlib import Path

# The runtime writes an id of this machine as soon as it would report: where it cannot, it says so.
_SCRIPT = "import inference.graph"


def test_the_runtime_makes_no_id_to_report_with(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=Path(__file__).parents[2],
        env={"HOME": str(home), "XDG_CACHE_HOME": str(home)},
        check=True,
    )
    assert list(home.rglob("*")) == []
