"""Whether a process number is somebody's. Imported by all, and imports nothing."""

import os


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


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The state follows the name, which may contain anything but ends at the last ")".
            return file.read().rpartition(b") ")[2][:1] == b"Z"
    except OSError:  # no /proc on macOS
        return False
