"""Ctrl-C for us alone.

The terminal sends it to its whole foreground group. `make` would take it for its own and report
an error after the cleanest stop, so a foreground run leaves make's group and takes the terminal.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def foreground() -> Iterator[None]:
    """Be the terminal's foreground group, and give it back; nothing if we are not in front."""
    before = os.getpgrp()
    terminal = _terminal()
    if terminal is None or os.tcgetpgrp(terminal) != before or before == os.getpid():
        yield
        return
    # A stopped supervisor would only leave the shell waiting for a group it doesn't know.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        with suppress(OSError):
            os.tcsetpgrp(terminal, before)


def _terminal() -> int | None:
    try:
        return os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return None
