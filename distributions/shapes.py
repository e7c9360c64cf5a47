"""How each kind looks on the wire, for whoever shows several kinds at once. Stands above the kinds."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distributions.appointments import shape as appointments
from distributions.auctions import shape as auctions
from distributions.auctions import state as bidders
from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing
from distributions.draws import shape as draws
from distributions.queues import line
from distributions.queues import shape as queues
from distributions.timed_releases import shape as timed_releases
from distributions.waitlists import notices
from distributions.waitlists import shape as waitlists


@dataclass(frozen=True)
class Shape:
    """The functions that fill a kind's serializers."""

    present: Callable[[Distribution, dt.datetime], dict[str, Any]]
    present_standing: Callable[[Distribution, Standing, dt.datetime], dict[str, Any]]
    # Whatever a standing's presentation would have to ask for, for all of a consumer's at once.
    prepare: Callable[["Pairs"], "Pairs"]
    # The same of what it takes to say how they stand, before anybody asks that.
    load: Callable[["Pairs"], None] = lambda pairs: None


Pairs = list[tuple[Distribution, Standing]]


def _as_they_are(pairs: Pairs) -> Pairs:
    """For kinds that ask for nothing."""
    return pairs


SHAPES: dict[Kind, Shape] = {
    Kind.QUEUE: Shape(queues.present_queue, queues.present_standing, line.with_positions),
    Kind.DRAW: Shape(draws.present_draw, draws.present_standing, _as_they_are),
    Kind.TIMED_RELEASE: Shape(timed_releases.present_release, timed_releases.present_standing, _as_they_are),
    Kind.AUCTION: Shape(auctions.present_auction, auctions.present_standing, _as_they_are, bidders.load),
    Kind.APPOINTMENT: Shape(
        appointments.present_appointment, appointments.present_standing, appointments.prepare
    ),
    Kind.WAITLIST: Shape(waitlists.present_waitlist, waitlists.present_standing, _as_they_are, notices.load),
}
