"""What a waitlist decides: who may enter, and nothing else. It never admits anybody.

Closing ends the entering; who is on the list stays there, to be told when there is news, or to leave.
"""

import datetime as dt
from typing import Any

from distributions.core import lifecycle, phases
from distributions.core.models import Distribution
from distributions.core.standing import Standing

leave = lifecycle.leave
adjusting = lifecycle.unadjusted


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None = None,
) -> Standing:
    """Wait here. Raises NotOpenYet, Closed, Full."""
    phases.require_open(distribution, now=now)
    return lifecycle.enter(
        distribution, consumer_id, now=now, actor=actor, fingerprint=fingerprint, metadata=metadata
    )


def closes_at(distribution: Distribution) -> dt.datetime | None:
    """When nobody enters any more, by the clock."""
    return distribution.close_at


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The waitlist as it is: nothing has to be done before it is looked at."""
    return distribution


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`: the clock ends no entry."""
    return standing


def vacancies(distribution: Distribution, now: dt.datetime) -> int | None:
    """None to be had: it lets nobody in."""
    return 0
