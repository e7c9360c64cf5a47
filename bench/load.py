"""Load by wrk, with a consumer and a token of its own for each request; the web server under load."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fanfare.stack import machine, ports

SCRIPT = Path(__file__).with_name("consumers.lua")
CONNECTIONS = 32
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Figures:
    """What wrk saw: requests a second, latency in milliseconds."""

    rate: float
    p50: float
    p99: float


@contextmanager
def web_server() -> Iterator[str]:
    """The product's web server as `make run` starts it, with the yardstick's address; its base URL."""
    port = ports.free()
    command = [sys.executable, "-m", *machine.web(port)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.settings", "FANFARE_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, env=environment)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{base}/healthz")
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web server did not come up")


def run(
    url: str, seconds: int, *, method: str = "GET", headers: dict[str, str], tokens: Path | None
) -> Figures:
    """One measurement. Stops the bench if a single answer was not 2xx."""
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT)]
    words += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    environment = os.environ | {"BENCH_METHOD": method, "BENCH_TOKENS": str(tokens or "")}
    said = subprocess.run([*words, url], env=environment, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{method} {url} was not answered well:\n{said}")
    return Figures(_number(r"Requests/sec:\s+([\d.]+)", said), _latency("50%", said), _latency("99%", said))


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


def _latency(share: str, text: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s|m)", text)
    assert found, text
    return float(found[1]) * _UNITS[found[2]]
