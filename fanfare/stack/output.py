"""What the supervisor prints: its own lines, and its children's with their names in front."""

import sys
import threading

_COLOURS = {"web": 36, "worker": 33, "beat": 35, "postgres": 34, "valkey": 31, "setup": 32}
_WIDTH = max(map(len, _COLOURS))
# Advice that does not apply: Valkey saves no snapshots here, and Granian's threads wait for
# PostgreSQL most of the time.
_NOISE = ("Memory overcommit must be enabled", "Configuration allows spawning up to")
_lock = threading.Lock()


def say(text: str) -> None:
    """Print one of our own lines. A terminal that went away is no reason to stop."""
    with _lock:
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except OSError:
            return


def line(name: str, text: str) -> None:
    """Print a child's line as `name | text`; the sink of everything that `up` starts."""
    if text and not any(noise in text for noise in _NOISE):
        say(f"{_painted(name)} | {text}")


def _painted(name: str) -> str:
    padded = name.ljust(_WIDTH)
    if not sys.stdout.isatty():
        return padded
    return f"\x1b[{_COLOURS.get(name, 0)}m{padded}\x1b[0m"
