"""As whom PostgreSQL runs, which refuses root, and where its files may be then.

An ordinary user runs it directly. Root enters a user namespace, in which it is nobody special
and its files stay its own; where the kernel forbids that, root steps down to `nobody`.
No system user is made, and no directory of anybody's is opened up.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fanfare.stack.addresses import read_private, write_private

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_PLACE_NAME = "postgres.place"
_SYSTEM_DIRECTORY = Path("/var/lib/fanfare")


@dataclass(frozen=True)
class Account:
    """`prefix` goes before each command; `uid` and `gid`, if set, are whom to become."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def can(self, test: str, path: Path) -> bool:
        """What the shell's `test` says about `path` for this account: "-x", "-w"."""
        command = [*self.prefix, "test", test, str(path)]
        groups: list[int] | None = None if self.uid is None else []
        return not subprocess.run(
            command, check=False, user=self.uid, group=self.gid, extra_groups=groups
        ).returncode


def choose() -> Account:
    """The account for PostgreSQL, given who we are and what the kernel allows."""
    if os.geteuid():
        return Account()
    if namespaces_allowed():
        return Account(_NAMESPACE)
    nobody = pwd.getpwnam("nobody")
    return Account((), nobody.pw_uid, nobody.pw_gid)


@cache
def namespaces_allowed() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_NAMESPACE, "true"], check=False, capture_output=True)
    return not tried.returncode


def place(directory: Path, account: Account) -> Path:
    """Where PostgreSQL's files of this data directory are: in it, if the account can get there.

    Else in a system directory, and a note in the data directory says so from then on.
    """
    noted = read_private(directory / _PLACE_NAME)
    chosen = Path(noted) if noted else directory / "postgres"
    if account.uid is not None and not account.can("-x", directory):
        chosen = chosen if noted else _system_place(directory)
        write_private(directory / _PLACE_NAME, str(chosen))
    chosen.mkdir(mode=0o711, parents=True, exist_ok=True)
    return chosen


def give(path: Path, account: Account) -> None:
    """Make `path` and all in it the account's own: it may have been another's at the last run."""
    if os.geteuid() or not path.exists():
        return
    uid, gid = account.uid or 0, account.gid or 0
    if path.stat().st_uid != uid:
        for found in (path, *path.rglob("*")):
            os.chown(found, uid, gid, follow_symlinks=False)


def _system_place(directory: Path) -> Path:
    digest = hashlib.sha256(str(directory).encode()).hexdigest()
    return _SYSTEM_DIRECTORY / digest[:16]
