"""The calendar of one week as staff see it: slots with who is in them, what is blocked, what to look at."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from distributions.appointments import blocks, openings, slots
from distributions.appointments.models import Block, Booking
from distributions.appointments.slots import Slot
from distributions.core.models import Distribution

WEEK = 7  # days
MOST_CONFLICTS = 1_000  # bookings ahead that are looked at


@dataclass(frozen=True)
class Guest:
    """A booking in the calendar; `conflict` says why it could not be made now."""

    booking: Booking
    conflict: str = ""


@dataclass
class Cell:
    """A slot, or a time in which there is none any more but still a booking."""

    slot: Slot
    places: int
    is_past: bool
    is_offered: bool = True
    block: Block | None = None
    guests: list[Guest] = field(default_factory=list)
    taken: int = 0

    @property
    def is_free(self) -> bool:
        """Whether staff may still put somebody there."""
        return self.is_offered and not self.block and not self.is_past and self.taken < self.places

    @property
    def state(self) -> str:
        """By what the cell is coloured."""
        if any(guest.conflict for guest in self.guests):
            return "conflict"
        if self.block:
            return "blocked"
        return "past" if self.is_past else "free" if self.is_free else "full"


@dataclass(frozen=True)
class Day:
    """A day of the zone's calendar, its cells in order and what is blocked in it."""

    date: dt.date
    cells: Sequence[Cell]


def week_of(distribution: Distribution, day: dt.date, now: dt.datetime) -> list[Day]:
    """The week (Monday first) that a day is in."""
    monday = day - dt.timedelta(days=day.weekday())
    days = [monday + dt.timedelta(days=number) for number in range(WEEK)]
    plan = distribution.appointment.plan
    offered = slots.between(plan, days[0], days[-1])
    start, end = (
        dt.datetime.combine(at, dt.time(), plan.zone) for at in (days[0], days[-1] + dt.timedelta(1))
    )
    held = openings.held(distribution).filter(starts_at__gte=start, starts_at__lt=end)
    booked = list(held.select_related("participation__consumer").order_by("starts_at", "pk"))
    found = _cells(distribution, offered, booked, now)
    return [Day(date, [cell for cell in found if _day(cell, plan) == date]) for date in days]


def _day(cell: Cell, plan: slots.Plan) -> dt.date:
    return cell.slot.start.astimezone(plan.zone).date()


def _cells(
    distribution: Distribution, offered: Sequence[Slot], booked: Sequence[Booking], now: dt.datetime
) -> list[Cell]:
    places = distribution.appointment.places_per_slot
    taken = {opening.slot: opening.taken for opening in openings.with_bookings(distribution, offered)}
    cells = {slot: Cell(slot, places, slot.start <= now, taken=taken.get(slot, 0)) for slot in offered}
    wrong = blocks.conflicts(distribution, booked)
    for booking in booked:
        slot = Slot(booking.starts_at, booking.ends_at)
        cell = cells.setdefault(slot, Cell(slot, places, slot.start <= now, is_offered=False))
        cell.guests.append(Guest(booking, str(wrong.get(booking.pk, ""))))
    for block in _blocks(distribution, list(cells)):
        for cell in cells.values():
            if cell.slot.overlaps(block.starts_at, block.ends_at):
                cell.block = block
    return sorted(cells.values(), key=lambda cell: cell.slot)


def _blocks(distribution: Distribution, shown: Sequence[Slot]) -> list[Block]:
    if not shown:
        return []
    start, end = min(slot.start for slot in shown), max(slot.end for slot in shown)
    rows = Block.objects.filter(distribution_id=distribution.pk, starts_at__lt=end, ends_at__gt=start)
    return list(rows.order_by("starts_at"))


def blocks_ahead(distribution: Distribution, now: dt.datetime) -> list[Block]:
    """What is blocked and not over yet, the next first."""
    return list(
        Block.objects.filter(distribution_id=distribution.pk, ends_at__gt=now).order_by("starts_at")[:50]
    )


def conflicts_ahead(distribution: Distribution, now: dt.datetime) -> list[Guest]:
    """Bookings ahead that the hours, blocks or places of now would not allow."""
    rows = openings.held(distribution).filter(ends_at__gt=now).order_by("starts_at", "pk")
    ahead = list(rows.select_related("participation__consumer")[:MOST_CONFLICTS])
    wrong = blocks.conflicts(distribution, ahead)
    return [Guest(booking, str(wrong[booking.pk])) for booking in ahead if booking.pk in wrong]
