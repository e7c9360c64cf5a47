"""Where the running servers are: read by settings in every process, so cheap to import and call.

Names the data directory, and the file in it that lasts as long as its supervisor.
Does not start or ask the servers themselves: that is `servers`.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from fanfare.stack.processes import alive

LOCK_NAME = "owner.lock"
_FILE_NAME = "servers.json"
_PORT_FILE_NAME = "port"
_KEY_FILE_NAME = "secret.key"
_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Addresses:
    """URLs, passwords included: never log one."""

    database_url: str
    redis_url: str


def data_dir() -> Path:
    """`FANFARE_DATA_DIR` (relative to the repository), else `.data` in the repository."""
    return _REPOSITORY / (os.environ.get("FANFARE_DATA_DIR") or ".data")


def find(directory: Path) -> Addresses | None:
    """The servers running from `directory`; None if there are none, or their owner is dead.

    An owner killed a moment ago is dead here although its servers may still be stopping.
    """
    try:
        held = json.loads((directory / _FILE_NAME).read_text())
        if not (alive(held["pid"]) and _locked(directory / LOCK_NAME)):
            return None
        return Addresses(held["database_url"], held["redis_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def port(directory: Path) -> int | None:
    """The web server's port of the stack that runs from `directory`; None if none does."""
    text = read_private(directory / _PORT_FILE_NAME) if find(directory) else None
    return int(text) if text and text.isdigit() else None


def publish_port(directory: Path, number: int) -> None:
    """Let other processes of this user know where the web server is."""
    write_private(directory / _PORT_FILE_NAME, str(number))


def secret_key(directory: Path) -> str | None:
    """The `FANFARE_SECRET_KEY` kept for embedded runs (see `secret`); None before the first."""
    return read_private(directory / _KEY_FILE_NAME)


def secret_key_path(directory: Path) -> Path:
    return directory / _KEY_FILE_NAME


def publish(directory: Path, addresses: Addresses) -> None:
    """Let other processes of this user `find` the servers, for as long as this one lives."""
    write_private(directory / _FILE_NAME, json.dumps({**asdict(addresses), "pid": os.getpid()}))


def withdraw(directory: Path) -> None:
    (directory / _FILE_NAME).unlink(missing_ok=True)


def read_private(path: Path) -> str | None:
    """What `path` holds, None if it is missing, empty, or another user's."""
    try:
        return path.read_text().strip() or None
    except OSError:
        return None


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step, readable by its owner only from the first byte on."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def _locked(path: Path) -> bool:
    # The number in the file may belong to another process by now; the lock cannot.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
