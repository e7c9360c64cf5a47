"""What consumers are told of their bookings by mail or SMS: made, near, cancelled by staff.

Reminders go out at the hours before the start that staff have set. Each is due once: `Booking.reminded`
holds the smallest number of hours that was told, moved by the transaction that posts the message.
"""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Func, Q, QuerySet
from django.utils.formats import date_format

from consumers import messages
from distributions.appointments.models import Appointment, Booking
from distributions.core.models import HOLDING, Kind

LATE = dt.timedelta(hours=6)  # after this a reminder that nobody sent is left to the next one
AT_ONCE = 1_000
_RELATED = (
    "participation__consumer__organization",
    "distribution__appointment",
    "distribution__organization",
    "distribution__sequence__experience",
)


def due(now: dt.datetime) -> Iterator[tuple[str, int]]:
    """Bookings that are to be reminded of now, and of how many hours before: of several the nearest alone, in
    whichever order workers come to them.
    """
    known: set[str] = set()
    for hours in sorted(_hours_in_use()):
        rows = _due(now, hours).order_by("starts_at").values_list("pk", flat=True)
        found = [booking_id for booking_id in rows[:AT_ONCE] if booking_id not in known]
        known.update(found)
        yield from ((booking_id, hours) for booking_id in found)


def _hours_in_use() -> set[int]:
    each = Func(F("reminder_hours_before"), function="unnest")
    return set(Appointment.objects.annotate(hours=each).values_list("hours", flat=True).distinct())


def _due(now: dt.datetime, hours: int) -> QuerySet[Booking]:
    """Held, within these hours of the start, made before that, and not told of so few hours yet."""
    before = dt.timedelta(hours=hours)
    return Booking.objects.filter(
        Q(reminded=None) | Q(reminded__gt=hours),
        starts_at__gt=max(now, now + before - LATE),
        starts_at__lte=now + before,
        participation__status__in=HOLDING[Kind.APPOINTMENT],
        participation__entered_at__lt=F("starts_at") - before,
        distribution__appointment__reminder_hours_before__contains=[hours],
    )


@transaction.atomic
def remind(booking_id: str, hours: int, *, now: dt.datetime) -> bool:
    """Post the reminder, unless somebody has; whether there was anything to post."""
    if not _due(now, hours).filter(pk=booking_id).update(reminded=hours):
        return False
    booking = Booking.objects.select_related(*_RELATED).get(pk=booking_id)
    _post(booking, f"reminder:{booking.pk}:{hours}", "Reminder", "Your appointment is on", now)
    return True


def confirm(booking: Booking, *, now: dt.datetime, is_moved: bool = False) -> None:
    """Post that it was made, or stands instead of another; the caller holds the transaction."""
    word, opening = ("Moved", "Your appointment is now on") if is_moved else ("Booked", "You have booked")
    _post(booking, f"booked:{booking.pk}", word, opening, now)


def tell_cancelled(booking: Booking, *, now: dt.datetime) -> None:
    """Post that staff have cancelled it; the caller holds the transaction."""
    _post(booking, f"cancelled:{booking.pk}", "Cancelled", "Cancelled: your appointment on", now)


def _post(booking: Booking, reference: str, word: str, opening: str, now: dt.datetime) -> None:
    distribution, consumer = booking.distribution, booking.participation.consumer
    local = booking.starts_at.astimezone(ZoneInfo(distribution.zone))
    at = f"{date_format(local, 'l j F Y, H:i')} ({distribution.zone})"
    place = distribution.appointment.location or {}
    where = ", ".join(filter(None, (place.get("name"), place.get("address"))))
    text = f"{opening} {at}: {distribution.name}." + (f"\n\nWhere: {where}." if where else "")
    text += "\n\nConfirmation code:"
    messages.post(
        consumer,
        reference,
        template="notice",
        subject=f"{word}: {distribution.name}, {at}",
        sms=f"{distribution.organization.name}: {word}. {distribution.name}, {at}. Code {booking.code}.",
        context={"text": text, "code": booking.code},
        now=now,
        expires_at=booking.starts_at,
    )
