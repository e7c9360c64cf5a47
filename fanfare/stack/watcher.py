"""The process that outlives a killed supervisor, just long enough to end its children.

A program of its own (`leash` starts it), importing little. It reads a pipe that only the
supervisor can write: end of file means the supervisor is gone, however it died. No prctl, so
it works on macOS too, and does not care which thread forked or what changed user in between.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable

from fanfare.stack.processes import alive

# Seconds a child gets to obey its stop signal, and then SIGQUIT (PostgreSQL: immediate stop).
STOP_SECONDS = 3.0
QUIT_SECONDS = 2.0


def watch() -> None:
    """Follow the supervisor's words until it has no more; then end what it still held."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held: dict[int, int] = {}
    rubbish: list[str] = []
    for line in sys.stdin:
        _obey(line.rstrip("\n"), held, rubbish)
    end(held)
    for path in rubbish:
        shutil.rmtree(path, ignore_errors=True)


def _obey(line: str, held: dict[int, int], rubbish: list[str]) -> None:
    verb, _, rest = line.partition(" ")
    if verb == "hold":
        pid, number = rest.split()
        held[int(pid)] = int(number)
    elif verb == "release":
        held.pop(int(rest), None)
    elif verb == "sweep":
        rubbish.append(rest)


def end(held: dict[int, int]) -> None:
    """Stop each process by its own signal, then harder; its whole group in the end."""
    _each(held, lambda pid: os.kill(pid, held[pid]))
    _wait(held, STOP_SECONDS)
    _each(held, lambda pid: os.kill(pid, signal.SIGQUIT))
    _wait(held, QUIT_SECONDS)
    _each(held, lambda pid: os.kill(pid, signal.SIGKILL))
    _each(held, lambda pid: os.killpg(pid, signal.SIGKILL))


def _each(held: dict[int, int], act: Callable[[int], None]) -> None:
    for pid in held:
        try:
            act(pid)
        except (ProcessLookupError, PermissionError):
            continue


def _wait(held: dict[int, int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(alive, held)) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    watch()
