"""Valkey (or Redis) as a foreground child of ours: configured, started, and known to be ours.

Queue order and sessions live in it beside PostgreSQL, so nothing is ever evicted, and at most a
second of writes is lost with the machine. Loopback only, with a password.
"""

import re
import signal
import socket
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fanfare.stack import ports, processes, secret
from fanfare.stack.addresses import read_private, write_private
from fanfare.stack.binaries import Binaries
from fanfare.stack.children import Child, Program, Sink, start, wait_for
from fanfare.stack.errors import NotStarted
from fanfare.stack.leash import Leash

_START_SECONDS = 60.0  # reading back a large append-only file
_ATTEMPTS = 5
_CONFIGURATION = "valkey.conf"
_PID_FILE = "valkey.pid"


@dataclass(frozen=True)
class Attempt:
    """A server that was started and may not answer yet."""

    child: Child
    port: int
    password: str


def begin(directory: Path, binaries: Binaries, leash: Leash, sink: Sink, *, temporary: bool) -> Attempt:
    """Start it without waiting, so that PostgreSQL can start meanwhile."""
    home = directory / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    _end_forgotten(home)
    password = secret.keep(directory / "valkey.password")
    port = ports.free()
    # In a file: a password on the command line would be seen by every user of the machine.
    configuration = home / _CONFIGURATION
    write_private(configuration, _configuration(home, port, password, temporary=temporary))
    program = Program("valkey", [binaries.valkey, configuration], directory=home)
    return Attempt(start(program, leash, sink), port, password)


def finish(
    directory: Path,
    binaries: Binaries,
    leash: Leash,
    sink: Sink,
    *,
    first: Attempt,
    temporary: bool,
) -> tuple[Child, str]:
    """Wait until it answers; return it with its URL. Raises NotStarted.

    Starts it again, on another port, if the one of the first attempt was taken meanwhile.
    """
    attempt = first
    for _ in range(_ATTEMPTS):
        if wait_for(partial(_is_ready, attempt), attempt.child, _START_SECONDS):
            return attempt.child, f"redis://:{attempt.password}@{ports.LOOPBACK}:{attempt.port}/0"
        attempt.child.stop()
        if "Address already in use" not in attempt.child.last_words():
            break
        attempt = begin(directory, binaries, leash, sink, temporary=temporary)
    raise NotStarted(f"Valkey did not start in {directory}:\n{attempt.child.last_words()}")


def _end_forgotten(home: Path) -> None:
    """Stop a server that outlived its owner and its watcher: two would spoil one file.

    We own the directory. The number may be another's by now, so the process must also show
    the address, or the file, that this directory's configuration names.
    """
    pid = read_private(home / _PID_FILE) or ""
    port = re.search(r"^port (\d+)$", read_private(home / _CONFIGURATION) or "", re.MULTILINE)
    if port is not None and pid.isdigit():
        shown = processes.command_of(int(pid))
        if f"{ports.LOOPBACK}:{port[1]}" in shown or str(home / _CONFIGURATION) in shown:
            processes.end(int(pid), signal.SIGTERM, signal.SIGKILL)


def _is_ready(attempt: Attempt) -> bool:
    """Whether the server on the port is our child and has loaded its data."""
    said = _ask(attempt.port, attempt.password)
    pid = re.search(r"^process_id:(\d+)", said, re.MULTILINE)
    return pid is not None and int(pid[1]) == attempt.child.pid and "loading:0" in said


def _ask(port: int, password: str) -> str:
    deadline = time.monotonic() + 1.0
    said = b""
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1.0) as wire:
            wire.sendall(f"AUTH {password}\r\nINFO\r\nQUIT\r\n".encode())
            while time.monotonic() < deadline and (part := wire.recv(65536)):
                said += part
    except OSError:
        return ""
    return said.decode(errors="replace")


def _configuration(home: Path, port: int, password: str, *, temporary: bool) -> str:
    lines = {
        "bind": ports.LOOPBACK,
        "port": str(port),
        "protected-mode": "yes",
        "requirepass": password,
        "dir": f'"{home}"',
        "daemonize": "no",
        "pidfile": f'"{home / _PID_FILE}"',
        "databases": "32",
        "maxmemory-policy": "noeviction",
        "appendonly": "no" if temporary else "yes",
        "appendfsync": "everysec",
        # The append-only file holds everything; a snapshot beside it would only cost.
        "save": '""',
        "tcp-backlog": "511",
        "always-show-logo": "no",
        "loglevel": "warning",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())
