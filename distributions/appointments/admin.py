"""What an appointment adds to its page in the console: settings, figures, the calendar, buttons."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format

from distributions.appointments import blocks, calendar_page, desk, openings, rules, setup, watch
from distributions.appointments.forms import ExceptionsField, HoursField, LinesField
from distributions.appointments.models import Appointment, Booking
from distributions.core import phases, switch_admin
from distributions.core.admin import FACES, Face, KindAdmin, Setting, actor
from distributions.core.models import Distribution, Kind, Status
from distributions.core.standing import Standing
from experiences.access_codes import normalised
from fanfare import clock, staff
from fanfare.console import Button, DateTimeField, TextInput, moment

_TOLD = "l j F Y, H:i"


def _of_appointment(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.appointment, name)


SETTINGS = {
    name: Setting(name, Appointment._meta.get_field(name), _of_appointment(name))
    for name in setup.OF_APPOINTMENT
}


def _in_lines(name: str, form_field: type[LinesField]) -> Setting:
    """A setting that staff write in lines."""
    read = _of_appointment(name)
    return replace(SETTINGS[name], form_field=form_field, shown=lambda found: form_field().write(read(found)))


SETTINGS["opening_hours"] = _in_lines("opening_hours", HoursField)
SETTINGS["exceptions"] = _in_lines("exceptions", ExceptionsField)
HELP_TEXTS = {
    "slot_minutes": "How long one slot is, in minutes.",
    "buffer_minutes": "Free time after each slot, in minutes.",
    "places_per_slot": "How many may book the same slot.",
    "least_notice_minutes": "How long before its start a slot can still be booked, in minutes.",
    "latest_cancellation_minutes": "How long before the start one may still cancel, in minutes.",
    "furthest_ahead_days": "How far ahead one may book, in days.",
    "opening_hours": "A line a day or span of days: mon-fri 09:00-12:30, 13:30-17:00. Other days are closed.",
    "exceptions": "Days with other hours, a line each: 2026-12-24 closed, or 2026-12-31 10:00-14:00.",
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


def calendar(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """One week, that of `day` in the address or else of today."""
    now, zone = clock.now(), distribution.appointment.plan.zone
    today = now.astimezone(zone).date()
    day = _day_of(request.GET.get("day", ""), today)
    pages: Any = admin.site.get_model_admin(Distribution)
    context = {
        "appointment": distribution,
        "object": distribution,
        "days": calendar_page.week_of(distribution, day, now),
        "today": today,
        "previous_text": (day - dt.timedelta(days=7)).isoformat(),
        "next_text": (day + dt.timedelta(days=7)).isoformat(),
        "zone": zone.key,
        "conflicts": calendar_page.conflicts_ahead(distribution, now),
        "blocks": calendar_page.blocks_ahead(distribution, now),
        "may_steer": pages.may(request, staff.STEER, distribution),
        "is_open": distribution.closed_at is None,
        "address": {
            name: pages.address("press", distribution.pk, name) for name in ("calendar", "book", "block")
        },
        "back": pages.address("change", distribution.pk),
    }
    answer: HttpResponseBase = pages.page(
        request, "admin/calendar.html", f"{distribution}, calendar", **context
    )
    return answer


def _day_of(text: str, today: dt.date) -> dt.date:
    """The day that an address names; one that it does not, or that is far away, is today."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day - today) < dt.timedelta(days=3660) else today


class BookForm(forms.Form):
    """Whom to book for, and when."""

    start = DateTimeField(help_text="When the slot starts.")
    who = forms.CharField(
        max_length=254, widget=TextInput, label="For whom",
        help_text="An e-mail address, a telephone number with its +, or a consumer's id.",
    )  # fmt: skip
    full_name = forms.CharField(
        max_length=200, required=False, widget=TextInput, help_text="Of somebody who is new."
    )


def _back_to(
    request: HttpRequest, distribution: Distribution, at: dt.datetime, told: str
) -> HttpResponseBase:
    """The week of the calendar in which something was done, and what it was."""
    messages.success(request, told)
    pages: Any = admin.site.get_model_admin(Distribution)
    day = at.astimezone(distribution.appointment.plan.zone).date()
    return redirect(f"{pages.address('press', distribution.pk, 'calendar')}?day={day}")


def book(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> str | HttpResponseBase:
    """Book for somebody who has called. Raises what `bookings.book` does."""
    consumer, standing = desk.book_for(
        distribution,
        values["who"],
        values["full_name"],
        values["start"],
        now=clock.now(),
        actor=actor(request),
    )
    if standing.status != Status.ADMITTED:
        return f"{consumer} is {standing.status.label.lower()} here, and stays so."
    booking = Booking.objects.get(participation_id=standing.id)
    told = f"{consumer} is booked for {moment(booking.starts_at)}, code {booking.code}."
    return _back_to(request, distribution, booking.starts_at, told)


class BlockForm(forms.Form):
    """From when until when, and why."""

    starts_at = DateTimeField(label="From")
    ends_at = DateTimeField(label="Until")
    note = forms.CharField(max_length=200, required=False, widget=TextInput, help_text="For staff to read.")


def block(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """Take a time out of the calendar. Raises Invalid."""
    made = blocks.block(
        distribution, values["starts_at"], values["ends_at"], note=values["note"],
        now=clock.now(), actor=actor(request),
    )  # fmt: skip
    inside = (
        openings.held(distribution).filter(starts_at__lt=made.ends_at, ends_at__gt=made.starts_at).count()
    )
    still = (
        f" Bookings in it that were made before, {inside:,}, stay until they are cancelled." if inside else ""
    )
    told = f"Nothing can be booked from {moment(made.starts_at)} until {moment(made.ends_at)}.{still}"
    return _back_to(request, distribution, made.starts_at, told)


def links(distribution: Distribution) -> Sequence[tuple[str, str]]:
    """To its bookings."""
    address = reverse("admin:distributions_booking_changelist")
    return [("Bookings", f"{address}?distribution__id__exact={distribution.pk}")]


def by_code(distribution: Distribution, code: str) -> list[int]:
    """The participation that a confirmation code is of."""
    found = Booking.objects.filter(distribution=distribution, code=normalised(code))
    return list(found.values_list("participation_id", flat=True))


def is_not_closed(distribution: Distribution) -> bool:
    """Whether anything can still be booked."""
    return distribution.closed_at is None


STEERING = switch_admin.buttons(
    paused="Paused: nobody books, and bookings stay as they are.",
    resumed="Booking goes on.",
    closed="Closed for good. Bookings stay as they are.",
    question="For good: nobody books any more. Bookings stay as they are.",
)
BUTTONS = [
    Button(
        "calendar", "Calendar", "calendar_month", calendar, allowed=staff.VIEW, reads=True, variant="primary"
    ),
    Button(
        "book", "Book for somebody …", "event_available", book, form=BookForm, is_offered=is_not_closed,
        question="Any free slot ahead, however soon or far, also while booking is paused.",
    ),
    Button(
        "block", "Block a time …", "event_busy", block, form=BlockForm, is_offered=is_not_closed,
        question="No slot that lies in it, in part or whole, can be booked. Bookings made before stay.",
    ),
    *STEERING,
]  # fmt: skip


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
    watch=watch.watch,
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
    help_texts=HELP_TEXTS,
    details=details,
    links=links,
    by_code=by_code,
)  # fmt: skip


@admin.register(Appointment)
class AppointmentAdmin(KindAdmin):
    """The versions of an appointment's settings."""

    list_display = ["distribution", *setup.OF_APPOINTMENT]
    fields = ["distribution", *setup.OF_APPOINTMENT]
