"""The example shop as its owner would put it up: its built page, and its own server in Python behind it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from fanfare.stack import ports
from fanfare.stack.children import Program, start, wait_for
from fanfare.stack.leash import Leash
from tests.e2e.stack import ROOT, Stack

SDK = ROOT / "sdk"
EXAMPLE = SDK / "example"
VITE = SDK / "node_modules/vite/bin/vite.js"
_START_SECONDS = 60.0


def build_packages() -> None:
    """The SDK as it is now, installed first where it never was."""
    if shutil.which("npm") is None:
        pytest.skip("There is no npm here: the shop can't be built")
    _run(ROOT, ["make", "--silent", "sdk/node_modules/.installed"])
    _run(SDK, ["npm", "run", "--silent", "build", "--workspace", "core", "--workspace", "react"])


@contextmanager
def running(stack: Stack, port: int, queue: str, keys: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A shop on `port` that sells to those whom `queue` admits, as long as the context lasts; its address.

    `keys` has its organization's `publishableKey` and `secretKey`. The page is built into `folder`.
    """
    server_port = ports.free()
    environment = {
        **os.environ,
        "VITE_FANFARE_URL": stack.url,
        "VITE_FANFARE_KEY": keys["publishableKey"],
        "VITE_QUEUE": queue,
        "FANFARE_SHOP_KEY": keys["secretKey"],
        "SHOP_PORT": str(port),
        "SHOP_SERVER_PORT": str(server_port),
        "PYTHONPATH": str(SDK / "python"),
    }
    where = ["--outDir", str(folder), "--logLevel", "error"]
    _run(EXAMPLE, ["node", str(VITE), "build", "--emptyOutDir", *where], environment)
    preview = ["node", str(VITE), "preview", "--host", ports.LOOPBACK, *where]
    leash = Leash()
    try:
        for number, command in ((port, preview), (server_port, [sys.executable, "server.py"])):
            child = start(Program("shop", command, environment, EXAMPLE), leash)
            is_up = wait_for(partial(_is_taken, number), child, _START_SECONDS)
            assert is_up, child.last_words()
        yield f"http://localhost:{port}"
    finally:
        leash.close()


def _is_taken(port: int) -> bool:
    return not ports.is_free(port)


def _run(folder: Path, command: list[str], environment: Mapping[str, str] | None = None) -> None:
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
