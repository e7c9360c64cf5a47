"""Keeps named processes running and ends them in order.

A process that dies is started again, ever later; a server (PostgreSQL, Valkey) that dies ends
everything, since what was in flight is best recovered by a clean start. Prints nothing itself
but through the sink it is given.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from fanfare.stack.children import Child, Program, Sink, start
from fanfare.stack.errors import StackError
from fanfare.stack.leash import Leash

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# One that lived this long is not failing in a loop.
_PROVEN_SECONDS = 60.0
_TICK_SECONDS = 0.1


class Stop(BaseException):
    """Somebody asked us to stop; not an error, and not for `except Exception`."""


@dataclass
class Interrupts:
    """What SIGINT, SIGTERM and SIGHUP do: first raise `Stop`, then hurry whoever stops."""

    hurry: Callable[[], None] | None = None
    armed: bool = True
    busy: bool = False
    pending: bool = False

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.busy:
            self.pending = True
        elif self.armed:
            self.armed = False
            raise Stop
        elif self.hurry is not None:
            self.hurry()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Put `Stop` off to the end of the context: for steps that must not be half done."""
        self.busy = True
        yield
        self.busy = False
        if self.pending:
            self.receive(signal.SIGINT, None)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle stop signals for as long as the context lasts. Main thread only."""
    ours = Interrupts()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, ours.receive) for number in numbers]
    try:
        yield ours
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@dataclass
class _Kept:
    program: Program
    child: Child | None
    started_at: float
    failures: int = 0
    due_at: float = 0.0


class Supervisor:
    """The processes beside the servers, in the order in which they stop."""

    def __init__(self, servers: Sequence[Child], leash: Leash, sink: Sink) -> None:
        self._servers = servers
        self._leash = leash
        self._sink = sink
        self._kept: list[_Kept] = []

    def start(self, programs: Sequence[Program]) -> None:
        for program in programs:
            child = start(program, self._leash, self._sink)
            self._kept.append(_Kept(program, child, time.monotonic()))

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Look after everything until `ready`. Raises StackError when it takes too long.

        A process that fails again and again before that will not get better by itself.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.look()
            for kept in self._kept:
                if kept.failures > 2:
                    raise StackError(f"{kept.program.name} keeps failing: see its lines above.")
            if time.monotonic() > deadline:
                raise StackError(f"Not ready after {seconds:.0f} s: see the lines above.")
            time.sleep(_TICK_SECONDS / 4)

    def watch(self) -> None:
        """Look after everything until `Stop`. Raises StackError when a server dies."""
        while True:
            self.look()
            time.sleep(_TICK_SECONDS)

    def look(self) -> None:
        """One look at everything: starts again what is due. Raises StackError, see `watch`."""
        for server in self._servers:
            if server.ended():
                code = server.process.returncode
                raise StackError(f"{server.name} ended unexpectedly ({code}): stopping everything.")
        for kept in self._kept:
            self._look_at(kept)

    def stop(self) -> None:
        """Stop the processes, one after the other; the servers are their starter's."""
        for kept in self._kept:
            if kept.child is not None:
                kept.child.stop()

    def _look_at(self, kept: _Kept) -> None:
        now = time.monotonic()
        if kept.child is None:
            if now >= kept.due_at:
                kept.child = start(kept.program, self._leash, self._sink)
                kept.started_at = now
        elif kept.child.ended():
            self._put_off(kept, kept.child, now)

    def _put_off(self, kept: _Kept, child: Child, now: float) -> None:
        kept.failures = 1 if now - kept.started_at > _PROVEN_SECONDS else kept.failures + 1
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (kept.failures - 1), _LONGEST_PAUSE_SECONDS)
        kept.due_at, kept.child = now + pause, None
        code = child.process.returncode
        self._sink(child.name, f"ended unexpectedly ({code}); starting again in {pause:g} s")
