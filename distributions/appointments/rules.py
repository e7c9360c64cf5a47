"""What an appointment decides: who books is admitted at once, for a slot; the calendar says which there are.

Bookings are made and given up in `bookings`, the calendar as it is in `openings`, its arithmetic in `slots`.
"""

import datetime as dt

from distributions.appointments import bookings, openings
from distributions.core import lifecycle, phases
from distributions.core.models import Distribution
from distributions.core.standing import Standing

book, rebook, cancel = bookings.book, bookings.rebook, bookings.cancel
leave = lifecycle.leave
adjusting = lifecycle.unadjusted


def closes_at(distribution: Distribution) -> dt.datetime | None:
    """When nobody books any more, by the clock."""
    return distribution.close_at


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The appointment as it is: nothing has to be done before it is looked at."""
    return distribution


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`; a booking that nobody completed within a day of its slot is missed."""
    return standing.at(now)


def vacancies(distribution: Distribution, now: dt.datetime) -> int:
    """Places that can be booked now, in all slots."""
    if phases.phase(distribution, now) != phases.Phase.OPEN:
        return 0
    zone = distribution.appointment.plan.zone
    first, last = (at.astimezone(zone).date() for at in openings.window(distribution, now))
    return sum(opening.available for opening in openings.between(distribution, first, last, now=now))
