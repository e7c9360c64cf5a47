"""The demo's keys, staff login and ids, kept in the data directory for this machine's user alone.

Written once by `manage.py first_run`; read by every later start and by `manage.py crowd`.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings

from fanfare.stack.addresses import read_private, write_private


@dataclass(frozen=True)
class Demo:
    """What one needs to play with the demo; `queues` and so on are ids by slug."""

    organization_id: str
    publishable_key: str
    secret_key: str
    username: str
    password: str
    queues: dict[str, str]
    draws: dict[str, str] = field(default_factory=dict)
    auctions: dict[str, str] = field(default_factory=dict)
    timed_releases: dict[str, str] = field(default_factory=dict)
    appointments: dict[str, str] = field(default_factory=dict)
    waitlists: dict[str, str] = field(default_factory=dict)


def path() -> Path:
    """Where it is kept."""
    return settings.DATA_DIR / "demo.json"


def read() -> Demo | None:
    """The demo of this data directory; None if there is none, or what is there can't be read."""
    try:
        return Demo(**json.loads(read_private(path()) or ""))
    except (ValueError, TypeError):
        return None


def write(demo: Demo) -> None:
    """Keep it, readable by its owner only."""
    path().parent.mkdir(parents=True, exist_ok=True)
    write_private(path(), json.dumps(asdict(demo), indent=2) + "\n")
