"""`python -m fanfare.stack -- COMMAND …`: run a command with servers of its own.

They live in a temporary directory and go with the command, whose exit code is ours.
What `make test` uses; `make run` is `machine`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fanfare.stack import secret, servers
from fanfare.stack.addresses import Addresses
from fanfare.stack.children import attach
from fanfare.stack.errors import StackError
from fanfare.stack.leash import Leash
from fanfare.stack.supervisor import Interrupts, Stop, interrupts

_FAREWELL_SECONDS = 1.5
_GRACE_SECONDS = 10.0


def main(words: list[str]) -> int:
    """Run `words` and return its exit code; 2 for no command, 130 if stopped by a signal."""
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with interrupts() as signals:
        try:
            return _run(command, signals)
        except Stop:
            return 130
        except StackError as problem:
            sys.stderr.write(f"{problem}\n")
            return 1


def _run(command: list[str], signals: Interrupts) -> int:
    if shutil.which(command[0]) is None:
        raise StackError(f"{command[0]}: there is no such program")
    with tempfile.TemporaryDirectory(prefix="fanfare-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o711)
        with servers.started(directory, temporary=True) as up:
            up.leash.sweep(directory)
            return _code(_wait(command, _environment(up.addresses, directory), up.leash, signals))


def _wait(command: list[str], environment: dict[str, str], leash: Leash, signals: Interrupts) -> int:
    process = None
    try:
        with signals.undisturbed():
            process = attach(command, environment, leash)
        return process.wait()
    finally:
        signals.armed = False
        if process is not None:
            _end(process)
            leash.release(process.pid)


def _environment(found: Addresses, directory: Path) -> dict[str, str]:
    ours = {
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "FANFARE_DATA_DIR": str(directory),
    }
    key = os.environ.get("FANFARE_SECRET_KEY") or secret.keep_secret_key(directory)
    return {**os.environ, **ours, "FANFARE_SECRET_KEY": key}


def _end(process: subprocess.Popen[bytes]) -> None:
    # It may have had the same Ctrl-C as we: a second one would cut its farewell short.
    if not _ended(process, _FAREWELL_SECONDS):
        process.terminate()
        if not _ended(process, _GRACE_SECONDS):
            process.kill()
            process.wait()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _code(returned: int) -> int:
    # As shells do it: 128 + the number of the signal that ended it.
    return returned if returned >= 0 else 128 - returned


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
