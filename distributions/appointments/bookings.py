"""Making bookings and giving them up. All bookings of one appointment wait for one another.

Who books holds the tally's row until the commit. Under it settings, blocks and bookings stay as they are
read, so counting what lies in a slot is exact (invariant 17), whatever the hours were when others booked.
Locks are taken as everywhere: the person, then the tally.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from consumers import identities
from distributions.appointments import openings, reminders
from distributions.appointments.models import Appointment, Booking
from distributions.appointments.openings import Opening
from distributions.core import lifecycle, phases
from distributions.core.models import HOLDING, OVER_FOR_NOW, Distribution, Kind, Participation, Status, Tally
from distributions.core.standing import Standing
from experiences.access_codes import ALPHABET
from fanfare import errors, ids
from fanfare.errors import Detail

CODE_LENGTH = 8
CHECK_IN = dt.timedelta(days=1)  # after a slot's end: so long can its booking be completed
_HELD = HOLDING[Kind.APPOINTMENT]


@dataclass(frozen=True)
class Ask:
    """Who wants to book what; `slot_id` where it was called by that. Staff are not bound by notice, how far
    ahead, or a pause.
    """

    consumer_id: str
    start: dt.datetime
    now: dt.datetime
    actor: str
    slot_id: str = ""
    fingerprint: bytes | None = None
    metadata: dict[str, Any] | None = None
    is_staff: bool = False


@transaction.atomic(durable=True)
def book(distribution: Distribution, ask: Ask) -> Standing:
    """The consumer's booking of this slot, new or made before. Raises NotOpenYet, Closed, NotFound (slot),
    SlotFull, BookingLimit, or NotAuthenticated for one who was merged or erased just now.

    Who was denied stays so, and gets to see that, but for what they have booked before.
    """
    current = _locked(distribution, ask.consumer_id)
    mine = ahead(current, ask.consumer_id, ask.now)
    found = _same(mine, ask) or _denied(current, ask.consumer_id)
    if found is not None:
        return Standing.of(found)
    opening = _require_slot(current, ask)
    _require_allowance(current, mine)
    return _write(current, opening, ask)


@transaction.atomic(durable=True)
def rebook(distribution: Distribution, ask: Ask, booking_id: str) -> Standing:
    """Another slot instead of this booking's: the new one is made and the old one given up, or neither is.

    `booking_id` empty: the only one ahead. Raises what `book` and `cancel` do. Again: the new one.
    """
    current = _locked(distribution, ask.consumer_id)
    mine = ahead(current, ask.consumer_id, ask.now)
    new = _same(mine, ask)
    if new is not None and not booking_id:
        return Standing.of(new)
    old = _chosen(current, ask, booking_id)
    is_done = old.participation.status == Status.LEFT or (new and new.pk == old.participation_id)
    if new is not None and is_done:
        return Standing.of(new)
    _require_cancellable(current, old, ask)
    if new is None:
        if _denied(current, ask.consumer_id) is not None:
            raise errors.IllegalMove("There is no coming back after a denial.", status=Status.DENIED)
        _require_allowance(current, [booking for booking in mine if booking.pk != old.pk])
        standing = _write(current, _require_slot(current, ask), ask, is_moved=True)
    else:
        standing = Standing.of(new)
    _leave(current, old, ask)
    return standing


@transaction.atomic(durable=True)
def cancel(distribution: Distribution, ask: Ask, booking_id: str, *, reason: str = "") -> Booking:
    """Give a booking up; its place is free with the commit. Empty: the only one ahead; repeated: as then.

    Raises NotFound (booking), Invalid where it must be said which, TooLateToCancel, IllegalMove.
    """
    current = _locked(distribution, ask.consumer_id)
    booking = _chosen(current, ask, booking_id)
    if booking.participation.status != Status.LEFT:
        _require_cancellable(current, booking, ask)
        _leave(current, booking, ask, reason)
        booking.participation.refresh_from_db()
    return booking


def of_consumer(distribution: Distribution, consumer_id: str) -> QuerySet[Booking]:
    """All their bookings here, given up ones too."""
    rows = Booking.objects.filter(distribution_id=distribution.pk, participation__consumer_id=consumer_id)
    return rows.select_related("participation").order_by("starts_at", "pk")


def ahead(distribution: Distribution, consumer_id: str, now: dt.datetime) -> list[Booking]:
    """Those that take a place and are not over yet, the next one first."""
    rows = of_consumer(distribution, consumer_id).filter(ends_at__gt=now, participation__status__in=_HELD)
    return list(rows)


def nearest(distribution: Distribution, consumer_id: str, now: dt.datetime) -> Booking | None:
    """The one that whoever is at the counter now has come for: under way, or next to now; none given up.

    Completed and denied ones count, so that a repeated word of the shop's finds the same one.
    """
    kept = of_consumer(distribution, consumer_id).exclude(participation__status=Status.LEFT)
    before, after = kept.filter(starts_at__lte=now).last(), kept.filter(starts_at__gt=now).first()
    found = [booking for booking in (before, after) if booking is not None]
    return min(found, key=lambda booking: _distance(booking, now), default=None)


def named(mine: QuerySet[Booking], booking_id: str) -> Booking:
    """The one with this id. Raises NotFound."""
    found = mine.filter(pk=booking_id).first() if ids.is_id(booking_id, "booking") else None
    if found is None:
        raise errors.NotFound("Booking")
    return found


def next_unit(distribution: Distribution, consumer_id: str) -> int:
    """The number of their next booking here, above all others: the last one is how they stand."""
    rows = Participation.objects.filter(distribution_id=distribution.pk, consumer_id=consumer_id)
    return 1 + (rows.aggregate(last=Max("unit"))["last"] or 0)


def _distance(booking: Booking, now: dt.datetime) -> dt.timedelta:
    return max(booking.starts_at - now, now - booking.ends_at, dt.timedelta())


def _locked(distribution: Distribution, consumer_id: str) -> Distribution:
    """The appointment with its settings as they are, which stay so until the commit."""
    identities.lock_living(consumer_id)
    Tally.objects.select_for_update(no_key=True).get(pk=distribution.pk)
    related = ("distribution__tally", "distribution__organization", "distribution__sequence__experience")
    return Appointment.objects.select_related(*related).get(pk=distribution.pk).distribution


def _denied(distribution: Distribution, consumer_id: str) -> Participation | None:
    """Somebody's word that they are not to come, after which there is no coming back."""
    rows = Participation.objects.filter(distribution_id=distribution.pk, consumer_id=consumer_id)
    return rows.filter(status=Status.DENIED).exclude(OVER_FOR_NOW).first()


def _same(mine: list[Booking], ask: Ask) -> Participation | None:
    """Their booking of that slot."""
    return next((booking.participation for booking in mine if booking.starts_at == ask.start), None)


def _require_slot(distribution: Distribution, ask: Ask) -> Opening:
    """The slot, with a place in it. Raises NotOpenYet, Closed, NotFound, SlotFull."""
    if not ask.is_staff:
        phases.require_open(distribution, now=ask.now)
    elif distribution.closed_at is not None:
        raise errors.Closed(distribution.title)
    earliest, latest = openings.window(distribution, ask.now)
    is_offered = ask.start > ask.now if ask.is_staff else earliest <= ask.start <= latest
    opening = openings.at(distribution, ask.start) if is_offered else None
    is_other = opening and ask.slot_id and openings.slot_id(distribution.pk, opening.slot) != ask.slot_id
    if opening is None or is_other:
        raise errors.NotFound("Slot")
    if not opening.available:
        raise errors.SlotFull("Choose another one.")
    return opening


def _require_allowance(distribution: Distribution, held: list[Booking]) -> None:
    most = distribution.appointment.max_bookings_per_consumer
    if len(held) >= most:
        raise errors.BookingLimit(f"At most {most} at a time; cancel or rebook one.")


def _write(distribution: Distribution, opening: Opening, ask: Ask, *, is_moved: bool = False) -> Standing:
    """A participation that is admitted, with its booking; a device over its limit has neither."""
    standing = lifecycle.enter(
        distribution,
        ask.consumer_id,
        now=ask.now,
        actor=ask.actor,
        fingerprint=ask.fingerprint,
        metadata=ask.metadata,
        unit=next_unit(distribution, ask.consumer_id),
        admitted=True,
        expires_at=opening.slot.end + CHECK_IN,
    )
    if standing.status == Status.ADMITTED:
        made = Booking.objects.create(
            participation_id=standing.id,
            distribution=distribution,
            starts_at=opening.slot.start,
            ends_at=opening.slot.end,
            code=_new_code(distribution),
        )
        reminders.confirm(made, now=ask.now, is_moved=is_moved)
    return standing


def _new_code(distribution: Distribution) -> str:
    """A code that no other booking of the appointment has or had."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if not Booking.objects.filter(distribution_id=distribution.pk, code=code).exists():
            return code


def _chosen(distribution: Distribution, ask: Ask, booking_id: str) -> Booking:
    """The booking that is meant: the one named, the only one ahead, or the one that was last ahead, so that
    who cancels again is answered as before.

    Raises NotFound, or Invalid where it could be several.
    """
    mine = of_consumer(distribution, ask.consumer_id)
    if booking_id:
        return named(mine, booking_id)
    found = ahead(distribution, ask.consumer_id, ask.now)
    if len(found) > 1:
        raise errors.Invalid(Detail("booking_id", "There are several bookings; say which."))
    last = found[0] if found else max(mine, key=_was_ahead_until, default=None)
    if last is None:
        raise errors.NotFound("Booking")
    return last


def _was_ahead_until(booking: Booking) -> tuple[dt.datetime, int]:
    """When it was given up, taken away or over; of several at once the one made last comes last."""
    is_held = booking.participation.status in _HELD
    ended_at = None if is_held else booking.participation.ended_at
    return min(ended_at or booking.ends_at, booking.ends_at), booking.participation_id


def _require_cancellable(distribution: Distribution, booking: Booking, ask: Ask) -> None:
    """Raises IllegalMove for one that is over or checked in, TooLateToCancel near its start."""
    standing = Standing.of(booking.participation).at(ask.now)
    if standing.status != Status.ADMITTED:
        raise errors.IllegalMove(f"It is {standing.status}.", status=standing.status)
    notice = dt.timedelta(minutes=distribution.appointment.latest_cancellation_minutes)
    if ask.now > booking.starts_at - notice and not ask.is_staff:
        until = (booking.starts_at - notice).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise errors.TooLateToCancel(f"It could be cancelled until {until}.")


def _leave(distribution: Distribution, booking: Booking, ask: Ask, reason: str = "") -> None:
    trail: dict[str, Any] = {"now": ask.now, "actor": ask.actor}
    lifecycle.leave(distribution, ask.consumer_id, which=booking.participation_id, **trail)
    if reason:
        Booking.objects.filter(pk=booking.pk).update(reason=reason)
    if ask.is_staff:
        reminders.tell_cancelled(booking, now=ask.now)
