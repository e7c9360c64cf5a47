"""Ties child processes to this one: when it ends, however it ends, they end.

This is the supervisor's side of the pipe; `watcher` is the other. A child is named to the
watcher before it may run its command (see `children`), so there is no moment at which a
SIGKILL here leaves one behind.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]


class Leash:
    """One watcher process, and the children it would end."""

    def __init__(self, *kept_open: int) -> None:
        """`kept_open`: descriptors (the lock) that stay open until the children are gone."""
        self._held: dict[int, signal.Signals] = {}
        self._lock = threading.Lock()
        self._watcher = subprocess.Popen(
            [sys.executable, "-S", "-m", "fanfare.stack.watcher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Its own session: what kills our whole process group must not reach it.
            start_new_session=True,
            pass_fds=kept_open,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
        )

    def hold(self, pid: int, stop_signal: signal.Signals) -> None:
        """End process `pid` by `stop_signal`, and then its group, should we die."""
        self._held[pid] = stop_signal
        self._say(f"hold {pid} {int(stop_signal)}")

    def release(self, pid: int) -> None:
        """Forget `pid`: it has ended, and its number may be another's tomorrow."""
        self._held.pop(pid, None)
        self._say(f"release {pid}")

    def sweep(self, directory: Path) -> None:
        """Delete `directory` after everything has ended."""
        self._say(f"sweep {directory}")

    def hurry(self) -> None:
        """Kill every child now."""
        for pid, stop_signal in tuple(self._held.items()):
            try:
                if stop_signal == signal.SIGINT:
                    # PostgreSQL's own children are in no group of ours: it must end them itself.
                    os.kill(pid, signal.SIGQUIT)
                else:
                    os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue

    def close(self) -> None:
        """End what is still held, and wait until it has ended."""
        with self._lock, suppress(BrokenPipeError):
            if self._watcher.stdin is not None:
                self._watcher.stdin.close()
        self._watcher.wait()

    def _say(self, line: str) -> None:
        with self._lock:
            pipe = self._watcher.stdin
            if pipe is None or pipe.closed:
                return
            # A watcher that somebody killed must not keep us from stopping in good order.
            with suppress(BrokenPipeError):
                pipe.write(f"{line}\n".encode())
                pipe.flush()
