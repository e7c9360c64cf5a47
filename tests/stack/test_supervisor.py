"""Processes beside the servers: started again, given up, stopped in order, hurried."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanfare.stack.children import Program, start
from fanfare.stack.errors import StackError
from fanfare.stack.leash import Leash
from fanfare.stack.processes import alive
from fanfare.stack.supervisor import Interrupts, Stop, Supervisor
from tests.stack.conftest import eventually


class Log(list[tuple[str, str]]):
    """The lines that a supervisor printed."""

    def line(self, name: str, text: str) -> None:
        self.append((name, text))

    def count(self, text: object) -> int:
        return sum(said == text for _, said in self)


@pytest.fixture
def leash() -> Iterator[Leash]:
    ours = Leash()
    yield ours
    ours.close()


def shell(name: str, script: str, grace_seconds: float = 5.0) -> Program:
    return Program(name, ["sh", "-c", script], grace_seconds=grace_seconds)


def test_what_dies_is_started_again(leash: Leash) -> None:
    log = Log()
    supervisor = Supervisor([], leash, log.line)
    supervisor.start([shell("web", "echo here; exit 3")])
    supervisor.wait_until(lambda: log.count("here") == 2, 10)
    assert log.count("ended unexpectedly (3); starting again in 0.5 s") == 1
    supervisor.stop()


def test_what_never_becomes_ready_is_given_up(leash: Leash) -> None:
    log = Log()
    supervisor = Supervisor([], leash, log.line)
    supervisor.start([shell("web", "exit 1")])
    with pytest.raises(StackError, match="web keeps failing"):
        supervisor.wait_until(lambda: False, 30)
    with pytest.raises(StackError, match="Not ready after 0 s"):
        Supervisor([], leash, log.line).wait_until(lambda: False, 0)


def test_a_dead_server_ends_everything(leash: Leash) -> None:
    server = start(shell("postgres", "exit 2"), leash)
    supervisor = Supervisor([server], leash, Log().line)
    with pytest.raises(StackError, match=r"postgres ended unexpectedly \(2\)"):
        supervisor.watch()


def test_stopping_is_in_order_and_leaves_no_grandchild(leash: Leash, tmp_path: Path) -> None:
    log = Log()
    polite = "trap 'echo bye; exit' TERM; echo here; while :; do sleep 0.02; done"
    stubborn = "trap '' TERM; sleep 60 & echo $!; wait; wait"
    supervisor = Supervisor([], leash, log.line)
    supervisor.start([shell("web", polite), shell("worker", stubborn, 0.2), shell("beat", polite)])
    assert eventually(lambda: len(log) == 3)
    grandchild = int(next(text for name, text in log if name == "worker"))
    supervisor.stop()
    assert [name for name, text in log if text == "bye"] == ["web", "beat"]
    assert not alive(grandchild)


def test_what_was_not_stopped_ends_with_the_leash() -> None:
    leash = Leash()
    child = start(Program("web", [sys.executable, "-c", "import time; time.sleep(60)"]), leash)
    leash.close()
    assert eventually(child.ended)


def test_hurry_kills_at_once(leash: Leash) -> None:
    log = Log()
    child = start(shell("web", "trap '' TERM INT; echo here; while :; do sleep 1; done"), leash, log.line)
    assert eventually(lambda: log.count("here") == 1)
    leash.hurry()
    assert eventually(child.ended, 2)
    assert child.process.returncode == -signal.SIGKILL


def test_the_first_signal_stops_and_the_second_hurries() -> None:
    hurried: list[bool] = []
    ours = Interrupts(hurry=lambda: hurried.append(True))
    with pytest.raises(Stop):
        ours.receive(signal.SIGINT, None)
    ours.receive(signal.SIGINT, None)
    assert hurried == [True]
