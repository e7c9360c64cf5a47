"""An appointment's settings: their names and bounds. Bookings stay as they are, whatever changes."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from distributions.appointments.models import Appointment
from distributions.appointments.validation import WEEKDAYS
from distributions.core.models import Distribution, Kind
from distributions.core.setup import CLOSED, Problems, Rows, Settings, is_changed
from experiences.setup import Changes

OF_APPOINTMENT = (
    "slot_minutes",
    "buffer_minutes",
    "places_per_slot",
    "opening_hours",
    "exceptions",
    "max_bookings_per_consumer",
    "least_notice_minutes",
    "furthest_ahead_days",
    "latest_cancellation_minutes",
    "reminder_hours_before",
    "location",
)
_DAY = 1_440  # minutes
BOUNDS = {
    "slot_minutes": (5, _DAY),
    "buffer_minutes": (0, _DAY),
    "places_per_slot": (1, 10_000),
    "max_bookings_per_consumer": (1, 1_000),
    "least_notice_minutes": (0, 365 * _DAY),
    "furthest_ahead_days": (1, 730),
    "latest_cancellation_minutes": (0, 365 * _DAY),
}
_NOTHING: dict[str, Any] = {"opening_hours": {}, "exceptions": [], "location": None}
OFFICE_HOURS = {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}


def _complete(rows: Rows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """No guests, unless said: a booking is for somebody who can be reached. Nothing is nothing of its kind:
    Django asks no validator about it.
    """
    empty = {name: nothing for name, nothing in _NOTHING.items() if name in values and not values[name]}
    found = {**values, **empty}
    return {"supports_guest": False, **found} if rows.distribution._state.adding else found


def _problems(rows: Rows) -> Problems:
    appointment = rows.kind
    notice, ahead = appointment.least_notice_minutes, appointment.furthest_ahead_days
    if isinstance(notice, int) and isinstance(ahead, int) and notice > ahead * _DAY:
        return {"least_notice_minutes": f"Not longer than how far ahead one may book, {ahead * _DAY:,}."}
    return {}


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    if rows.distribution.closed_at is None:
        return {}
    return is_changed(("open_at", "close_at"), changes, CLOSED)


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more."""
    return {"open_at", "close_at"} if distribution.closed_at else set()


def _finish(rows: Rows) -> None:
    """Nothing follows from a change."""


SETTINGS = Settings(
    Kind.APPOINTMENT,
    "appt",
    Appointment,
    OF_APPOINTMENT,
    BOUNDS,
    _problems,
    _late,
    _finish,
    _complete,
    limit=None,
)
