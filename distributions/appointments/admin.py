"""What an appointment adds to its page in the console: settings, figures, buttons."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format

from distributions.appointments import openings, rules, setup
from distributions.appointments.models import Appointment, Booking
from distributions.core import phases, switch_admin
from distributions.core.admin import FACES, Face, KindAdmin, Setting
from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing

_TOLD = "l j F Y, H:i"


def _of_appointment(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.appointment, name)


SETTINGS = {
    name: Setting(name, Appointment._meta.get_field(name), _of_appointment(name))
    for name in setup.OF_APPOINTMENT
}


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    held = openings.held(distribution)
    return [
        ("Booked ahead", f"{held.filter(starts_at__gt=now).count():,}", ""),
        ("Under way", f"{held.filter(starts_at__lte=now, ends_at__gt=now).count():,}", ""),
        ("Checked in", f"{distribution.tally.completed:,}", "since the start"),
        ("Given up", f"{distribution.tally.returned:,}", "cancelled, denied, missed"),
    ]


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who has booked and has not been checked in; nobody waits here."""
    return distribution.tally.inside


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    return str(standing.status.label)


def details(distribution: Distribution, standing: Standing, now: dt.datetime) -> str:
    """When the booking is, and its code."""
    booking = Booking.objects.filter(participation_id=standing.id).first()
    if booking is None:
        return "-"
    at = date_format(booking.starts_at.astimezone(distribution.appointment.plan.zone), _TOLD)
    return f"{at}, code {booking.code}" + (f", cancelled: {booking.reason}" if booking.reason else "")


BUTTONS = switch_admin.buttons(
    paused="Paused: nobody books, and bookings stay as they are.",
    resumed="Booking goes on.",
    closed="Closed for good. Bookings stay as they are.",
    question="For good: nobody books any more. Bookings stay as they are.",
)


FACES[Kind.APPOINTMENT] = Face(
    description="Whoever books a slot of the calendar has it.",
    icon="calendar_month",
    settings=SETTINGS,
    groups=[
        ("Calendar", ["opening_hours", "exceptions", "slot_minutes", "buffer_minutes", "places_per_slot"]),
        (
            "Booking",
            [
                "max_bookings_per_consumer", "least_notice_minutes", "furthest_ahead_days",
                "latest_cancellation_minutes", "reminder_hours_before", "location",
            ],
        ),
    ],
    numbers=numbers,
    fixed=setup.fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=None,
    buttons=BUTTONS,
    phase=phases.phase,
    waiting=waiting,
    standing_at=rules.standing_at,
    word=word,
    panel=lambda distribution, now: None,
    defaults={"supports_guest": False, "opening_hours": setup.OFFICE_HOURS},
    details=details,
)  # fmt: skip


@admin.register(Appointment)
class AppointmentAdmin(KindAdmin):
    """The versions of an appointment's settings."""

    list_display = ["distribution", *setup.OF_APPOINTMENT]
    fields = ["distribution", *setup.OF_APPOINTMENT]
