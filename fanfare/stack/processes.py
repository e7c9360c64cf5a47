"""Processes known by their number only: those of a run before ours. Imports nothing of ours."""

import os
import signal
import subprocess
import time
from pathlib import Path

_GRACE_SECONDS = 5.0


def alive(pid: int) -> bool:
    """Whether a running process has this number; it need not be the one that once had it.

    One that has ended and only waits for its parent to notice counts as dead: in a container
    the first process may take seconds for that, or for ever.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def command_of(pid: int) -> str:
    """The command line of a process as it shows itself now; empty if there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return ""
        return b" ".join(words).decode(errors="replace")
    asked = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, check=False, capture_output=True, text=True).stdout


def end(pid: int, *numbers: signal.Signals) -> None:
    """Send each signal in turn until the process is gone."""
    for number in numbers:
        if alive(pid):
            os.kill(pid, number)
        deadline = time.monotonic() + _GRACE_SECONDS
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The state follows the name, which may contain anything but ends at the last ")".
            return file.read().rpartition(b") ")[2][:1] == b"Z"
    except OSError:  # no /proc on macOS
        return False
