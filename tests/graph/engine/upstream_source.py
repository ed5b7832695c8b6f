"""graphql-core's own tests, from the source distribution of the version that is installed here.

They are downloaded once per version, by pip from the index it is configured for, against the hash in our
lock, and kept in the virtual environment.
"""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
_PINNED = re.compile(r"^graphql-core==(\S+)(?: \\\n +--hash=\S+)+", re.MULTILINE)


def upstream_source() -> Path:
    """The directory of the source distribution."""
    pinned = _PINNED.search((ROOT / "requirements" / "dev.txt").read_text())
    assert pinned, "graphql-core is not in the lock"
    source = Path(sys.prefix) / "source" / f"graphql_core-{pinned[1]}"
    if not source.exists():
        source.parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=source.parent) as directory:
            _download(pinned[0], Path(directory))
            (Path(directory) / source.name).rename(source)
    return source


def _download(requirement: str, directory: Path) -> None:
    """Put the unpacked source distribution into the directory."""
    (directory / "requirements.txt").write_text(requirement)
    options = ("--no-deps", "--no-binary=graphql-core", "--no-build-isolation", "--require-hashes")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    # The folder has what pip calls to build, so that it needs no build tool: nothing is built.
    subprocess.run(
        [*command, "--quiet", *options, "--dest=.", "--requirement=requirements.txt"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(HERE / "upstream")},
        check=True,
    )
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        opened.extractall(directory)  # noqa: S202 - its hash is known
