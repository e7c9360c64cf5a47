"""Times that staff take out of the calendar, and bookings that lie where none could be made now."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from django.db import transaction

from distributions.appointments import openings, slots
from distributions.appointments.models import Block, Booking
from distributions.appointments.slots import Slot
from distributions.core.models import Distribution, Tally
from experiences import events
from fanfare import errors
from fanfare.errors import Detail
from fanfare.wire import iso

LONGEST = dt.timedelta(days=366)


class Conflict(StrEnum):
    """Why staff should look at a booking."""

    NOT_IN_HOURS = "outside the present hours"
    BLOCKED = "in a blocked time"
    TOO_MANY = "more bookings than places"


@transaction.atomic
def block(
    distribution: Distribution,
    start: dt.datetime,
    end: dt.datetime,
    *,
    note: str,
    now: dt.datetime,
    actor: str,
) -> Block:
    """Take a time out: nothing in it can be booked from this commit on; bookings stay. Raises Invalid."""
    if end <= start or end - start > LONGEST:
        raise errors.Invalid(Detail("ends_at", f"After the start, by at most {LONGEST.days} days."))
    Tally.objects.select_for_update(no_key=True).get(pk=distribution.pk)  # bookings under way come before
    made = Block.objects.create(
        distribution=distribution, starts_at=start, ends_at=end, note=note, created_at=now
    )
    _trace(made, "blocked", now, actor)
    return made


@transaction.atomic
def unblock(found: Block, *, now: dt.datetime, actor: str) -> bool:
    """Give the time back; False if somebody did before."""
    deleted, _ = Block.objects.filter(pk=found.pk).delete()
    if deleted:
        _trace(found, "unblocked", now, actor)
    return bool(deleted)


def _trace(found: Block, verb: str, now: dt.datetime, actor: str) -> None:
    events.record(
        "settings.changed",
        found.distribution.organization_id,
        at=now,
        actor=actor,
        distribution_id=found.distribution_id,
        data={verb: {"from": iso(found.starts_at), "to": iso(found.ends_at)}},
    )


def conflicts(distribution: Distribution, bookings: Sequence[Booking]) -> dict[str, Conflict]:
    """Those that the hours, blocks or places of now would not allow, by id; `bookings` in order of starts."""
    if not bookings:
        return {}
    plan = distribution.appointment.plan
    first, last = (each.starts_at.astimezone(plan.zone).date() for each in (bookings[0], bookings[-1]))
    offered = slots.between(plan, first, last)
    free = {opening.slot: opening for opening in openings.with_bookings(distribution, offered)}
    known = set(offered)
    found = {}
    for booking in bookings:
        slot = Slot(booking.starts_at, booking.ends_at)
        if slot not in known:
            found[booking.pk] = Conflict.NOT_IN_HOURS
        elif slot not in free:
            found[booking.pk] = Conflict.BLOCKED
        elif free[slot].taken > free[slot].places:
            found[booking.pk] = Conflict.TOO_MANY
    return found
