"""One real stack: what `make run` starts, from an empty folder, with a port of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fanfare.stack import ports
from fanfare.stack.children import Program, start, wait_for
from fanfare.stack.leash import Leash

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 150.0
# What the tests' own servers and settings are; the stack is to have none of it.
_OURS = ("DATABASE_URL", "REDIS_URL", "FANFARE_SECRET_KEY", "FANFARE_DB_POOL", "DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True)
class Stack:
    """A running one."""

    url: str
    environment: Mapping[str, str]  # of processes that are to work on it

    def apply(self, launch: Mapping[str, Any]) -> dict[str, Any]:
        """Set up what an `apply` file says; its answer, with a fresh pair of keys."""
        answer = self.manage("apply", "--json", "--new-keys", "-", given=json.dumps(launch))
        found: dict[str, Any] = json.loads(answer)
        return found

    def manage(self, *words: str, given: str = "") -> str:
        """What a management command prints."""
        command = [sys.executable, "manage.py", *words]
        options: Any = {"cwd": ROOT, "env": self.environment, "capture_output": True, "text": True}
        ran = subprocess.run(command, input=given, **options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return str(ran.stdout)

    def call(self, method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
        """Ask the API with a secret key, a publishable one or an access token; the answer's body."""
        named = {"X-Publishable-Key": key} if key.startswith("pk_") else {"Authorization": f"Bearer {key}"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", json=body, headers={**named, **more})
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def running(directory: Path) -> Iterator[Stack]:
    """A stack that lives in `directory`, as long as the context lasts, and no longer than this process."""
    port = ports.free()
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    environment |= {"FANFARE_PORT": str(port), "FANFARE_DATA_DIR": str(directory)}
    ready = threading.Event()

    def hear(_: str, line: str) -> None:
        if line.startswith("ready in"):
            ready.set()

    command = [sys.executable, "-m", "fanfare.stack.machine"]
    leash = Leash()
    child = start(Program("stack", command, environment, ROOT, signal.SIGINT, 30.0), leash, hear)
    try:
        assert wait_for(ready.is_set, child, _READY_SECONDS), child.last_words()
        yield Stack(f"http://localhost:{port}", environment)
    finally:
        child.stop()
        leash.close()
