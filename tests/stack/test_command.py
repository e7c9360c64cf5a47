"""`python -m fanfare.stack -- COMMAND`: servers for one command, gone with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fanfare.stack.processes import alive
from tests.stack.conftest import eventually

STACK = [sys.executable, "-m", "fanfare.stack"]


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_the_command_sees_servers_and_its_exit_code_is_passed_on(tmp_path: Path) -> None:
    script = 'test -n "$DATABASE_URL" -a -n "$REDIS_URL" -a -n "$FANFARE_SECRET_KEY" && exit 7'
    assert subprocess.run([*STACK, "--", "sh", "-c", script], check=False).returncode == 7
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_run_is_said_without_a_traceback() -> None:
    ran = subprocess.run([*STACK, "--", "no-such-command"], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "no-such-command: there is no such program\n")
    assert subprocess.run(STACK, check=False, capture_output=True).returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_command_too(tmp_path: Path, number: signal.Signals) -> None:
    script = "echo $$; exec sleep 60"
    with subprocess.Popen([*STACK, "--", "sh", "-c", script], stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        command = int(ours.stdout.readline())
        os.kill(ours.pid, number)
        assert ours.wait(15) == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert eventually(lambda: not alive(command))
    assert eventually(lambda: not list(tmp_path.iterdir()))
