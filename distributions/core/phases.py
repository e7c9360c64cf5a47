"""PENDING, OPEN, PAUSED or CLOSED: derived from the times and from what staff decided."""

import datetime as dt
from enum import StrEnum

from distributions.core.models import Distribution
from fanfare import errors


class Phase(StrEnum):
    """Where a distribution is in its life."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"


def phase(distribution: Distribution, now: dt.datetime) -> Phase:
    """The phase at `now`."""
    if is_over(distribution, now):
        return Phase.CLOSED
    if distribution.open_at is not None and now < distribution.open_at:
        return Phase.PENDING
    return Phase.PAUSED if distribution.paused_at else Phase.OPEN


def is_over(distribution: Distribution, now: dt.datetime) -> bool:
    """Whether it has closed, by the clock or by hand."""
    by_clock = distribution.close_at is not None and now >= distribution.close_at
    return by_clock or distribution.closed_at is not None


def require_open(
    distribution: Distribution, *, now: dt.datetime, enter_from: dt.datetime | None = None
) -> None:
    """Raise NotOpenYet or Closed unless one may enter; `enter_from` lets in before the opening."""
    found = phase(distribution, now)
    opens_at = distribution.open_at
    if found == Phase.CLOSED:
        raise errors.Closed(distribution.title)
    if found == Phase.PENDING and opens_at is not None:
        first = min(enter_from or opens_at, opens_at)
        if now < first:
            raise errors.NotOpenYet(distribution.title, opens_at, now=now, wait_until=first)
    if distribution.paused_at is not None:
        raise errors.Closed(distribution.title, paused=True)
