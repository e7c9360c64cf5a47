"""Starting, reading and stopping one child process.

Every child is its group's leader and on the leash before it runs its command. Signals go to
the child itself, which knows how to stop its own; only the hard kill goes to the group.
"""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fanfare.stack.leash import Leash

# Called with the child's name and one line of its output, from a thread of its own.
Sink = Callable[[str, str], None]

# Waits for our go-ahead, so that we may die before it without leaving a process behind.
_GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "gate")
# The same for a command that keeps our standard input: waits at the descriptor named first.
_SIDE_GATE = ("/bin/sh", "-c", 'at=$1; shift; read -r go </dev/fd/$at && exec "$@"', "gate")


def quiet(name: str, line: str) -> None:
    """The sink that prints nothing; the last lines are in `Child.tail` all the same."""


@dataclass(frozen=True)
class Program:
    """What to run, and how to end it."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    uid: int | None = None
    gid: int | None = None


@dataclass
class Child:
    """A started program."""

    program: Program
    process: subprocess.Popen[bytes]
    leash: Leash
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> bool:
        """Whether it has ended; what it left in its group is killed."""
        if self.process.poll() is None:
            return False
        self.kill()
        self.leash.release(self.pid)
        return True

    def stop(self) -> None:
        """Ask it to stop, wait for its grace, kill what is left. Returns when it is gone."""
        if not self.ended():
            self.process.send_signal(self.program.stop_signal)
            self._wait(self.program.grace_seconds)
        self.kill()
        self.process.wait()
        self.leash.release(self.pid)
        self.drain()

    def kill(self) -> None:
        """SIGKILL the whole group, at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def drain(self) -> None:
        """Wait until its last line has been read: briefly, a stranger may hold the pipe."""
        if self.reader is not None:
            self.reader.join(timeout=1.0)

    def last_words(self) -> str:
        self.drain()
        return "\n".join(self.tail)

    def _wait(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return


def start(program: Program, leash: Leash, sink: Sink = quiet) -> Child:
    """Run `program` on the leash; each line that it prints goes to `sink`."""
    process = subprocess.Popen(
        [*_GATE, *program.command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=None if program.environment is None else dict(program.environment),
        cwd=program.directory,
        process_group=0,
        user=program.uid,
        group=program.gid,
        extra_groups=None if program.uid is None else [],
    )
    leash.hold(process.pid, program.stop_signal)
    child = Child(program, process, leash)
    child.reader = threading.Thread(target=_read, args=(child, sink), daemon=True)
    child.reader.start()
    _open_gate(process)
    return child


def attach(command: Sequence[str], environment: Mapping[str, str], leash: Leash) -> subprocess.Popen[bytes]:
    """Run `command` on the leash in our own group and on our terminal, so that one can debug in it."""
    waiting, opening = os.pipe()
    try:
        gate = [*_SIDE_GATE, str(waiting)]
        process = subprocess.Popen([*gate, *command], env=environment, pass_fds=[waiting])
        leash.hold(process.pid, signal.SIGTERM)
        os.write(opening, b"\n")
    finally:
        os.close(waiting)
        os.close(opening)
    return process


def wait_for(ready: Callable[[], bool], child: Child, seconds: float) -> bool:
    """Poll until `ready`; False if the child ends first or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child.ended() or time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _open_gate(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.write(b"\n")
            process.stdin.close()
        except BrokenPipeError:
            return


def _read(child: Child, sink: Sink) -> None:
    if child.process.stdout is not None:
        for raw in child.process.stdout:
            line = raw.decode(errors="replace").rstrip()
            child.tail.append(line)
            sink(child.name, line)
