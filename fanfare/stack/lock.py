"""One supervisor per data directory.

The lock is the kernel's, so it ends with its holders. The watcher (see `leash`) holds it too:
the directory is free only once the servers of a killed supervisor are gone.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fanfare.stack.addresses import LOCK_NAME
from fanfare.stack.errors import InUse
from fanfare.stack.processes import alive

_PATIENCE_SECONDS = 30.0
# How long an owner must be seen alive: one killed a moment ago may take this to be gone.
_ALIVE_SECONDS = 0.5


@contextmanager
def owned(directory: Path) -> Iterator[int]:
    """Own `directory`; yields the descriptor that holds the lock.

    Raises InUse if a living process owns it. Waits for what a dead one left behind.
    """
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, directory)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, directory: Path) -> None:
    began = time.monotonic()
    while not _taken(descriptor):
        owner = _owner(descriptor)
        waited = time.monotonic() - began
        if owner and alive(owner) and waited > _ALIVE_SECONDS:
            raise InUse(
                f"{directory} is in use by the Fanfare of process {owner}. "
                "Stop that one, or choose another FANFARE_DATA_DIR."
            )
        if waited > _PATIENCE_SECONDS:
            raise InUse(f"Servers of a killed Fanfare are still stopping in {directory}.")
        time.sleep(0.05)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0).decode()
    return int(text) if text.isdigit() else None
