"""Secrets that the embedded run makes for itself and keeps in its data directory, mode 0600.

In production they come from the environment and nothing here is called.
Reading alone is in `addresses`, for settings.
"""

import secrets
from pathlib import Path

from fanfare.stack.addresses import read_private, secret_key_path, write_private


def keep_secret_key(directory: Path) -> str:
    """The `FANFARE_SECRET_KEY` of `directory`: sessions and keys survive a restart with it."""
    return keep(secret_key_path(directory))


def keep(path: Path) -> str:
    """The secret kept in `path`: 256 random bits in hexadecimal, made the first time."""
    known = read_private(path)
    if known is None:
        known = secrets.token_hex(32)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, known)
    return known
