"""Owners to start and kill, and bounded waiting for what happens to processes.

These tests embed servers of their own, whatever the rest of the test run uses.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fanfare.stack import servers

_OWN = """
import sys, time
from pathlib import Path
from fanfare.stack import servers
with servers.running(Path(sys.argv[1]), temporary=True):
    print("up", flush=True)
    time.sleep(60)
"""

StartOwner = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with servers.running(directory, temporary=True):
            return directory


@pytest.fixture
def data(_made_once: Path, tmp_path: Path) -> Path:
    """A data directory after its first run: a copy, since making a cluster takes its time."""
    return Path(shutil.copytree(_made_once, tmp_path / "data", symlinks=True))


@pytest.fixture
def start_owner() -> Iterator[StartOwner]:
    """Start another process that owns servers; the servers are up when this returns."""
    started: list[subprocess.Popen[str]] = []

    def start(directory: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", _OWN, str(directory)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether `true()` becomes true in time; only for states of processes, which tell no one."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
