"""A queue's settings: their names and bounds, what fits together, and what can't change any more."""

import datetime as dt

from distributions.core import drawings
from distributions.core.models import Kind
from distributions.core.setup import CLOSED, DAY, Problems, Rows, Settings, is_changed
from distributions.queues.models import Queue
from experiences.setup import Changes

OF_QUEUE = (
    "admission_rate",
    "max_active",
    "max_admissions",
    "session_seconds",
    "enter_from",
    "randomize_before_open",
    "recycle_expired",
)
BOUNDS = {
    "admission_rate": (1, 10**6),
    "max_active": (0, 10**9),
    "max_admissions": (0, 10**9),
    "session_seconds": (1, 30 * DAY),
}


def _problems(rows: Rows) -> Problems:
    opens, enters = rows.distribution.open_at, rows.kind.enter_from
    problems = {}
    if enters is not None and (opens is None or enters > opens):
        problems["enter_from"] = (
            "Entering before the opening needs an opening, not before this: set one, or leave it empty."
        )
    if rows.kind.randomize_before_open and opens is None:
        problems["randomize_before_open"] = (
            "It needs an opening: without one, nobody enters before. Set one, or switch this off."
        )
    return problems


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    """A closed queue keeps its times; how the pre-queue's order comes about can't change once somebody has
    entered, or after the opening.
    """
    problems: Problems = {}
    distribution = rows.distribution
    if distribution.closed_at is not None:
        problems |= is_changed(("open_at", "close_at", "enter_from"), changes, CLOSED)
    is_open = distribution.open_at is None or distribution.open_at <= now
    if rows.tally.entered or is_open:
        late = "This can't change once somebody has entered, or after the opening."
        problems |= is_changed(("randomize_before_open",), changes, late)
    return problems


def _finish(rows: Rows) -> None:
    """Commit to a seed where the order is to be drawn."""
    if rows.kind.randomize_before_open:
        drawings.commit(rows.distribution)


SETTINGS = Settings(Kind.QUEUE, "queue", Queue, OF_QUEUE, BOUNDS, _problems, _late, _finish)
