"""The calendar as it is: slots with what is left of them, and the ids by which they are called.

A slot has no row, so its id says all: when it starts (a ULID's time) and a digest of appointment, start
and end (its rest). Whoever books shows it, and it is made again from the hours as they are by then.
"""

import datetime as dt
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from ulid import ULID

from distributions.appointments import slots
from distributions.appointments.models import Block, Booking
from distributions.appointments.slots import Slot
from distributions.core.models import HOLDING, Distribution, Kind
from fanfare import ids
from fanfare.clock import from_micros

MOST_DAYS = 62  # of one question
PREFIX = "slot"


@dataclass(frozen=True)
class Opening:
    """A slot, how many it holds and how many of these places are taken."""

    slot: Slot
    places: int
    taken: int

    @property
    def available(self) -> int:
        """Places that are left: none where there are more bookings than places by now."""
        return max(0, self.places - self.taken)


def slot_id(distribution_id: str, slot: Slot) -> str:
    """The id of this appointment's slot, the same each time."""
    told = f"{distribution_id} {slot.start.isoformat()} {slot.end.isoformat()}"
    milliseconds = int(slot.start.timestamp() * 1000)
    rest = hashlib.sha256(told.encode()).digest()[:10]
    return f"{PREFIX}_{ULID.from_bytes(milliseconds.to_bytes(6) + rest)}"


def start_of(identity: str) -> dt.datetime | None:
    """When a slot with this id starts; None: it is no id of a slot."""
    if not ids.is_id(identity, PREFIX):
        return None
    milliseconds = ULID.from_str(identity.removeprefix(f"{PREFIX}_")).milliseconds
    try:
        return from_micros(milliseconds * 1000)
    except (OverflowError, ValueError):
        return None


def between(distribution: Distribution, first: dt.date, last: dt.date, *, now: dt.datetime) -> list[Opening]:
    """What can be booked now in these days of the appointment's zone; full slots too, blocked ones not."""
    earliest, latest = window(distribution, now)
    plan = distribution.appointment.plan
    found = [slot for slot in slots.between(plan, first, last) if earliest <= slot.start <= latest]
    return with_bookings(distribution, found)


def at(distribution: Distribution, start: dt.datetime) -> Opening | None:
    """The slot that starts then, as it is; None: the hours have none there, or it is blocked."""
    slot = slots.at(distribution.appointment.plan, start)
    found = with_bookings(distribution, [slot]) if slot else []
    return found[0] if found else None


def window(distribution: Distribution, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """From when until when slots may start that can be booked now."""
    appointment = distribution.appointment
    notice = dt.timedelta(minutes=appointment.least_notice_minutes)
    # A slot that starts this very moment is not in the future.
    earliest = now + max(notice, dt.timedelta(microseconds=1))
    return earliest, now + dt.timedelta(days=appointment.furthest_ahead_days)


def with_bookings(distribution: Distribution, found: Sequence[Slot]) -> list[Opening]:
    """These slots, in order and apart, less the blocked ones, with what is taken of them.

    A booking that was made when the hours were others takes a place in each slot that it reaches into.
    """
    if not found:
        return []
    start, end = found[0].start, found[-1].end
    booked = _Spans(_times(held(distribution).filter(starts_at__lt=end, ends_at__gt=start)))
    blocks = Block.objects.filter(distribution_id=distribution.pk, starts_at__lt=end, ends_at__gt=start)
    blocked = _Spans(_times(blocks))
    places = distribution.appointment.places_per_slot
    return [Opening(slot, places, booked.number(slot)) for slot in found if not blocked.number(slot)]


def held(distribution: Distribution) -> QuerySet[Booking]:
    """The appointment's bookings that take a place."""
    statuses = HOLDING[Kind.APPOINTMENT]
    return Booking.objects.filter(distribution_id=distribution.pk, participation__status__in=statuses)


def _times(rows: QuerySet[Booking] | QuerySet[Block]) -> Iterable[tuple[dt.datetime, dt.datetime]]:
    return rows.order_by().values_list("starts_at", "ends_at")


class _Spans:
    """Times that something takes, to be counted where they overlap a slot."""

    def __init__(self, spans: Iterable[tuple[dt.datetime, dt.datetime]]) -> None:
        known = list(spans)
        self._starts = sorted(start for start, _ in known)
        self._ends = sorted(end for _, end in known)

    def number(self, slot: Slot) -> int:
        """How many overlap the slot: those that began before its end, less those that ended by its start."""
        return bisect_left(self._starts, slot.end) - bisect_right(self._ends, slot.start)
