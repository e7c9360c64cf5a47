"""A timed release's settings: their names and bounds, and what can't change any more."""

import datetime as dt

from distributions.core.models import Distribution, Kind
from distributions.core.setup import CLOSED, DAY, Problems, Rows, Settings, is_changed
from distributions.timed_releases.models import TimedRelease
from experiences.setup import Changes

OF_RELEASE = ("claim_seconds", "max_per_consumer")
BOUNDS = {"claim_seconds": (1, 30 * DAY), "max_per_consumer": (1, 1_000)}


def _problems(rows: Rows) -> Problems:
    return {}


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    if rows.distribution.closed_at is None:
        return {}
    return is_changed(("open_at", "close_at", "inventory"), changes, CLOSED)


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more."""
    return {"open_at", "close_at", "inventory"} if distribution.closed_at else set()


def _finish(rows: Rows) -> None:
    """Nothing follows from a change."""


SETTINGS = Settings(
    Kind.TIMED_RELEASE,
    "release",
    TimedRelease,
    OF_RELEASE,
    BOUNDS,
    _problems,
    _late,
    _finish,
    limit="inventory",
)
