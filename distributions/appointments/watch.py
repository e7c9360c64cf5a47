"""An appointment on its live page: today's bookings, who has come, and the slots that are next."""

import datetime as dt

from django.urls import reverse

from distributions.appointments import openings, slots
from distributions.core import figures
from distributions.core.models import Distribution, Status
from distributions.core.watching import Card, Cell, Chart, Table, Watched

SHOWN = 8  # slots that are next


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """The day, and how booking went over the last hour."""
    hour = figures.of(distribution.pk, now)
    booked = [("Booked", hour.of("appointment.booked")), ("Given up", hour.of("appointment.cancelled"))]
    arrived = [("Checked in", hour.of("appointment.completed"))]
    charts = [Chart("Bookings a minute", booked), Chart("Check-ins a minute", arrived)]
    return Watched(_cards(distribution, now), hour.minutes, charts, _next_slots(distribution, now))


def _cards(distribution: Distribution, now: dt.datetime) -> list[Card]:
    zone = distribution.appointment.plan.zone
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    today = openings.held(distribution).filter(
        starts_at__gte=midnight, starts_at__lt=midnight + dt.timedelta(days=1)
    )
    come = today.filter(participation__status=Status.COMPLETED).count()
    number, ahead = today.count(), openings.held(distribution).filter(starts_at__gt=now).count()
    under_way = openings.held(distribution).filter(starts_at__lte=now, ends_at__gt=now).count()
    return [
        ("Today", f"{number:,}", "bookings"),
        ("Checked in today", f"{come:,}", f"of {number:,}"),
        ("Under way", f"{under_way:,}", ""),
        ("Booked ahead", f"{ahead:,}", ""),
        ("Checked in", f"{distribution.tally.completed:,}", "since the start"),
        ("Given up", f"{distribution.tally.returned:,}", "cancelled, denied, missed"),
    ]


def _next_slots(distribution: Distribution, now: dt.datetime) -> Table:
    """The slots that are under way or next, today and tomorrow, and how full they are."""
    plan = distribution.appointment.plan
    day = now.astimezone(plan.zone).date()
    found = [slot for slot in slots.between(plan, day, day + dt.timedelta(days=1)) if slot.end > now]
    calendar = reverse("admin:distributions_distribution_press", args=[distribution.pk, "calendar"])
    rows = []
    for opening in openings.with_bookings(distribution, found[:SHOWN]):
        start = opening.slot.start.astimezone(plan.zone)
        rows.append([
            Cell(f"{start:%a %H:%M}", f"{calendar}?day={start:%Y-%m-%d}"),
            Cell(f"{opening.taken:,} of {opening.places:,}"), _state(opening, now),
        ])  # fmt: skip
    return Table("Next slots", ["Starts", "Taken", "State"], rows, "No slot today or tomorrow.")


def _state(opening: openings.Opening, now: dt.datetime) -> Cell:
    """What can be done about a slot."""
    if opening.slot.start <= now:
        return Cell("under way", color="info")
    return Cell("free", color="success") if opening.available else Cell("full", color="warning")
